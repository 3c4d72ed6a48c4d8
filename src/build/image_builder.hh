// From a project and what it needs to an image: which layers, made or taken from the cache, sealed. The heart of
// `veneer build` and `veneer plan`. One builder belongs to one thread; it starts more for the layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base.hh"
#include "build/account.hh"
#include "build/application.hh"
#include "build/application_parts.hh"
#include "build/byte_code.hh"
#include "build/carried_plan.hh"
#include "build/installed_wheels.hh"
#include "build/system_needs.hh"
#include "foundation/sandbox.hh"
#include "image/cache/layer_cache.hh"
#include "image/image.hh"
#include "plan/fixed_plan.hh"
#include "plan/layout.hh"
#include "python/project/project.hh"
#include "python/project/python_choice.hh"
#include "python/selection.hh"
#include "python/supply/wheel_supply.hh"
#include "python/target.hh"
#include "python/wheel/install.hh"
#include "python/wheel/overlap.hh"

namespace veneer::build {

struct BuildInputs {
  python::Project project;
  std::filesystem::path workspace;  // the folder of its root; empty: the project is no member of one
  base::Base base;
  python::Target target;
  python::PythonChoice python_choice;  // how the target's Python was chosen
  python::Selection selection;
  std::string prefix = "/app/.venv";
  std::int64_t created = 0;  // seconds since 1970: the time of the commit
  std::string revision;      // of the commit; empty when there is none or the work tree differs from it
  std::string source;        // where the repository can be had, as python::source_of_remote() says it; may be empty
  ProjectFiles files;
  std::vector<std::string> findings;                    // of those who filled this in; they become the plan's
  std::optional<Previous> previous;                     // the image before
  std::optional<plan::FixedPlan> fixed_plan;            // to be carried out as it stands
  std::optional<std::vector<DistributionNeeds>> needs;  // of the selection; none: nobody looked
  const ByteCompiler* byte_compiler = nullptr;          // none: the image has no byte code but the base's
  /// May be empty. Called when the finished image was unpacked here to prepare files, with its files and configuration.
  std::function<void(const std::filesystem::path& root, const Sandbox& sandbox, const image::RunConfig& config)>
      on_unpacked;
};

/// What a build will do. A value: `veneer plan` prints it, build() carries it out.
struct BuildPlan {
  plan::LayoutPlan layout;
  std::vector<bool> in_cache;  // for each layer of `layout`: already made
  /// For each layer of `layout`: that of the image before, where it has this one.
  std::vector<std::optional<image::Layer>> before;
  std::vector<bool> is_taken;  // for each layer of `layout`: from the image before
  std::vector<plan::Overlap> overlaps;
  std::vector<std::string> findings;  // what a user should know, sorted
  std::string image_name;             // "greenhouse"
  std::string image_tag;              // "1.0.1"
  std::string version;                // of the project; the tag is made of it unless one is given

  /// What the image's label says: the version, or the tag where there is none.
  const std::string& label_version() const { return version.empty() ? image_tag : version; }
};

struct BuildStatistics {
  std::uint64_t wheels_opened = 0;
  std::uint64_t wheels_built = 0;
  std::uint64_t layers_made = 0;
  std::uint64_t layers_reused = 0;
  std::uint64_t layers_taken = 0;      // of those: from the image before
  std::uint64_t bytes_compressed = 0;  // of the blobs that were made
};

struct BuiltLayer {
  std::string kind;  // "base", "interpreter", "distribution", "environment", "prepared", "application"
  std::string title;
  image::Layer layer;
  std::uint64_t tar_size = 0;  // 0 for the layers of a base, where it is not known
  bool made = false;           // in this build
  bool is_taken = false;       // from the image before
};

struct BuiltImage {
  image::SealedImage sealed;
  std::vector<BuiltLayer> layers;  // bottom to top
  BuildStatistics statistics;
  std::vector<std::string> notes;  // what a user should know of how it went
};

/// "interpreter" for the layer of uv's, else "base".
std::string base_layer_kind(const base::Base& base, std::size_t index);

/// What layer `index` of the base is called: its history's text, else the base's name.
std::string base_title(const base::Base& base, std::size_t index);

class ImageBuilder {
 public:
  /// All arguments must outlive the builder. `progress` may be empty.
  ImageBuilder(const BuildInputs& inputs, python::WheelSupply& supply, const image::LayerCache& cache,
               std::size_t workers, std::function<void(const std::string&)> progress);

  /// Decides what goes into the image, as far as nothing must be fetched for that. Throws Error for what cannot be
  /// installed, and for an image without the application.
  void prepare();

  /// Decides the layers, and prepares if that was not done. Fetches and builds only what is needed for that: wheels
  /// whose files are not known to the cache. Throws Error for unusable packages, files that clash, too many layers.
  BuildPlan plan();

  /// Whether a program of that name, or at that absolute path, is in the base or comes with what the lock installs; the
  /// project's own wheel is made for it. Fetches wheels whose files are not known to the cache.
  bool has_program(const std::string& name);

