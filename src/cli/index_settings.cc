#include "cli/index_settings.hh"

#include <optional>
#include <string>

#include "foundation/text.hh"

namespace veneer::cli {

namespace {

/// "corp" in UV_INDEX_CORP_PASSWORD.
std::string name_of_variable(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    result += is_lower ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
  }
  return result;
}

std::optional<net::Credentials> credentials_of_name(std::string_view name, const Context& context) {
  if (name.empty()) return std::nullopt;
  const std::string prefix = "UV_INDEX_" + name_of_variable(name);
  const auto user = context.environment(prefix + "_USERNAME");
  const auto password = context.environment(prefix + "_PASSWORD");
  if (!user && !password) return std::nullopt;
  return net::Credentials{user.value_or(""), password.value_or("")};
}

/// "https://host/simple" or "corp=https://host/simple".
python::PackageIndex index_of_text(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.find_first_of(":/") < equals) return {"", std::string(text)};
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace

python::PackageIndex index_of_option(std::string_view option) {
  const std::size_t space = option.find(' ');
  return {"", std::string(space == std::string_view::npos ? "" : option.substr(space + 1))};
}

python::IndexCredentials index_credentials(std::vector<python::PackageIndex> indexes, const Context& context) {
  for (const char* name : {"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"}) {
    for (const std::string& text : split_words(context.environment(name).value_or(""), " \t\r\n")) {
      indexes.push_back(index_of_text(text));
    }
  }
  python::IndexCredentials result;
  for (const python::PackageIndex& index : indexes) result.add(index.url, credentials_of_name(index.name, context));
  return result;
}

}  // namespace veneer::cli
