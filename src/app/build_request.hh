// What is to be built. Values.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "foundation/parallel.hh"
#include "image/image.hh"
#include "image/reference.hh"
#include "plan/fixed_plan.hh"
#include "python/project/project.hh"
#include "python/supply/wheel_supply.hh"

namespace veneer::app {

/// Whether a lock that is not what pyproject.toml asks for is refused, or taken as it stands.
enum class StaleLocks { refused, taken };

enum class ByteCode { as_the_project_says, made, left_out };

/// What is done with veneer.lock.
enum class BaseLockUse {
  kept,     // what it pins is taken as far as it can be had; what a build took is written
  strict,   // what it pins is taken, and nothing else
  ignored,  // neither read nor written
  renewed,  // nothing of it is taken; it is written anew
};

/// Whether what veneer.lock says of a base is compared with what its files say now, all of which are read.
enum class BaseFacts { as_known, verified };

/// Where the image goes: into the project's store, or to another place alone.
enum class Destination { store, elsewhere };

/// Whether layers may be taken from the image before, or are made all the same and compared with it.
enum class PreviousLayers { taken, verified };

struct BuildRequest {
  std::filesystem::path project = ".";        // the folder with pyproject.toml
  std::optional<std::filesystem::path> lock;  // none: that of the project or its workspace
  StaleLocks stale_locks = StaleLocks::refused;
  std::optional<python::BaseChoice> base;   // none: what the project says, else Debian
  std::optional<image::Platform> platform;  // none: this machine's
  std::optional<std::string> python;        // which interpreter of the base
  std::vector<std::string> extras;          // normalised; beside those that the project names
  std::vector<std::string> groups;
  std::vector<std::string> entrypoint;  // what the image starts; both empty: what the project says
  std::vector<std::string> cmd;
  std::optional<std::string> package;  // a member of the workspace, normalised
  python::SourceBuilds source_builds = python::SourceBuilds::allowed;
  python::Strictness strictness = python::Strictness::tolerant;
  std::optional<std::size_t> dependency_layers;  // at most this many; none: what the project says
  ByteCode byte_code = ByteCode::as_the_project_says;
  BaseLockUse base_lock = BaseLockUse::kept;
  BaseFacts base_facts = BaseFacts::as_known;
  std::optional<std::string> previous;      // the image before: an IMAGE or "none"; none: see find_previous()
  std::vector<image::Reference> pushed_to;  // the names that the image gets in a registry
  std::optional<plan::FixedPlan> plan;      // that is to be carried out as it stands
  Destination destination = Destination::store;
  PreviousLayers previous_layers = PreviousLayers::taken;
  /// One more than there are cores: what each of them makes ends with waiting until it is on the disk.
  std::size_t workers = default_workers() + 1;
};

}  // namespace veneer::app
