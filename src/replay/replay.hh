// What the same deploys cost under different layouts of the image. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/value.hh"
#include "replay/history.hh"

namespace veneer::replay {

/// Bytes of dependencies that all deploys but the first bring, compressed as wheels are. Nothing of the application and
/// nothing of a base is in it, but where it is said.
struct Costs {
  std::string project;
  std::size_t deploys = 0;  // those with a lock
  std::size_t set_changes = 0;
  /// Each new wheel once: no layout of whole layers can do with less.
  std::uint64_t bound = 0;
  /// Layouts that leave nothing to choose, by name.
  std::uint64_t one_layer_always = 0;   // a layer that each build makes anew: the application and its .venv in one
  std::uint64_t seed_base_image = 0;    // a base image with the .venv, rebuilt when lock, pyproject.toml or its
                                        // Dockerfile changed, and with it 250 MB of system packages
  std::uint64_t deps_layer_by_set = 0;  // one layer for all dependencies, the same bytes for the same set
  std::uint64_t deps_layer_by_lock_bytes = 0;  // the same, made anew when lock or pyproject.toml changed
  std::uint64_t layer_per_wheel = 0;           // without a limit on layers
  /// The layers that veneer makes, with at most `cap` for dependencies.
  std::uint64_t veneer_blobs = 0;   // hosts and registries that reuse any layer
  std::uint64_t veneer_prefix = 0;  // hosts that reuse what lies below the lowest change, by a plain pull
};

/// Throws Error (refused) for a cap of 0.
Costs replay(const History& history, std::size_t cap);

/// {"name","deploys","set_changes","bound","layouts":{"one_layer_always",…},"veneer":{"blobs","prefix"}}
Value to_value(const Costs& costs);

}  // namespace veneer::replay
