#include "app/base_image.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/locked_project.hh"
#include "app/project_base.hh"
#include "app/project_files.hh"
#include "app/write_image.hh"
#include "build/image_name.hh"
#include "deliver/receiver/ship.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/history.hh"
#include "image/media/oci_layout.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view last_base = "base";                // of the store: the name of the base image made last
constexpr std::string_view created = "1980-01-01T00:00:00Z";  // as its files: the same base is the same image

/// What is asked of the Python counts beside what the base has: another one may be wanted than is pinned.
base::Ingredients ingredients_of(const python::Project& project, const python::PythonChoice& python,
                                 const base::LockedBase& base) {
  const python::SystemOptions& system = project.system;
  base::Ingredients all = base::ingredients_of(base, system.packages);
  const std::string wanted = python.source == python::PythonSource::base ? project.python : python.wanted();
  if (!system.exclude.empty()) all["packages excluded"] = fmt::format("{}", fmt::join(system.exclude, " "));
  if (!system.automatic) all["packages for wheels"] = "none";
  if (!wanted.empty()) all["Python wanted"] = fmt::format("{} of {}", wanted, python_source_name(python.source));
  return all;
}

std::string name_of(const std::string& image_name, const std::string& fingerprint) {
  return image_name + "-base:" + fingerprint;
}

std::optional<OpenedImage> open_stored(const std::string& name, const fs::path& folder) {
  image::PlaceContext context;
  context.store = project_store(folder);
  try {
    return image::open_image({name, nullptr, image::parse_reference(name)}, context, {});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

std::optional<OpenedImage> open_last_base(const fs::path& folder) {
  const auto name = read_text_file_if_exists(project_store(folder) / last_base, 4096);
  return name ? open_stored(*name, folder) : std::nullopt;
}

/// How many of its lowest layers `image` has from `base`.
std::size_t shared_layers(const image::Image& image, const image::Image& base) {
  const auto same = [](const image::Layer& a, const image::Layer& b) { return a.diff_id == b.diff_id; };
  const auto end =
      std::mismatch(image.layers.begin(), image.layers.end(), base.layers.begin(), base.layers.end(), same);
  return static_cast<std::size_t>(end.first - image.layers.begin());
}

/// What the project names lies in the base's uppermost layer, which is made above the others.
bool reaches_all_layers(const std::vector<base::IngredientChange>& changes) {
  return std::any_of(changes.begin(), changes.end(), [](const base::IngredientChange& change) {
    if (change.what.starts_with("packages") || change.what.starts_with("distribution ")) return false;
    return !change.what.starts_with("package ") || (!change.from.empty() && !change.to.empty());
  });
}

struct WantedBase {
  std::string image_name;
  base::Ingredients ingredients;
};

WantedBase find_wanted(const BuildRequest& request, Surroundings& surroundings) {
  LockedProject found = read_locked_project(request, surroundings);
  build::BuildInputs inputs;
  inputs.project = std::move(found.project);
  python::GitCheckouts checkouts;
  inputs.files = list_files(inputs.project, checkouts.find(inputs.project.folder));
  const auto cache = std::make_shared<image::LayerCache>(surroundings.cache_folder());
  const python::UvProgram uv;
  ProjectBase base({inputs, request, *found.lock, cache, uv, found.folder, surroundings});
  base.choose(selection_of(inputs.project, request));
  base::LockedBase pinned = base.pins().before().value_or(base::LockedBase{});
  pinned.name = inputs.project.base->text;
  if (pinned.platform.empty()) pinned.platform = base.platform();
  WantedBase wanted{build::image_name(inputs.project), ingredients_of(inputs.project, inputs.python_choice, pinned)};
  // What the project says of it counts before a build pins it.
  const std::string& snapshot = inputs.project.system.snapshot;
  if (snapshot.empty()) wanted.ingredients.erase("snapshot");
  if (!snapshot.empty() && snapshot != python::newest_snapshot) wanted.ingredients["snapshot"] = snapshot;
  return wanted;
}

}  // namespace

BaseImage store_base(const BuildSession& session, Surroundings& surroundings) {
  const build::BuildInputs& inputs = session.inputs();
  const base::Ingredients ingredients = ingredients_of(inputs.project, inputs.python_choice, session.pins().taken());
  image::Image image;
  image.config = inputs.base.config;
  if (image.config.created.empty()) image.config.created = created;
  image.layers = inputs.base.layers;
  image::make_history_consistent(image.config.history, image.layers.size());
  Value labels = image.config.run.table_or_empty("Labels");
  labels.set(base::ingredients_label, base::write_ingredients(ingredients));
  image.config.run.set("Labels", std::move(labels));

  BaseImage result;
  result.fingerprint = base::fingerprint(ingredients);
  result.name = name_of(build::image_name(inputs.project), result.fingerprint);
  result.sealed = image::seal(std::move(image));
  const auto stored = open_stored(result.name, session.folder());
  result.was_there = stored && stored->sealed.manifest_digest == result.sealed.manifest_digest;
  surroundings.messages().progress("writing the base");
  const fs::path store = open_store(session);
  image::OciLayout::create(store).write(result.sealed, *blobs_of(session), result.name, *session.cache()->files());
  clear_place(store / last_base);
  write_text_file(store / last_base, result.name);
  surroundings.messages().clear_progress();
  session.pins().write(surroundings.messages());
  return result;
}

std::optional<base::Ingredients> ingredients_in(const image::Image& image) {
  const Value* label =
      image.config.run.is_table() ? image.config.run.table_or_empty("Labels").find(base::ingredients_label) : nullptr;
  if (label == nullptr) return std::nullopt;
  return in_context([] { return fmt::format("the label {}", base::ingredients_label); },
                    [&] { return base::read_ingredients(label->string()); });
}

DeployForecast forecast_rebuild(const OpenedImage& held, const image::Image& base,
                                const std::vector<base::IngredientChange>& changes, deliver::Line line) {
  const std::size_t layers = shared_layers(held.sealed.image, base);
  image::Image rebuilt = held.sealed.image;
  for (std::size_t i = reaches_all_layers(changes) || layers == 0 ? 0 : layers - 1; i < layers; ++i) {
    image::Layer& layer = rebuilt.layers[i];
    const Hash unknown = sha256("made anew: " + layer.diff_id.text());
    layer.diff_id = DiffId{unknown};
    layer.blob = BlobDigest{unknown};
  }
  const image::SealedImage sealed = image::seal(std::move(rebuilt));
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name("image:new"), sealed);
  return {held.name, deliver::forecast(sealed, held.sealed, line, name.reference())};
}

