// What the selected wheels want of the system, and which Debian packages bring it. Pure but for the reading of wheels;
// thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/base.hh"
#include "image/cache/layer_cache.hh"
#include "plan/plan_record.hh"
#include "python/selection.hh"
#include "python/supply/wheel_supply.hh"
#include "python/wheel/needs.hh"

namespace veneer::build {

struct DistributionNeeds {
  std::string name;  // normalised
  python::WheelNeeds needs;
  /// Whether the image before had this wheel, and whether it alone tells of these needs.
  enum class Source { new_wheel, wheel, image_before } source = Source::new_wheel;
};

/// Of every package of `selection` that can be installed. Looked up in `cache` by what decides the wheel's bytes, then,
/// unless it is nullptr, in what the image `before` tells; wheels that are not known there are fetched (and built) and
/// read, `workers` at a time.
std::vector<DistributionNeeds> needs_of(const python::Selection& selection, const std::string& machine,
                                        python::WheelSupply& supply, const image::LayerCache& cache,
                                        std::size_t workers, const plan::PlanRecord* before);

/// A Debian package and why: "psycopg2 needs libpq.so.5".
struct PackageReason {
  std::string package;
  std::string why;

  bool operator==(const PackageReason&) const = default;
};

/// Sorted by package, each once.
struct SystemNeeds {
  std::vector<PackageReason> needed;    // compiled files cannot be loaded without them
  std::vector<PackageReason> proposed;  // are asked for at run time only
  /// "pyodbc needs libx.so.1": neither the base nor a wheel has it, and no package is known that does.
  std::vector<std::string> unknown;
};

/// Whether any of them may want something of the system.
bool want_something(const std::vector<DistributionNeeds>& distributions);

/// What `base`, a Debian `suite` (empty: no Debian that is known), lacks for `distributions`. Packages of which the
/// name is in `excluded` or `listed` (what the project names itself) are left out.
SystemNeeds system_needs(const std::vector<DistributionNeeds>& distributions, const tree::FileTree& base,
                         const std::string& suite, const std::vector<std::string>& listed,
                         const std::vector<std::string>& excluded);

}  // namespace veneer::build
