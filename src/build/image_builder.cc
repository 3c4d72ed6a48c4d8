#include "build/image_builder.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>

#include "build/image_name.hh"
#include "build/layer_forecast.hh"
#include "build/wheel_findings.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/parallel.hh"
#include "foundation/text.hh"
#include "image/history.hh"
#include "python/wheel/venv.hh"
#include "tree/write_layer.hh"

namespace veneer::build {

namespace {

/// Raised whenever the same inputs give other bytes than before.
constexpr int layer_format = 2;

using python::PackageKind;
using python::SelectedPackage;

void put_all(tree::FileTree& to, const tree::FileTree& from) {
  for (const auto& [path, entry] : from.entries()) to.put(path, entry.inode);
}

tree::FileTree merged(tree::FileTree lower, const tree::FileTree& upper) {
  put_all(lower, upper);
  return lower;
}

std::string kind_name(plan::ComponentKind kind) {
  constexpr std::array<std::string_view, 4> names = {"distribution", "environment", "prepared", "application"};
  return std::string(names.at(static_cast<std::size_t>(kind)));
}

Value history_entry(const std::string& kind, const std::string& title) {
  Value entry;
  entry.set("created_by", "veneer: " + kind + " " + title);
  return entry;
}

}  // namespace

std::string base_layer_kind(const base::Base& base, std::size_t index) {
  return base.interpreter && index == base.interpreter_layer ? "interpreter" : "base";
}

std::string base_title(const base::Base& base, std::size_t index) {
  const std::vector<image::LayerHistory> history = image::history_of_layers(base.config.history, base.layers.size());
  std::string_view made_by = history[index].created_by;
  constexpr std::string_view mark = "veneer: ";
  if (made_by.starts_with(mark)) made_by.remove_prefix(mark.size());
  return made_by.empty() || !history[index].is_certain ? base.name : std::string(made_by);
}

ImageBuilder::ImageBuilder(const BuildInputs& inputs, python::WheelSupply& supply, const image::LayerCache& cache,
                           std::size_t workers, std::function<void(const std::string&)> progress)
    : inputs_(inputs),
      supply_(supply),
      cache_(cache),
      workers_(workers),
      progress_(std::move(progress)),
      account_(account_of(*inputs.base.files, inputs.project.image.user, inputs.project.image.group)),
      home_(home_of(account_, inputs.base, inputs.project.image.environment)),
      ground_(*inputs.base.files, account_.files),
      placement_(ground_),
      prefix_path_(placement_.resolve(inputs.prefix)),
      wheels_(supply, cache, place()) {}

std::string ImageBuilder::byte_code_key() const {
  return inputs_.byte_compiler == nullptr ? "" : "\nbyte code by " + inputs_.byte_compiler->identity();
}

LayerKey ImageBuilder::distribution_key(const SelectedPackage& package) {
  const std::string interpreter = inputs_.prefix + "/bin/python";
  return {sha256(fmt::format("veneer distribution layer {}\n{}\nat {}\nin {}\nbelow {}\n{}{}", layer_format,
                             supply_.identity(package), prefix_path_, inputs_.target.library_folder(), interpreter,
                             placement_.parent_facts(prefix_path_), byte_code_key()))};
}

void ImageBuilder::refuse_unusable() const {
  const python::Selection& selection = inputs_.selection;
  if (selection.unusable.empty()) return;
  std::string names;
  for (const std::string& name : selection.unusable) {
    const auto marker = selection.unusable_markers.find(name);
    names += (names.empty() ? "" : ", ") + printable(name);
    if (marker != selection.unusable_markers.end())
      names += fmt::format(" (wanted where {})", printable(marker->second));
  }
  const python::Target& target = inputs_.target;
  throw Error(
      ErrorKind::refused, fmt::format("the lock has no file for the target of: {}", names),
      fmt::format(
          "the base has Python {} on {}; where a version has wheels for it, this in [tool.uv] and `uv lock` find "
          "one: required-environments = [\"sys_platform == 'linux' and platform_machine == '{}'\"]",
          target.full_version, target.machine, target.machine));
}

void ImageBuilder::make_distributions() {
  refuse_unusable();
  for (const SelectedPackage& package : inputs_.selection.packages) {
    if (package.is_project) {
      own_packages_.push_back(&package);
      continue;
    }
    Distribution distribution{&package, {}};
    distribution.component = {package.display_name(), package.name, plan::ComponentKind::distribution,
                              distribution_key(package), package.size.value_or(0)};
    distributions_.push_back(std::move(distribution));
  }
}

tree::FileTree ImageBuilder::placed(const tree::FileTree& tree) const {
  const std::string written = inputs_.prefix.substr(1);
  tree::FileTree result;
  placement_.add_parents(result, prefix_path_);
  for (const auto& [path, entry] : tree.entries()) {
    if (path == written) {
      result.put(prefix_path_, entry.inode);
    } else if (path.starts_with(written + "/")) {
      result.put(prefix_path_ + path.substr(written.size()), entry.inode);
    }
  }
  return result;
}

python::InstallPlace ImageBuilder::place() const {
  python::InstallPlace place;
  place.prefix = inputs_.prefix;
  place.library_folder = inputs_.target.library_folder();
  place.mtime = fixed_time;
  return place;
}

tree::FileTree ImageBuilder::installed(const SelectedPackage& package) { return placed(wheels_.take(package)); }

const ImageBuilder::Distribution& ImageBuilder::distribution(const std::string& id) const {
  const auto found = std::find_if(distributions_.begin(), distributions_.end(),
                                  [&](const Distribution& item) { return item.component.id == id; });
  if (found == distributions_.end())
    throw Error(ErrorKind::failed, fmt::format("the plan names '{}', which is unknown", printable(id)));
  return *found;
}

tree::FileTree ImageBuilder::layer_tree(const plan::PlannedLayer& layer) {
  tree::FileTree tree = layer_sources(layer);
  if (inputs_.byte_compiler != nullptr) inputs_.byte_compiler->add_to(tree, prefix_path_ + "/bin", fixed_time);
  return tree;
}

tree::FileTree ImageBuilder::layer_sources(const plan::PlannedLayer& layer) {
  switch (layer.kind) {
    case plan::ComponentKind::distribution: {
      tree::FileTree tree;
      for (const std::string& id : layer.components) put_all(tree, installed(*distribution(id).package));
      return tree;
    }
    case plan::ComponentKind::environment:
      return merged(placed(python::environment_skeleton(inputs_.target, place())), account_.files);
    case plan::ComponentKind::prepared: break;  // by make_prepared()
    case plan::ComponentKind::application: return application_tree(layer);
  }
  throw Error(ErrorKind::failed, "the plan has a layer of an unknown kind");
}

std::string ImageBuilder::site_packages() const {
  return fmt::format("{}/lib/{}/site-packages", prefix_path_, inputs_.target.library_folder());
}

// Byte code is not foreseen: it would have to be made.
std::uint64_t ImageBuilder::forecast(const plan::PlannedLayer& layer) const {
  if (layer.kind != plan::ComponentKind::distribution) return layer.size;
  std::uint64_t size = forecast_frame(site_packages());
  for (const std::string& id : layer.components) {
    const plan::Component& component = distribution(id).component;
    size += noted_number("layer", component.key).value_or(component.size);
  }
  return size;
}

std::optional<std::uint64_t> ImageBuilder::noted_number(std::string_view kind, const LayerKey& key) const {
  const std::optional<std::string> text = cache_.note(kind, key);
  return text ? read_number<std::uint64_t>(*text) : std::nullopt;
}

// Not every lock says how large a file is. A wheel is as large as its file; of what is built, the file may differ from
// machine to machine, what it installs hardly does.
std::uint64_t ImageBuilder::size_without_lock(const SelectedPackage& package, const tree::FileTree& tree) const {
  if (!python::WheelSupply::is_built(package)) return supply_.wheel_size(package);
  std::uint64_t size = 0;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->content) size += entry.inode->content->size();
  }
  return size;
}

