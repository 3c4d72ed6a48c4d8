// What a project stands on, as an image of its own: made, found again by the fingerprint of what it depends on, and
// compared with what the project wants now. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/build_session.hh"
#include "app/deploy_forecast.hh"
#include "app/open_image.hh"
#include "base/ingredients.hh"

namespace veneer::app {

struct BaseImage {
  std::string name;  // "shop-base:0123456789abcdef", in the project's store
  std::string fingerprint;
  image::SealedImage sealed;
  bool was_there = false;
};

/// Puts the base of `session` into the project's store and writes veneer.lock; the image that was built last stays so.
BaseImage store_base(const BuildSession& session, Surroundings& surroundings);

/// The ingredients in the label of a base image; nothing for an image without. Throws Error (refused).
std::optional<base::Ingredients> ingredients_in(const image::Image& image);

struct BaseStatus {
  std::string name;  // of the base image that the project wants: "shop-base:0123456789abcdef"
  std::string fingerprint;
  std::string compared;  // where what is there was read; empty: there is none
  std::vector<base::IngredientChange> changes;
  std::optional<DeployForecast> rebuild;  // of a stale one, to hosts that have what was built last

  bool is_fresh() const { return !compared.empty() && changes.empty(); }
};

/// Compares with `image`, which is a base image; none: the one that was made last here. Nothing is made, and nothing
/// contacted but for `image`. Throws Error (refused) for an image that is no base image of ours.
BaseStatus base_status(const BuildRequest& request, const WantedImage& image, deliver::Line line,
                       Surroundings& surroundings);

/// Fills in what `there`, a base image, was made of and the project `wanted` otherwise. Throws Error (refused) for an
/// image that is no base image of ours.
void compare_with(BaseStatus& status, const OpenedImage& there, const base::Ingredients& wanted);

/// The base image that the project wants now, from its store. Throws Error (not_found) when it was not made.
OpenedImage open_base(const BuildRequest& request, Surroundings& surroundings);

/// What a host that has `held` is sent when the layers of `base` in it are made anew, those that the changes reach.
DeployForecast forecast_rebuild(const OpenedImage& held, const image::Image& base,
                                const std::vector<base::IngredientChange>& changes, deliver::Line line);

}  // namespace veneer::app
