// What `build` and `plan` have in common: from the command line and the project's folder to a planned build. Called by
// these commands. Lives as long as the command.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <variant>

#include "build/image_builder.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "image/cache/layer_cache.hh"
#include "net/download.hh"
#include "net/http.hh"
#include "python/lock/pylock.hh"
#include "python/lock/requirements.hh"
#include "python/lock/uv_lock.hh"
#include "python/supply/uv_build.hh"
#include "python/supply/wheel_supply.hh"

namespace veneer::cli {

/// Options that choose what is built.
const std::vector<Option>& build_options();

class BuildSession {
 public:
  /// Reads project, lock and base (which is made when it is not in the cache), selects, and plans.
  BuildSession(const Arguments& arguments, Context& context);

  const build::BuildInputs& inputs() const { return inputs_; }
  const build::BuildPlan& plan() const { return plan_; }
  image::SealedImage expected() const { return builder_->expected(plan_); }
  build::BuiltImage build() { return builder_->build(plan_); }
  const std::shared_ptr<image::LayerCache>& cache() const { return cache_; }
  net::DownloadStatistics download_statistics() const { return downloads_->statistics(); }
  std::string image_name() const { return plan_.image_name + ":" + plan_.image_tag; }

  /// Where the command was called for: images that are built lie below it.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void read_lock(const Arguments& arguments, const Context& context);
  void choose_project(const std::optional<python::Project>& own, const Arguments& arguments);
  void read_base(const image::Platform& platform, Context& context);
  void make_byte_compiler(const Arguments& arguments, Context& context);
  void read_selection(const Arguments& arguments);
  void read_git(Context& context);

  build::BuildInputs inputs_;
  std::filesystem::path folder_;
  std::filesystem::path lock_path_;
  std::variant<python::Lock, python::Pylock, python::RequirementsFile> lock_;
  std::shared_ptr<image::LayerCache> cache_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<net::Downloads> downloads_;
  std::unique_ptr<python::BuiltWheels> built_wheels_;
  std::unique_ptr<build::ByteCompiler> byte_compiler_;
  python::UvProgram uv_;
  std::unique_ptr<python::WheelSupply> supply_;
  std::unique_ptr<build::ImageBuilder> builder_;
  build::BuildPlan plan_;
};

/// Builds the project of the current folder into its store, as `veneer build` does. What it returns stays whole
/// whatever is built there after it.
OpenedImage build_into_store(const Arguments& arguments, Context& context);

}  // namespace veneer::cli
