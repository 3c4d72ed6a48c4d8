#include "app/index_settings.hh"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/lock/requirements.hh"

namespace veneer::app {

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

std::optional<net::Credentials> credentials_of_name(std::string_view name, const Surroundings& surroundings) {
  if (name.empty()) return std::nullopt;
  const std::string prefix = "UV_INDEX_" + name_of_variable(name);
  const auto user = surroundings.environment(prefix + "_USERNAME");
  const auto password = surroundings.environment(prefix + "_PASSWORD");
  if (!user && !password) return std::nullopt;
  return net::Credentials{user.value_or(""), password.value_or("")};
}

/// "https://host/simple" or "corp=https://host/simple", of a variable.
python::PackageIndex index_of_text(std::string_view text, std::string_view variable) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.find_first_of(":/") < equals) {
    return {"", std::string(text), std::string(variable)};
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), std::string(variable)};
}

}  // namespace

std::vector<python::PackageIndex> indexes_of(const std::vector<std::string>& options) {
  std::vector<python::PackageIndex> indexes;
  for (const std::string& option : options) {
    const std::string place = python::place_of_index(option);
    if (place.find("${") == std::string::npos) indexes.push_back({"", place, option.substr(0, option.find(' '))});
  }
  return indexes;
}

python::IndexCredentials index_credentials(std::vector<python::PackageIndex> indexes, Surroundings& surroundings) {
  for (const char* name : {"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"}) {
    const std::string_view separators = std::string_view(name) == "UV_FIND_LINKS" ? "," : " \t\r\n";
    for (const std::string& text : split_words(surroundings.environment(name).value_or(""), separators)) {
      indexes.push_back(index_of_text(text, name));
    }
  }
  python::IndexCredentials result;
  for (const python::PackageIndex& index : indexes) {
    try {
      result.add(index.url, credentials_of_name(index.name, surroundings));
    } catch (const Error& error) {
      surroundings.messages().warning(fmt::format("{} is not used: {}", index.place, error.what()));
    }
  }
  return result;
}

}  // namespace veneer::app