void ImageBuilder::prepare() {
  if (is_prepared_) return;
  make_distributions();
  make_application();
  make_prepared_components();
  is_prepared_ = true;
}

BuildPlan ImageBuilder::plan() {
  if (progress_) progress_("planning");
  prepare();
  BuildPlan result;
  result.findings = inputs_.findings;
  result.overlaps = overlaps(result.findings);
  const python::ImageOptions& image = inputs_.project.image;
  if (const auto finding =
          home_finding(tree::Overlay(ground_, application_files_.tree), image.user, image.group, home_)) {
    result.findings.push_back(*finding);
  }
  std::vector<plan::Component> components;
  for (Distribution& distribution : distributions_) {
    if (!distribution.package->size) {
      const auto known = told_.find(distribution.component.id);
      distribution.component.size = known != told_.end() ? known->second.size.value_or(0)
                                                         : noted_number("size", distribution.component.key).value_or(0);
    }
    components.push_back(distribution.component);
  }
  components.push_back(environment_);
  components.insert(components.end(), prepared_.begin(), prepared_.end());
  components.insert(components.end(), application_.begin(), application_.end());
  plan::LayoutOptions options;
  options.interpreter_layers = inputs_.base.interpreter ? 1 : 0;
  options.base_layers = inputs_.base.layers.size() - options.interpreter_layers;
  options.dependency_layers = inputs_.project.dependency_layers;
  const auto previous = inputs_.previous ? std::optional(inputs_.previous->record) : std::nullopt;
  const plan::RecordedTarget target = recorded_target(inputs_.base, inputs_.target);
  result.layout = inputs_.fixed_plan ? plan::carry_out(*inputs_.fixed_plan, components, result.overlaps, target.base)
                                     : plan::layout(components, result.overlaps, previous, options);
  result.layout.record.target = target;
  result.layout.record.below = inputs_.base.layers.size();
  for (std::size_t i = result.layout.record.layers.size(); i < result.layout.layers.size(); ++i)
    result.layout.record.above.push_back(plan::short_key(result.layout.layers[i].key));
  add_facts(result.layout.record);
  if (result.layout.held_to) {
    result.findings.push_back(fmt::format("the base has {} layers, so the dependencies get {} instead of {}",
                                          options.base_layers, *result.layout.held_to, result.layout.wanted));
  }
  for (const plan::PlannedLayer& layer : result.layout.layers)
    result.in_cache.push_back(cache_.find(layer.key).has_value());
  look_at_the_image_before(result);
  for (const auto& [name, hash] : supply_.computed_hashes()) {
    result.findings.push_back(
        fmt::format("{} has no hash in the lock; its file has sha256:{}", printable(name), hash.hex()));
  }
  if (inputs_.project.is_package && own_packages_.empty()) {
    result.findings.push_back(fmt::format("the lock does not hold {} itself, so its code is not in the image",
                                          printable(inputs_.project.name)));
  }
  for (const SelectedPackage& package : inputs_.selection.packages) {
    if (package.location.starts_with('/') || package.location.starts_with("file:")) {
      result.findings.push_back(
          fmt::format("the lock names {} by a path of this machine, {}; on another one it will not be found",
                      printable(package.name), printable(package.location)));
    }
  }
  add_wheel_findings(supply_, result.findings);
  add_lfs_finding(lfs_pointers(application_files_.tree), "in the image", result.findings);
  std::sort(result.findings.begin(), result.findings.end());
  const python::Project& project = inputs_.project;
  result.version = project.version.empty() ? supply_.built_version(project.name) : project.version;
  result.image_name = project.image.name;
  result.image_tag = image_tag(project, result.version);
  return result;
}