void compare_with(BaseStatus& status, const OpenedImage& there, const base::Ingredients& wanted) {
  const auto before = ingredients_in(there.sealed.image);
  if (!before) {
    throw Error(ErrorKind::refused, fmt::format("{} is no base image that veneer made", printable(there.name)),
                "veneer base build makes one; generated Dockerfiles are looked at by veneer base status --docker");
  }
  status.compared = there.name;
  status.changes = base::changes(*before, wanted);
}

BaseStatus base_status(const BuildRequest& request, const WantedImage& image, deliver::Line line,
                       Surroundings& surroundings) {
  const WantedBase wanted = find_wanted(request, surroundings);
  BaseStatus status;
  status.fingerprint = base::fingerprint(wanted.ingredients);
  status.name = name_of(wanted.image_name, status.fingerprint);
  const fs::path folder = surroundings.current_folder();
  std::optional<OpenedImage> there = image ? std::optional(open_image(image, surroundings)) : open_last_base(folder);
  if (!there) return status;
  compare_with(status, *there, wanted.ingredients);
  if (status.changes.empty()) return status;
  const auto last = open_last(folder);
  const bool stands_on_it = last && shared_layers(last->sealed.image, there->sealed.image) > 0;
  status.rebuild = forecast_rebuild(stands_on_it ? *last : *there, there->sealed.image, status.changes, line);
  return status;
}

OpenedImage open_base(const BuildRequest& request, Surroundings& surroundings) {
  const WantedBase wanted = find_wanted(request, surroundings);
  const std::string name = name_of(wanted.image_name, base::fingerprint(wanted.ingredients));
  auto found = open_stored(name, surroundings.current_folder());
  if (!found) {
    throw Error(ErrorKind::not_found, fmt::format("the base image {} was not made here", printable(name)),
                "run 'veneer base build'");
  }
  return std::move(*found);
}

}  // namespace veneer::app
