#include "app/dockerfile_extras.hh"

#include <fmt/format.h>

#include "app/start_command.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "foundation/toml.hh"
#include "python/name.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace {

std::vector<std::string> names_in(const Value& table) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : table.table()) names.push_back(python::normalised_name(name));
  return names;
}

/// Of what uv installs beside a project's dependencies.
struct Kind {
  const char* name;
  std::vector<std::string> known;  // that the project has
  std::vector<std::string> left;   // that are not to be taken
  std::vector<std::string>& chosen;
};

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
  const owners::Installed& installed = found->installed;
  std::string taken;
  const auto take = [&](const Kind& kind, const owners::Located<std::string>& said) {
    const std::string name = python::normalised_name(said.value);
    if (contains(kind.left, name)) return;
    if (!contains(kind.known, name)) {
      inputs.findings.push_back(fmt::format("{}: the {} {} is not taken: the project has none", place(said.line),
                                            kind.name, printable(name)));
    } else if (!contains(kind.chosen, name)) {
      kind.chosen.push_back(name);
      taken += fmt::format("{}{} {} (:{})", taken.empty() ? "" : ", ", kind.name, printable(name), said.line);
    }
  };
  const Kind extras{"extra", names_in(document.table_or_empty("project").table_or_empty("optional-dependencies")),
                    python::normalised_names(installed.no_extras), project.extras};
  for (const auto& said : installed.extras) take(extras, said);
  if (installed.all_extras) {
    for (const std::string& name : extras.known) take(extras, {name, *installed.all_extras});
  }
  Kind groups{"group", names_in(document.table_or_empty("dependency-groups")),
              python::normalised_names(installed.no_groups), project.groups};
  groups.left.emplace_back("dev");
  for (const auto& said : installed.groups) take(groups, said);
  const auto defaults = python::read_default_groups(project.folder);  // none: all
  const auto all = installed.all_groups ? installed.all_groups : defaults ? std::nullopt : installed.default_groups;
  if (all) {
    for (const std::string& name : groups.known) take(groups, {name, *all});
  } else if (installed.default_groups) {
    for (const std::string& name : *defaults) take(groups, {name, *installed.default_groups});
  }
  if (installed.alone) {
    inputs.findings.push_back(
        fmt::format("{}: it installs groups without the project; the image has the project and its dependencies, too",
                    place(*installed.alone)));
  }
  for (const auto& said : installed.unread) {
    inputs.findings.push_back(fmt::format("{}: {} is not taken: it is a variable; extras or groups in [tool.veneer]",
                                          place(said.line), printable(said.value)));
  }
  if (!taken.empty()) messages.note(fmt::format("installed as by {}: {}", printable(found->file), taken));
}

}  // namespace veneer::app