void ImageBuilder::fetch_for(const plan::LayoutPlan& layout, const std::vector<bool>& in_cache) {
  std::vector<const SelectedPackage*> needed;
  for (std::size_t i = 0; i < layout.layers.size(); ++i) {
    if (in_cache[i]) continue;
    const plan::PlannedLayer& layer = layout.layers[i];
    if (layer.kind == plan::ComponentKind::distribution) {
      for (const std::string& id : layer.components) needed.push_back(distribution(id).package);
    } else if (layer.kind == plan::ComponentKind::application) {
      needed.insert(needed.end(), own_packages_.begin(), own_packages_.end());
    }
  }
  supply_.fetch(needed);
}

image::SealedImage ImageBuilder::expected(const BuildPlan& plan) const {
  image::Image image;
  image.config = run_config(inputs_, home_, plan.label_version());
  carry_plan(image, plan.layout.record);
  image.layers = inputs_.base.layers;
  for (const plan::PlannedLayer& layer : plan.layout.layers) {
    const std::optional<image::CachedLayer> cached = cache_.find(layer.key);
    const auto place = static_cast<std::size_t>(&layer - plan.layout.layers.data());
    image.layers.push_back(cached                 ? cached->layer
                           : plan.is_taken[place] ? *plan.before[place]
                                                  : image::Layer{DiffId{layer.key.hash}, image::Encoding::gzip,
                                                                 BlobDigest{layer.key.hash}, forecast(layer)});
    image.config.history.push_back(history_entry(kind_name(layer.kind), layer.title));
  }
  return image::seal(std::move(image));
}

