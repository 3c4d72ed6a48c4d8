// Which images that veneer brought for a live name go from a host when a rollout ends: decided before it begins, of
// what the host says. The host only takes away what it is told, and nothing that a container has by then. Pure;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deliver/receiver/engine_name.hh"
#include "deliver/rollout/history.hh"

namespace veneer::deliver {

struct NamedImage {
  EngineName name;
  std::string id;  // hexadecimal

  auto operator<=>(const NamedImage&) const = default;
};

/// That a container, running or not, is made of an image.
struct ImageUse {
  std::string image;  // hexadecimal
  std::string group;  // of the live name for which it does nothing but hold the image; empty: it is somebody's
};

struct RetentionFacts {
  std::vector<Release> releases;   // oldest first
  std::vector<NamedImage> images;  // all names of the images that there are in the live name's repository
  std::vector<ImageUse> uses;
  std::string live;      // identifier of what the live name stands for; empty: nothing
  std::string way_back;  // identifier; empty: there is none
};

struct RetentionWishes {
  EngineName live_name;
  std::string image;  // that is brought into service; an identifier
  std::uint64_t keep = 5;
  std::uint64_t keep_failed = 1;
};

/// Only names that veneer gave are in it.
struct Retention {
  std::vector<NamedImage> shipped;     // there, and in no release: to be written down, since later ones are told by it
  std::vector<NamedImage> after_well;  // that go when the image is well
  std::vector<NamedImage> after_back;  // that go when the one before it serves again
};

/// The last `keep` images stay that were well, or shipped and not brought into service; of the others that were, the
/// last `keep_failed`. None goes that a container is made of, that the live name stands for, that is the way back, that
/// is being brought into service, or that came after the last rollout (it is not in the history).
Retention plan_retention(const RetentionFacts& facts, const RetentionWishes& wishes);

}  // namespace veneer::deliver
