#include "python/project/secret.hh"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/parallel.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

bool is_environment_file(std::string_view name) {
  if (name == ".env") return true;
  constexpr std::array<std::string_view, 3> harmless = {".example", ".sample", ".template"};
  return name.starts_with(".env.") &&
         std::none_of(harmless.begin(), harmless.end(), [&](std::string_view end) { return name.ends_with(end); });
}

bool is_ssh_key(std::string_view name) {
  return name == "id_rsa" || name == "id_dsa" || name == "id_ecdsa" || name == "id_ed25519";
}

/// "-----BEGIN RSA PRIVATE KEY-----" and its like (RFC 7468; OpenSSH and PGP write the same frame).
bool has_pem_key(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN ";
  for (std::size_t at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
    const std::string_view label = text.substr(at + begin.size(), 60);
    if (label.substr(0, label.find("-----")).find("PRIVATE KEY") != std::string_view::npos) return true;
  }
  return false;
}

/// DER: a sequence that begins with a version of 0 or 1 and goes on with what a private key goes on with: the modulus
/// (PKCS #1), the algorithm (PKCS #8), or the key itself (SEC 1).
bool is_der_key(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U; };
  if (byte(0) != 0x30) return false;
  const std::size_t at = byte(1) < 0x80 ? 2 : 2 + (byte(1) & 0x7FU);
  if (byte(at) != 2 || byte(at + 1) != 1 || byte(at + 2) > 1) return false;
  return byte(at + 3) == 0x02 || byte(at + 3) == 0x30 || byte(at + 3) == 0x04;
}

/// The text of a member, if it looks like what a program made: translations have such keys, too.
std::string_view token(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  if (value == nullptr || !value->is_string()) return {};
  const std::string_view text = value->string();
  return text.size() >= 8 && text.find_first_of(" \t") == std::string_view::npos ? text : std::string_view();
}

bool has_token(const Value& table, std::string_view key) { return !token(table, key).empty(); }

bool is_cloud_table(const Value& table) {
  const Value* key = table.find("private_key");
  if (key != nullptr && key->is_string() && has_pem_key(key->string())) return true;
  if (has_token(table, "refresh_token") && has_token(table, "client_secret")) return true;
  if (has_token(table, "client_secret") && (has_token(table, "token_uri") || has_token(table, "auth_uri"))) return true;
  if (has_token(table, "SecretAccessKey") || has_token(table, "aws_secret_access_key")) return true;
  const bool is_azure = (has_token(table, "clientSecret") && has_token(table, "clientId")) ||
                        (has_token(table, "client_secret") && has_token(table, "client_id")) ||
                        (has_token(table, "password") && has_token(table, "appId"));
  return is_azure && (has_token(table, "tenantId") || has_token(table, "tenant_id") || has_token(table, "tenant"));
}

/// Whatever else the document holds, they lie at its top or in one of its tables ({"AccessKey": {...}}).
bool has_cloud_credentials(const std::string& text) {
  constexpr std::array<std::string_view, 6> keys = {"private_key",           "client_secret", "SecretAccessKey",
                                                    "aws_secret_access_key", "clientSecret",  "appId"};
  if (text.size() > largest_credentials) return false;
  if (std::none_of(keys.begin(), keys.end(), [&](auto key) { return text.find(key) != std::string::npos; }))
    return false;
  try {
    const Value document = parse_json(text);
    if (!document.is_table()) return false;
    if (is_cloud_table(document)) return true;
    return std::any_of(document.table().begin(), document.table().end(),
                       [](const auto& member) { return member.second.is_table() && is_cloud_table(member.second); });
  } catch (const Error&) {
    return false;
  }
}

std::string start_of(const fs::path& path) {
  const File file(path);
  std::string text(std::min<std::uint64_t>(file.size(), secret_start), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

std::string_view secret_of(std::string_view path, const std::function<std::string()>& start) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (is_environment_file(name)) return "an environment file";
  if (is_ssh_key(name)) return "a key of ssh";
  if (name == ".netrc" || name == ".pypirc") return "passwords of servers";
  if (name.ends_with(".pem") || name.ends_with(".key")) {
    const std::string text = start();
    if (has_pem_key(text) || is_der_key(text)) return "a private key";
  }
  if (name.ends_with(".json") && has_cloud_credentials(start())) return "credentials of a cloud";
  return {};
}

std::vector<Secret> secrets_among(const fs::path& root, const std::vector<std::string>& paths) {
  std::vector<std::string_view> kinds(paths.size());
  parallel_for(paths.size(), default_workers(), [&](std::size_t i) { kinds[i] = file_secret(root, paths[i]); });
  std::vector<Secret> secrets;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!kinds[i].empty()) secrets.push_back({paths[i], kinds[i]});
  }
  return secrets;
}

std::string_view file_secret(const fs::path& root, std::string_view path) {
  const fs::path full = root / path;
  return secret_of(path, [&]() -> std::string {
    std::error_code error;
    if (fs::symlink_status(full, error).type() != fs::file_type::regular) return {};
    if (path.ends_with(".json") && fs::file_size(full, error) > largest_credentials) return {};
    return start_of(full);
  });
}

}  // namespace veneer::python
