#include "plan/layer_budget.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/layer_limit.hh"

namespace veneer::plan {

namespace {

constexpr const char* hint =
    "use a base of fewer layers: another image, or this one in a single layer (docker export, docker import); "
    "debian:SUITE has two";

}  // namespace

std::size_t share_layers(const LayerDemand& demand) {
  if (demand.base > mountable_layers) {
    throw Error(
        ErrorKind::refused,
        fmt::format("the base has {} layers, more than the {} that engines can mount", demand.base, mountable_layers),
        hint);
  }
  const std::size_t left = mountable_layers - demand.base;
  const std::size_t own = demand.interpreter + demand.own;
  const std::size_t least = own + (demand.distributions > 0 ? 1 : 0);
  if (left < least) {
    throw Error(ErrorKind::refused,
                fmt::format("the base has {} of the {} layers that engines can mount; {} left, the image needs {}",
                            demand.base, mountable_layers, left == 1 ? "1 is" : fmt::format("{} are", left), least),
                hint);
  }
  if (demand.distributions == 0) return 0;
  return std::clamp<std::size_t>(demand.dependency_layers, 1, left - own);
}

}  // namespace veneer::plan
