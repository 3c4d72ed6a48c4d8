#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "foundation/text.hh"
#include "start/command.hh"
#include "start/plain_path.hh"

namespace veneer::start {

std::string Places::at(const std::string& path) const { return plain_path(std::filesystem::path(workdir) / path); }

std::optional<std::string> Places::in_project(const Inputs& inputs, const std::string& path) const {
  const std::string full = at(path);
  for (const python::FileRule& rule : files) {
    std::string rest;
    if (full == rule.to) {
      rest = "";
    } else if (rule.to == "/") {
      rest = full.substr(1);
    } else if (full.starts_with(rule.to + "/")) {
      rest = full.substr(rule.to.size() + 1);
    } else {
      continue;
    }
    std::string name = plain_path(std::filesystem::path(rule.from) / rest);
    if (name == ".") return name;
    if (inputs.has_file(name) || inputs.has_folder(name)) return name;
  }
  // The folder in which things lie side by side.
  for (const python::FileRule& rule : files) {
    if (rule.to.starts_with(full == "/" ? full : full + "/") &&
        rule.to.substr(full == "/" ? 1 : full.size() + 1) == rule.from)
      return ".";
  }
  return std::nullopt;
}

std::optional<std::string> Places::on_path(const Inputs& inputs, std::string_view program,
                                           std::string_view path) const {
  for (const std::string& folder : split_words(path, ":")) {
    if (!folder.starts_with('/')) continue;
    std::string full = fmt::format("{}/{}", folder == "/" ? "" : folder, program);
    const auto file = in_project(inputs, full);
    if (file && inputs.has_file(*file)) return full;
  }
  return std::nullopt;
}

std::optional<std::string> Places::module_in(const Inputs& inputs, const std::string& folder,
                                             std::string_view module) const {
  std::string path = folder + "/";
  std::replace_copy(module.begin(), module.end(), std::back_inserter(path), '.', '/');
  for (const char* end : {".py", "/__init__.py", ""}) {
    if (auto found = in_project(inputs, path + end)) return found;
  }
  return std::nullopt;
}

std::vector<python::FileRule> at_workdir(std::vector<python::FileRule> rules, const std::string& workdir) {
  for (python::FileRule& rule : rules) rule.to = (workdir == "/" ? "" : workdir) + "/" + rule.to;
  return rules;
}

}  // namespace veneer::start
