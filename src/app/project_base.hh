// What the image of a project stands on: the base that is named or chosen, its Python, and Debian packages above it, as
// veneer.lock pins them. Lives while a build is being put together. One thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/base_pins.hh"
#include "app/base_workshop.hh"
#include "app/build_request.hh"
#include "app/image_python.hh"
#include "app/surroundings.hh"
#include "base/installed_packages.hh"
#include "base/mmdebstrap.hh"
#include "build/image_builder.hh"
#include "build/system_needs.hh"
#include "image/cache/layer_cache.hh"
#include "python/lock/read_lock.hh"
#include "python/project/base_target.hh"
#include "python/supply/uv_build.hh"
#include "python/supply/wheel_supply.hh"

namespace veneer::app {

class ProjectBase {
 public:
  struct Parts {
    build::BuildInputs& inputs;  // base, target and how its Python was chosen are filled in; findings are added
    const BuildRequest& request;
    const python::AnyLock& lock;  // beside which veneer.lock lies
    std::shared_ptr<image::LayerCache> cache;
    const python::UvProgram& uv;
    const std::filesystem::path& folder;  // where the command was called for
    Surroundings& surroundings;
  };
  /// Refers to its parts. Reads veneer.lock.
  explicit ProjectBase(Parts parts);

  /// Which base, platform and Python it is, so that pins() tells what is pinned of it; nothing is made or contacted.
  PythonInputs choose(python::SelectRequest selection);
  const BasePins& pins() const { return pins_; }
  const std::string& platform() const { return platform_; }

  /// Chooses, then finds base (which is made when it is not in the cache) and target; of `selection` the target is not
  /// looked at.
  void read(python::SelectRequest selection);

  /// What the wheels cannot do without is added to the base; what is missing in it then is said.
  void add_system_packages(python::WheelSupply& supply);

  /// Where uv builds what has compiled parts; nothing where that cannot be.
  std::shared_ptr<BaseWorkshop> workshop() const;

  /// Compares all that was taken with veneer.lock (see BasePins::take()), which is not written yet. The last call.
  BasePins settle();

 private:
  void make_debian_base(const image::Platform& platform);
  base::Base read_image_base(const python::BaseChoice& choice, const image::Platform& platform) const;
  base::DebianArchive archive() const;
  std::filesystem::path temporary_folder() const;
  static bool is_in_doubt(const std::vector<build::DistributionNeeds>& wheels);
  build::SystemNeeds needs_in_base(const std::vector<build::DistributionNeeds>& wheels) const;
  void add_packages(const std::vector<build::PackageReason>& needed);
  base::TargetFacts facts_of(const base::Base& base, const std::vector<python::FoundInterpreter>& found) const;
  std::vector<base::LockedFile> compared_files(const base::BaseFiles& files) const;

  build::BuildInputs& inputs_;
  const BuildRequest& request_;
  const python::AnyLock& lock_;
  std::shared_ptr<image::LayerCache> cache_;
  const python::UvProgram& uv_;
  const std::filesystem::path& folder_;
  Surroundings& surroundings_;
  Messages& messages_;
  BasePins pins_;
  std::string platform_;
  std::string snapshot_;                                 // of Debian's archive; may be empty
  std::vector<python::FoundInterpreter> pythons_;        // of the base
  std::size_t image_layers_ = 0;                         // of a base that is an image, before anything was added
  std::vector<base::InstalledPackage> before_packages_;  // what the base had before packages were added to it
};

}  // namespace veneer::app
