#include "build/carried_plan.hh"

#include <fmt/format.h>

#include "build/recorded_facts.hh"
#include "foundation/error.hh"
#include "image/files_label.hh"
#include "image/history.hh"
#include "image/run_config.hh"
#include "python/supply/wheel_supply.hh"

namespace veneer::build {

namespace {

image::InstalledFiles files_of(const image::Image& image) {
  return image::read_files_label(image::label_of(image.config, image::files_label));
}

/// What stands for the wheel of a member, as the label of files says it; empty where that says none.
std::string mark_of(const image::InstalledFiles& files, const std::string& name) {
  const auto found = files.distributions.find(name);
  if (found == files.distributions.end() || found->second.kind != image::InstalledFile::Kind::wheel) return {};
  return wheel_mark(python::wheel_identity(FileHash{found->second.sha256}));
}

}  // namespace

void carry_plan(image::Image& image, const plan::PlanRecord& record) {
  const image::InstalledFiles files = files_of(image);
  plan::PlanRecord annotated = record;
  for (auto& known : annotated.facts) {
    if (known.second.wheel == mark_of(files, known.first.name)) known.second.wheel.clear();
  }
  image.annotations[std::string(plan_name)] = plan::to_text(annotated);
  Value& run = image.config.run;
  const Value* old = run.find("Labels");
  Value labels = old != nullptr && !old->is_null() ? *old : Value(Value::Table{});
  labels.set(plan_name, plan::to_label(record, image::names_of(files)));
  run.set("Labels", std::move(labels));
}

std::optional<plan::PlanRecord> carried_plan(const image::Image& image) {
  const image::InstalledFiles files = files_of(image);
  const auto annotation = image.annotations.find(std::string(plan_name));
  if (annotation == image.annotations.end()) {
    const std::string label = image::label_of(image.config, plan_name);
    if (label.empty()) return std::nullopt;
    return plan::read_plan_record(label, image::names_of(files));
  }
  plan::PlanRecord record = plan::read_plan_record(annotation->second);
  for (auto& [member, facts] : record.facts) {
    if (facts.wheel.empty()) facts.wheel = mark_of(files, member.name);
  }
  return record;
}

plan::ApplicationSplit carried_split(const image::Image& image) {
  constexpr std::string_view mark = "veneer: application ";
  plan::ApplicationSplit split;
  for (const image::LayerHistory& layer : image::history_of_layers(image.config.history, image.layers.size())) {
    if (!layer.is_certain || !layer.created_by.starts_with(mark)) continue;
    if (auto part = plan::read_part_title(layer.created_by.substr(mark.size()))) split.push_back(std::move(*part));
  }
  return split;
}

plan::RecordedTarget recorded_target(const base::Base& base, const python::Target& target) {
  return {.base = base.layers.empty() ? "" : image::chain_ids(base.layers).back().text(),
          .machine = target.machine,
          .libc = fmt::format("{}-{}.{}", target.libc.kind == python::LibcKind::glibc ? "glibc" : "musl",
                              target.libc.major, target.libc.minor),
          .python = target.full_version,
          .interpreter = target.interpreter};
}

std::string target_difference(const plan::RecordedTarget& before, const plan::RecordedTarget& now) {
  if (before.machine != now.machine)
    return fmt::format("is for {}, not for {}", printable(before.machine), now.machine);
  const auto kind = [](const plan::RecordedTarget& target) { return target.libc.substr(0, target.libc.find('-')); };
  if (kind(before) != kind(now)) return fmt::format("is for {}, not for {}", printable(before.libc), now.libc);
  return {};
}

}  // namespace veneer::build
