// What an image's configuration says of its processes' environment, and its labels. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "image/image.hh"

namespace veneer::image {

/// The value of a variable in "Env"; empty when it is not set.
std::string environment_variable(const RunConfig& config, std::string_view name);

/// The label `name`; empty when there is none.
std::string label_of(const RunConfig& config, std::string_view name);

/// Its PATH, or the one that engines give to images without.
std::string search_path(const RunConfig& config);

}  // namespace veneer::image
