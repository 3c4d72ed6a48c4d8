#include "registry/credentials.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/base64.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "foundation/text.hh"
#include "registry/address.hh"

namespace veneer::registry {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_credentials = 4 << 20;
constexpr std::uint64_t helper_limit = 1 << 20;
constexpr std::string_view token_user = "<token>";
constexpr std::string_view not_found_words = "credentials not found";

void check_helper(const std::string& name) {
  const bool is_plain =
      !name.empty() && std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (is_plain) return;
  throw Error(ErrorKind::refused, fmt::format("'{}' is no name of a credential helper", printable(name, 60)),
              "a name has lower-case letters, digits and '-': docker-credential-NAME is run");
}

/// A string member, "" for anything else.
std::string text_of(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  return value != nullptr && value->is_string() ? value->string() : "";
}

std::optional<Login> login_of(const Value& entry) {
  if (!entry.is_table()) return std::nullopt;
  Login login{text_of(entry, "username"), text_of(entry, "password"), text_of(entry, "identitytoken")};
  if (const std::string encoded = text_of(entry, "auth"); !encoded.empty()) {
    std::string plain = decode_base64(trimmed(encoded)).value_or("");
    while (plain.ends_with('\0')) plain.pop_back();
    const std::size_t colon = plain.find(':');
    if (colon == std::string::npos) throw Error(ErrorKind::refused, "the \"auth\" of an entry is no user and password");
    login.user = plain.substr(0, colon);
    login.password = plain.substr(colon + 1);
  }
  if (login.is_anonymous()) return std::nullopt;
  return login;
}

/// parse_json() of a secret text, whose Errors may quote what they are about.
Value parse_secret_json(std::string_view text, std::string_view what) {
  try {
    Value value = parse_json(text);
    static_cast<void>(value.table());
    return value;
  } catch (const Error&) {
    throw Error(ErrorKind::refused, fmt::format("{} is no JSON object", what));
  }
}

std::optional<Login> find_in(const AuthFile& file, std::string_view name) {
  const std::vector<std::string> keys = credential_keys(name);
  for (const std::string& key : keys) {
    const auto helper = file.helpers.find(key);
    if (helper == file.helpers.end()) continue;
    return ask_helper(helper->second, key);
  }
  for (const std::string& key : keys) {
    if (const auto found = file.logins.find(key); found != file.logins.end()) return found->second;
  }
  if (file.store.empty()) return std::nullopt;
  return ask_helper(file.store, keys.front());
}

}  // namespace

AuthFile read_auth_file(std::string_view text) {
  AuthFile file;
  if (trimmed(text).empty()) return file;
  const Value document = parse_secret_json(text, "it");
  if (const Value* auths = document.find("auths"); auths != nullptr && auths->is_table()) {
    for (const auto& [key, entry] : auths->table()) {
      if (auto login = login_of(entry)) file.logins.emplace(key, std::move(*login));
    }
  }
  if (const Value* helpers = document.find("credHelpers"); helpers != nullptr && helpers->is_table()) {
    for (const auto& [key, helper] : helpers->table()) {
      if (!helper.is_string()) throw Error(ErrorKind::refused, "a credential helper has no name");
      check_helper(helper.string());
      file.helpers.emplace(key, helper.string());
    }
  }
  file.store = text_of(document, "credsStore");
  if (!file.store.empty()) check_helper(file.store);
  return file;
}

std::vector<fs::path> auth_files(const Environment& environment) {
  if (const auto named = environment("REGISTRY_AUTH_FILE")) return {*named};
  std::vector<fs::path> files;
  const auto home = environment("HOME");
  if (const auto folder = environment("DOCKER_CONFIG")) {
    files.push_back(fs::path(*folder) / "config.json");
  } else if (home) {
    files.push_back(fs::path(*home) / ".docker" / "config.json");
  }
  if (const auto runtime = environment("XDG_RUNTIME_DIR")) {
    files.push_back(fs::path(*runtime) / "containers" / "auth.json");
  }
  if (const auto settings = environment("XDG_CONFIG_HOME")) {
    files.push_back(fs::path(*settings) / "containers" / "auth.json");
  } else if (home) {
    files.push_back(fs::path(*home) / ".config" / "containers" / "auth.json");
  }
  return files;
}

std::optional<Login> ask_helper(const std::string& helper, const std::string& key, std::chrono::seconds patience) {
  check_helper(helper);
  const std::string program = "docker-credential-" + helper;
  const std::string hint = fmt::format(
      "'echo {} | {} get' shows what it says; a login without a helper is in \"auths\"", printable(key), program);
  Command command;
  command.arguments = {program, "get"};
  command.input = key + "\n";
  command.patience = patience;
  command.output_limit = helper_limit;
  const auto fail = [&](std::string_view what) -> Error {
    return {ErrorKind::failed, fmt::format("the credential helper {} {}", program, what), hint};
  };
  CommandResult result;
  try {
    result = run(command);
  } catch (const Error& error) {
    throw fail(error.kind() == ErrorKind::not_found ? "is not there" : "prints too much");
  }
  if (result.ending == Ending::out_of_patience) {
    throw fail(fmt::format("said nothing for {} seconds", patience.count()));
  }
  if (result.exit_code != 0) {
    const auto says_not_found = [](std::string_view text) {
      return text.find(not_found_words) != std::string_view::npos;
    };
    if (says_not_found(result.output) || says_not_found(result.errors)) return std::nullopt;
    throw fail(fmt::format("fails (exit code {})", result.exit_code));
  }
  try {
    const Value answer = parse_json(result.output);
    Login login{answer.at("Username").string(), answer.at("Secret").string(), ""};
    if (login.user == token_user) login = {"", "", login.password};
    return login;
  } catch (const Error&) {
    throw fail("prints something else than credentials");
  }
}

Login find_login(std::string_view name, const Environment& environment) {
  for (const fs::path& path : auth_files(environment)) {
    const auto text = read_text_file_if_exists(path, largest_credentials);
    if (!text) continue;
    const AuthFile file =
        in_context([&] { return "reading " + printable(path.native()); }, [&] { return read_auth_file(*text); });
    if (auto login = find_in(file, name)) return *login;
  }
  return {};
}

}  // namespace veneer::registry
