#include "base/known_libraries.hh"

#include <algorithm>
#include <array>
#include <map>

#include "foundation/text.hh"

namespace veneer::base {

namespace {

constexpr std::string_view library_table =
#include <libraries.inc>
    ;
constexpr std::string_view wrapper_table =
#include <wrappers.inc>
    ;

constexpr std::array<std::string_view, 3> suites = {"bookworm", "trixie", "forky"};
constexpr std::string_view none = "-";
constexpr std::array<std::string_view, 4> drivers = {"libcuda.so", "libnvidia-", "libnvcuvid.so", "libnvoptix.so"};

std::vector<std::vector<std::string>> rows_of(std::string_view table) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split_words(table, "\n")) {
    if (!line.starts_with('#')) rows.push_back(split_words(line, " "));
  }
  return rows;
}

const std::map<std::string, std::vector<std::string>, std::less<>>& libraries() {
  static const auto all = [] {
    std::map<std::string, std::vector<std::string>, std::less<>> result;
    for (std::vector<std::string>& row : rows_of(library_table))
      result.emplace(row[0], std::vector<std::string>(row.begin() + 1, row.end()));
    return result;
  }();
  return all;
}

}  // namespace

std::optional<std::string> package_of_library(std::string_view suite, std::string_view soname) {
  const auto column = std::find(suites.begin(), suites.end(), suite) - suites.begin();
  const auto row = libraries().find(soname);
  if (static_cast<std::size_t>(column) == suites.size() || row == libraries().end()) return std::nullopt;
  const std::vector<std::string>& packages = row->second;
  const std::string& package = packages.at(std::min(static_cast<std::size_t>(column), packages.size() - 1));
  return package == none ? std::nullopt : std::optional(package);
}

std::optional<std::string> soname_asked_for(std::string_view suite, std::string_view name) {
  std::string start(name);
  if (!start.starts_with("lib")) start = "lib" + start;
  if (start.find(".so") == std::string::npos) start += ".so";
  for (auto row = libraries().lower_bound(start); row != libraries().end() && row->first.starts_with(start); ++row) {
    const bool is_it = row->first.size() == start.size() || row->first[start.size()] == '.';
    if (is_it && package_of_library(suite, row->first)) return row->first;
  }
  return std::nullopt;
}

bool is_of_the_host(std::string_view soname) {
  return std::any_of(drivers.begin(), drivers.end(), [&](std::string_view name) { return soname.starts_with(name); });
}

std::vector<UsedBySystem> used_by(std::string_view name) {
  static const std::vector<std::vector<std::string>> rows = rows_of(wrapper_table);
  std::vector<UsedBySystem> result;
  for (const std::vector<std::string>& row : rows) {
    if (row[0] != name) continue;
    if (row[1].starts_with("lib:")) {
      result.push_back({"", "", row[1].substr(4)});
    } else {
      result.push_back({row[1], row.at(2), ""});
    }
  }
  return result;
}

}  // namespace veneer::base