BuiltImage ImageBuilder::build(const BuildPlan& plan) {
  const std::vector<plan::PlannedLayer>& planned = plan.layout.layers;
  std::vector<bool> is_there = plan.in_cache;
  for (std::size_t i = 0; i < planned.size(); ++i) is_there[i] = is_there[i] || plan.is_taken[i];
  fetch_for(plan.layout, is_there);

  BuiltImage result;
  std::vector<BuiltLayer> made(planned.size());
  std::atomic<std::size_t> done = 0;
  // The largest first, so that no thread is left alone with one at the end.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].kind != plan::ComponentKind::prepared) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t left, std::size_t right) { return planned[left].size > planned[right].size; });
  parallel_for(order.size(), workers_, [&](std::size_t position) {
    const plan::PlannedLayer& layer = planned[order[position]];
    in_context([&] { return fmt::format("making the layer of {}", printable(layer.title)); },
               [&] {
                 std::optional<image::CachedLayer> cached = cache_.find(layer.key);
                 if (!cached && plan.is_taken[order[position]]) {
                   made[order[position]] = {.kind = kind_name(layer.kind),
                                            .title = layer.title,
                                            .layer = *plan.before[order[position]],
                                            .is_taken = true};
                   return;
                 }
                 const bool is_new = !cached;
                 if (is_new) {
                   cached = cache_.store(layer.key,
                                         [&](ByteSink& blob) { return tree::write_layer(layer_tree(layer), blob); });
                   if (layer.kind == plan::ComponentKind::distribution) {
                     for (const std::string& id : layer.components) wheels_.note_verified(*distribution(id).package);
                   }
                 }
                 made[order[position]] = {kind_name(layer.kind), layer.title, cached->layer, cached->tar_size, is_new};
               });
    ++done;
    if (progress_) progress_(fmt::format("making layers: {} of {}", done.load(), order.size()));
  });
  make_prepared(plan, made, result);
  compare_with_the_image_before(plan, made);

  image::Image image;
  image.config = run_config(inputs_, home_, plan.label_version());
  carry_plan(image, plan.layout.record);
  for (std::size_t i = 0; i < inputs_.base.layers.size(); ++i) {
    result.layers.push_back(
        {base_layer_kind(inputs_.base, i), base_title(inputs_.base, i), inputs_.base.layers[i], 0, false});
  }
  for (const BuiltLayer& layer : made) {
    image.config.history.push_back(history_entry(layer.kind, layer.title));
    if (layer.made) {
      ++result.statistics.layers_made;
      result.statistics.bytes_compressed += layer.layer.size;
    } else {
      ++result.statistics.layers_reused;
      if (layer.is_taken) ++result.statistics.layers_taken;
    }
    result.layers.push_back(layer);
  }
  for (const BuiltLayer& layer : result.layers) image.layers.push_back(layer.layer);
  result.sealed = image::seal(std::move(image));
  result.statistics.wheels_opened = supply_.wheels_opened();
  result.statistics.wheels_built = supply_.wheels_built();
  return result;
}

}  // namespace veneer::build
