// Finds the image whose layers a build keeps as far as it can: the one before.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/build_request.hh"
#include "app/surroundings.hh"
#include "build/image_builder.hh"
#include "image/reference.hh"
#include "python/project/git_checkout.hh"

namespace veneer::app {

/// What a build follows, and how it was found. A value.
struct PreviousImage {
  std::string name;                      // what may be written to mean it; empty when there is none
  std::string digest;                    // of its manifest
  std::string why;                       // how it was found, "the tag that is pushed to"; or why there is none
  std::vector<std::string> passed_over;  // what was looked at before and cannot be followed, with the reason
  std::optional<build::Previous> previous;

  /// That a repository of a registry has it: asked just now, and not of a mirror.
  struct Seen {
    image::Reference repository;
    std::string manifest;  // its text
  };
  std::optional<Seen> seen;
};

/// The first of these that can be read and carries a plan for this target: what the request names; what the project
/// names; the names that are pushed to; `latest` there; the newest git tag of the commit or of its ancestors there.
/// For builds into the project's store, with nothing to be pushed and without CI=true, the image that was built last
/// under this name. Layers may be taken from all but that one. What is named and is not there is warned of.
/// `folder` is the command's, `git` the project's checkout.
PreviousImage find_previous(const build::BuildInputs& inputs, const BuildRequest& request,
                            const std::optional<python::GitFolder>& git, const std::filesystem::path& folder,
                            Surroundings& surroundings);

/// "the image before: shop:1.0 sha256:..., because ...", or that there is none and why.
std::string previous_text(const PreviousImage& previous);

/// {"image", "manifest", "why", "passed_over": [...]}; the first two are null when there is none.
Value previous_value(const PreviousImage& previous);

}  // namespace veneer::app
