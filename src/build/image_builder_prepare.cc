// The part of the builder that makes prepared files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/unpack.hh"
#include "build/image_builder.hh"
#include "build/prepare.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "tree/write_layer.hh"

namespace veneer::build {

namespace {

constexpr int prepared_format = 1;  // raised whenever the same inputs give other bytes than before

}  // namespace

/// What the files of the project are that a step reads, unless it says so itself: all of the application.
Hash ImageBuilder::prepare_inputs(const python::PrepareStep& step) const {
  if (!step.inputs) {
    std::vector<LayerKey> keys;
    for (const plan::Component& part : application_) keys.push_back(part.key);
    return plan::combined_key(keys).hash;
  }
  python::Project project = inputs_.project;
  project.image = {};
  for (const std::string& path : *step.inputs) project.image.files.push_back({path, "/" + path, std::nullopt});
  const tree::FileTree nowhere;
  return in_context([] { return "inputs of [[tool.veneer.prepare]]"; },
                    [&] { return application_files(project, Placement(nowhere), inputs_.files).content; });
}

void ImageBuilder::make_prepared_components() {
  const image::RunConfig config = run_config(inputs_, home_, {});
  for (const python::PrepareStep& step : inputs_.project.prepare) {
    Sha256 hash;
    add_field(hash, fmt::format("veneer prepared layer {}", prepared_format));
    for (const auto* words : {&step.command, &step.outputs}) {
      add_field(hash, std::to_string(words->size()));
      for (const std::string& word : *words) add_field(hash, word);
    }
    for (const auto& [name, value] : step.environment) add_field(hash, name + "=" + value);
    for (const char* key : {"Env", "User", "WorkingDir"}) add_field(hash, to_json(config.run.at(key)));
    for (const image::Layer& layer : inputs_.base.layers) add_field(hash, layer.diff_id.text());
    add_field(hash, inputs_.target.interpreter);
    for (const Distribution& distribution : distributions_) add_field(hash, distribution.component.key.hex());
    add_field(hash, environment_.key.hex());
    for (const plan::Component& before : prepared_) add_field(hash, before.key.hex());
    add_field(hash, prepare_inputs(step).hex());
    prepared_.push_back({fmt::format("prepared files {}", prepared_.size() + 1),
                         prepare_title(step),
                         plan::ComponentKind::prepared,
                         {hash.finish()},
                         0});
  }
}

/// Steps run from the first one on of which the layer is not there: a later one may read what an earlier one made.
void ImageBuilder::make_prepared(const BuildPlan& plan, std::vector<BuiltLayer>& made, BuiltImage& result) {
  const std::vector<plan::PlannedLayer>& planned = plan.layout.layers;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].kind == plan::ComponentKind::prepared) positions.push_back(i);
  }
  std::size_t first = positions.size();
  for (std::size_t step = 0; step < positions.size(); ++step) {
    const plan::PlannedLayer& layer = planned[positions[step]];
    if (const auto cached = cache_.find(layer.key)) {
      made[positions[step]] = {"prepared", layer.title, cached->layer, cached->tar_size, false};
    } else if (plan.is_taken[positions[step]]) {
      made[positions[step]] = {
          .kind = "prepared", .title = layer.title, .layer = *plan.before[positions[step]], .is_taken = true};
    } else {
      first = std::min(first, step);
    }
  }
  if (first == positions.size()) return;

  if (progress_) progress_("unpacking the image to prepare files");
  std::vector<base::PlacedLayer> layers;
  for (const image::Layer& layer : inputs_.base.layers) layers.push_back({&layer, inputs_.base.blobs.get()});
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].kind != plan::ComponentKind::prepared || i < positions[first])
      layers.push_back({&made[i].layer, made[i].is_taken ? inputs_.previous->blobs.get() : &cache_});
  }
  const TemporaryFolder scratch(cache_.folder() / "tmp", "prepare");
  make_folders(scratch.path() / "staging");
  const image::RunConfig config = run_config(inputs_, home_, plan.label_version());
  PreparedRoot root(base::stage(layers, scratch.path() / "staging"), scratch.path() / "root", config,
                    layers.size() - application_.size());
  for (std::size_t step = first; step < positions.size(); ++step) {
    const python::PrepareStep& wanted = inputs_.project.prepare[step];
    const plan::PlannedLayer& layer = planned[positions[step]];
    if (progress_) progress_("preparing files: " + layer.title);
    const PreparedFiles files = root.run(wanted);
    tree::FileTree tree;
    for (const auto& [path, entry] : files.tree.entries()) placement_.add_parents(tree, path);
    for (const auto& [path, entry] : files.tree.entries()) tree.put(path, entry.inode);
    const image::CachedLayer stored =
        cache_.store(layer.key, [&](ByteSink& blob) { return tree::write_layer(tree, blob); });
    made[positions[step]] = {"prepared", layer.title, stored.layer, stored.tar_size, true};
    if (!files.elsewhere.empty()) {
      result.notes.push_back(fmt::format("{} also wrote {}, which no outputs name, so the image has it not",
                                         layer.title,
                                         printable(fmt::format("{}", fmt::join(files.elsewhere, ", ")), 500)));
    }
  }
  if (inputs_.on_unpacked) inputs_.on_unpacked(root.root(), root.sandbox(), config);
}

}  // namespace veneer::build
