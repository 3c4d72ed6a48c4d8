// What building and planning have in common: from a request and the project's folder to a planned build. Lives as long
// as the command.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "app/base_pins.hh"
#include "app/base_workshop.hh"
#include "app/build_request.hh"
#include "app/previous_image.hh"
#include "app/surroundings.hh"
#include "build/image_builder.hh"
#include "foundation/error.hh"
#include "image/cache/layer_cache.hh"
#include "net/download.hh"
#include "net/http.hh"
#include "python/lock/read_lock.hh"
#include "python/project/git_checkout.hh"
#include "python/supply/uv_build.hh"
#include "python/supply/wheel_supply.hh"
#include "start/rules.hh"

namespace veneer::app {

class BuildSession {
 public:
  /// Reads project, lock and base (which is made when it is not in the cache), selects, and plans.
  BuildSession(const BuildRequest& request, Surroundings& surroundings);

  const build::BuildInputs& inputs() const { return inputs_; }
  const start::Decision& start() const { return start_; }
  const build::BuildPlan& plan() const { return plan_; }
  image::SealedImage expected() const { return builder_->expected(plan_); }
  build::BuiltImage build() { return builder_->build(plan_); }
  const std::shared_ptr<image::LayerCache>& cache() const { return cache_; }
  net::DownloadStatistics download_statistics() const { return downloads_->statistics(); }
  std::string image_name() const { return plan_.image_name + ":" + plan_.image_tag; }

  /// Of the project's checkout, shortened; with "-dirty" when the work tree differs from it. Empty when there is none.
  const std::string& commit() const { return commit_; }

  /// Where the command was called for: images that are built lie below it.
  const std::filesystem::path& folder() const { return folder_; }

  /// What the layers follow.
  const PreviousImage& previous() const { return previous_; }

  /// What veneer.lock says of the base. It is to be written when the image is where it should be.
  const BasePins& pins() const { return *pins_; }

 private:
  void choose_start(const BuildRequest& request, Surroundings& surroundings,
                    const std::function<void(const std::string&)>& progress);
  void make_byte_compiler(const BuildRequest& request, Surroundings& surroundings);
  python::SelectRequest select_request(const BuildRequest& request) const;
  void read_selection(const BuildRequest& request);
  void read_git(Surroundings& surroundings);
  void read_files();

  build::BuildInputs inputs_;
  start::Decision start_;
  std::string commit_;
  std::filesystem::path folder_;
  std::filesystem::path lock_path_;
  std::unique_ptr<const python::AnyLock> lock_;
  std::shared_ptr<image::LayerCache> cache_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<net::Downloads> downloads_;
  std::unique_ptr<python::BuiltWheels> built_wheels_;
  std::unique_ptr<build::ByteCompiler> byte_compiler_;
  std::optional<BasePins> pins_;
  PreviousImage previous_;
  std::shared_ptr<BaseWorkshop> workshop_;  // none where there can be none
  python::GitCheckouts checkouts_;
  python::UvProgram uv_;
  std::unique_ptr<python::WheelSupply> supply_;
  std::unique_ptr<build::ImageBuilder> builder_;
  build::BuildPlan plan_;
};

}  // namespace veneer::app
