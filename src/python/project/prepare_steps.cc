#include "python/project/prepare_steps.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "python/project/project_values.hh"

namespace veneer::python {

namespace {

PrepareStep read_step(const Value& item, const std::string& place) {
  const StrictTable table(item, "[[tool.veneer.prepare]] " + place, {"command", "outputs", "env", "inputs"});
  PrepareStep step;
  step.command = table.texts("command");
  if (step.command.empty() || step.command[0].empty())
    table.refuse("command", "is missing", R"(for example ["python", "manage.py", "collectstatic", "--noinput"])");
  for (const std::string& path : table.texts("outputs")) step.outputs.push_back(image_path(table, "outputs", path));
  if (step.outputs.empty()) table.refuse("outputs", "is missing", R"(for example ["/app/static"])");
  std::sort(step.outputs.begin(), step.outputs.end());
  for (const std::string& path : step.outputs) {
    for (const std::string& other : step.outputs) {
      if (&path != &other && (path == other || other.starts_with(path + "/")))
        table.refuse("outputs", fmt::format("{} lies in {}", printable(other), printable(path)));
    }
  }
  step.environment = variables(table, "env");
  if (table.find("inputs") != nullptr) {
    step.inputs.emplace();
    for (const std::string& path : table.texts("inputs")) step.inputs->push_back(source_path(table, "inputs", path));
  }
  return step;
}

}  // namespace

std::vector<PrepareStep> read_prepare_steps(const StrictTable& veneer) {
  std::vector<PrepareStep> steps;
  veneer.each_table("prepare", [&](const Value& item, const std::string& place) {
    if (steps.size() == most_prepare_steps)
      veneer.refuse("prepare", fmt::format("has more than {} steps", most_prepare_steps));
    steps.push_back(read_step(item, place));
  });
  return steps;
}

}  // namespace veneer::python
