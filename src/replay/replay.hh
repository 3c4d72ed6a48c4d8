// What the same deploys cost under different layouts of the image. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "foundation/value.hh"
#include "replay/history.hh"

namespace veneer::replay {

/// Bytes by layout, compressed. Those of dependencies are as wheels are; nothing of the application and nothing of a
/// base is in them, but where it is said.
struct LayoutBytes {
  // Layouts that leave nothing to choose.
  std::uint64_t one_layer_always = 0;   // a layer that each build makes anew: the application and its .venv in one
  std::uint64_t seed_base_image = 0;    // a base image with the .venv, rebuilt when lock, pyproject.toml or its
                                        // Dockerfile changed, and with it 250 MB of system packages
  std::uint64_t deps_layer_by_set = 0;  // one layer for all dependencies, the same bytes for the same set
  std::uint64_t deps_layer_by_lock_bytes = 0;  // the same, made anew when lock or pyproject.toml changed
  std::uint64_t layer_per_wheel = 0;  // without a limit on layers: each new wheel once, the bound for the others
  // Layers grouped with a view to those before, within a limit.
  std::uint64_t veneer_blobs = 0;   // hosts and registries that reuse any layer
  std::uint64_t veneer_prefix = 0;  // hosts that reuse what lies below the lowest change, by a plain pull

  // The application's own files.
  std::uint64_t application_one_layer = 0;  // all of them, when one changed
  std::uint64_t application_prefix = 0;     // by plan::split_application(), above the dependencies, by a plain pull
  std::uint64_t application_blobs = 0;      // the same for hosts and registries that reuse any layer
  std::uint64_t application_changed = 0;    // each changed file once: the bound

  LayoutBytes& operator+=(const LayoutBytes& more);
  bool operator==(const LayoutBytes&) const = default;
};

struct Costs {
  std::string project;
  std::size_t set_changes = 0;       // deploys with another set than the one before
  std::vector<LayoutBytes> brought;  // by each deploy that has a lock, oldest first; nothing by the first
  LayoutBytes total;
  std::size_t wheels = 0;        // different files of distributions
  std::size_t estimated = 0;     // of those: no lock says their size
  bool has_application = false;  // else its bytes are not known

  std::size_t deploys() const { return brought.size(); }
};

/// Throws Error (refused) for a cap of 0.
Costs replay(const History& history, std::size_t cap);

/// {"name","deploys","set_changes","bound","layouts":{"one_layer_always",…},"veneer":{"blobs","prefix"},"wheels",
/// "estimated"} and, where it is known, "application":{"one_layer","prefix","blobs","changed"}.
Value to_value(const Costs& costs);

}  // namespace veneer::replay
