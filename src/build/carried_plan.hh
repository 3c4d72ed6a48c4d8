// The plan that an image carries for the next one: as an annotation of its manifest and, without counters and facts, as
// a label, which all engines and archives keep. Pure, thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "plan/application_split.hh"
#include "plan/plan_record.hh"
#include "python/target.hh"

namespace veneer::build {

/// Of the annotation and of the label.
inline constexpr std::string_view plan_name = "dev.veneer.plan";

/// The image before, as far as a build looks at it.
struct Previous {
  plan::PlanRecord record;
  std::vector<image::Layer> layers;           // of the image, bottom to top
  std::shared_ptr<const image::Blobs> blobs;  // of `layers`; null unless they are taken
  /// Whether what it says is believed: layers of equal keys are taken, and nothing is fetched to learn what it tells.
  enum class Layers { stay, are_taken, are_compared } use = Layers::stay;
  plan::ApplicationSplit split;  // of its application
};

/// Writes the record into annotation and label. What the label of files tells, which must be there before, is not told
/// again.
void carry_plan(image::Image& image, const plan::PlanRecord& record);

/// What the annotation says, else the label. Nothing when there is neither. Throws Error (refused) for what cannot be
/// read.
std::optional<plan::PlanRecord> carried_plan(const image::Image& image);

/// How the application is split, as its layers are called.
plan::ApplicationSplit carried_split(const image::Image& image);

plan::RecordedTarget recorded_target(const base::Base& base, const python::Target& target);

/// Why layers for `before` are of no use for `now`, "is for aarch64"; empty when they are.
std::string target_difference(const plan::RecordedTarget& before, const plan::RecordedTarget& now);

}  // namespace veneer::build
