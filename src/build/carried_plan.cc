#include "build/carried_plan.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "image/history.hh"

namespace veneer::build {

void carry_plan(image::Image& image, const plan::PlanRecord& record) {
  image.annotations[std::string(plan_name)] = plan::to_text(record);
  Value& run = image.config.run;
  const Value* old = run.find("Labels");
  Value labels = old != nullptr && !old->is_null() ? *old : Value(Value::Table{});
  labels.set(plan_name, plan::to_label(record));
  run.set("Labels", std::move(labels));
}

std::optional<plan::PlanRecord> carried_plan(const image::Image& image) {
  const auto annotation = image.annotations.find(std::string(plan_name));
  if (annotation != image.annotations.end()) return plan::read_plan_record(annotation->second);
  const Value& run = image.config.run;
  const Value* labels = run.is_table() ? run.find("Labels") : nullptr;
  const Value* label = labels != nullptr && labels->is_table() ? labels->find(plan_name) : nullptr;
  if (label == nullptr) return std::nullopt;
  return plan::read_plan_record(label->string());
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
