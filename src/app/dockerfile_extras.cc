#include "app/dockerfile_extras.hh"

#include <fmt/format.h>

#include <algorithm>

#include "app/start_command.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/toml.hh"
#include "python/name.hh"

namespace veneer::app {

namespace {

std::vector<std::string> names_in(const Value& table) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : table.table()) names.push_back(python::normalised_name(name));
  return names;
}

}  // namespace

void take_dockerfile_extras(build::BuildInputs& inputs, Messages& messages) {
  python::Project& project = inputs.project;
  const auto found = installed_by_dockerfile(inputs);
  if (!found) return;
  const Value document = parse_toml(read_text_file(project.folder / "pyproject.toml", python::largest_pyproject));
  const Value& own = document.table_or_empty("tool").table_or_empty("veneer");
  const auto place = [&](std::size_t line) { return fmt::format("{}:{}", printable(found->file), line); };
  for (const auto& member : found->installed.members) {
    const std::string name = python::normalised_name(member.value);
    if (name == project.name) continue;
    inputs.findings.push_back(fmt::format(
        "{}: it installs the member {} of the workspace; its image: --package {}, or package = \"{}\" in [tool.veneer]",
        place(member.line), printable(name), printable(name), printable(name)));
  }
  if (own.find("extras") != nullptr || own.find("groups") != nullptr) return;
  std::string taken;
  const auto take = [&](const std::string& kind, const std::vector<std::string>& known,
                        const owners::Located<std::string>& said, std::vector<std::string>& names) {
    const std::string name = python::normalised_name(said.value);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      inputs.findings.push_back(
          fmt::format("{}: the {} {} is not taken: the project has none", place(said.line), kind, printable(name)));
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
      taken += fmt::format("{}{} {} (:{})", taken.empty() ? "" : ", ", kind, printable(name), said.line);
    }
  };
  const auto extras = names_in(document.table_or_empty("project").table_or_empty("optional-dependencies"));
  const auto groups = names_in(document.table_or_empty("dependency-groups"));
  for (const auto& said : found->installed.extras) take("extra", extras, said, project.extras);
  if (found->installed.all_extras) {
    for (const std::string& name : extras) take("extra", extras, {name, found->installed.line}, project.extras);
  }
  for (const auto& said : found->installed.groups) {
    if (python::normalised_name(said.value) != "dev") take("group", groups, said, project.groups);
  }
  for (const auto& said : found->installed.unread) {
    inputs.findings.push_back(fmt::format("{}: {} is not taken: it is a variable; extras or groups in [tool.veneer]",
                                          place(said.line), printable(said.value)));
  }
  if (!taken.empty()) messages.note(fmt::format("installed as by {}: {}", printable(found->file), taken));
}

}  // namespace veneer::app