  /// The image that `plan` will make, as far as it is known: a layer that is still to be made has digests made from its
  /// key, so that no host has it, and the size that its wheels let one expect (0 for the application).
  image::SealedImage expected(const BuildPlan& plan) const;

  /// Makes the layers that are missing and seals the image. Its blobs are in the cache and the base.
  BuiltImage build(const BuildPlan& plan);

 private:
  struct Distribution {
    const python::SelectedPackage* package;
    plan::Component component;
  };

  void refuse_unusable() const;
  void make_distributions();
  void make_application();
  void make_prepared_components();
  Hash prepare_inputs(const python::PrepareStep& step) const;
  void make_prepared(const BuildPlan& plan, std::vector<BuiltLayer>& made, BuiltImage& result);
  void check_application() const;
  tree::FileTree application_tree(const plan::PlannedLayer& layer);
  std::size_t application_cap() const;
  std::vector<std::uint64_t> file_sizes(const ApplicationFiles& files) const;
  LayerKey distribution_key(const python::SelectedPackage& package);
  std::vector<plan::Overlap> overlaps(std::vector<std::string>& findings);
  std::vector<python::Claims> all_claims();
  const plan::MemberFacts* told(const Distribution& distribution);
  std::vector<python::Claims> read_claims(const std::vector<Distribution>& distributions);
  std::vector<bool> needed_to_compare(const std::vector<Distribution>& told, const std::vector<Distribution>& read,
                                      const std::vector<python::Claims>& claims);
  void add_facts(plan::PlanRecord& record);
  void look_at_the_image_before(BuildPlan& plan) const;
  void compare_with_the_image_before(const BuildPlan& plan, const std::vector<BuiltLayer>& made) const;
  bool is_known(const Distribution& distribution) const;
  python::Claims claims(const Distribution& distribution);
  std::uint64_t size_without_lock(const python::SelectedPackage& package, const tree::FileTree& tree) const;
  std::string site_packages() const;
  std::uint64_t forecast(const plan::PlannedLayer& layer) const;
  std::optional<std::uint64_t> noted_number(std::string_view kind, const LayerKey& key) const;
  const Distribution& distribution(const std::string& id) const;
  tree::FileTree installed(const python::SelectedPackage& package);
  tree::FileTree layer_tree(const plan::PlannedLayer& layer);
  tree::FileTree layer_sources(const plan::PlannedLayer& layer);
  std::string byte_code_key() const;
  tree::FileTree placed(const tree::FileTree& tree) const;
  python::InstallPlace place() const;
  void fetch_for(const plan::LayoutPlan& layout, const std::vector<bool>& in_cache);

  const BuildInputs& inputs_;
  python::WheelSupply& supply_;
  const image::LayerCache& cache_;
  std::size_t workers_;
  std::function<void(const std::string&)> progress_;
  Account account_;
  std::string home_;
  tree::Overlay ground_;  // the base with the account's files: what everything else is placed on
  Placement placement_;
  std::string prefix_path_;  // below the root, after the base's symbolic links
  InstalledWheels wheels_;
  std::vector<Distribution> distributions_;
  std::vector<const python::SelectedPackage*> own_packages_;
  ApplicationFiles application_files_;
  plan::Component environment_;
  std::vector<plan::Component> prepared_;
  std::vector<ApplicationPart> parts_;  // bottom to top, as `application_`
  std::vector<plan::Component> application_;
  bool is_prepared_ = false;
  std::optional<std::set<std::string>> programs_;  // of the environment
  /// By the IDs of distributions: where they have files, as far as it fits a record; and what was told of those whose
  /// wheels were not looked at.
  std::map<std::string, std::vector<std::string>> places_;
  std::map<std::string, plan::MemberFacts> told_;
  std::set<std::string> overlapping_;  // names of those that share a path with another
};

/// Decides what [tool.veneer.image] leaves open of name, tag and files, and refuses what no engine takes as a name or
/// tag (image_name.hh). Files: for a project that is no package the default ones.
void fill_defaults(BuildInputs& inputs);

/// Whether what has that name at the project's top is among the default files, as far as the name tells.
bool belongs_into_image(const std::string& name);

/// What lies at the project's top, at `workdir` ("/app"): without hidden names, tests, virtual environments, the lock
/// and container files.
std::vector<python::FileRule> default_files(const BuildInputs& inputs, const std::string& workdir);

/// Whether its `files` bring an application: they were given (be it none of them), or of those that fill_defaults()
/// decided one is more than what tells of the project, such as pyproject.toml, README and LICENSE.
bool have_application(const BuildInputs& inputs);

/// The configuration of the image on the base's: what [tool.veneer.image] says, else defaults that make a virtual
/// environment work (PATH, VIRTUAL_ENV, working directory, user) and `home` as HOME (see home_of).
image::RunConfig run_config(const BuildInputs& inputs, const std::string& home, const std::string& version);

}  // namespace veneer::build
