#include "app/write_image.hh"

#include <fmt/format.h>

#include <algorithm>

#include "app/made_layers.hh"
#include "foundation/file.hh"
#include "image/media/oci_layout.hh"
#include "image/places/elsewhere.hh"
#include "image/reference.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

/// Before the image is there: layers of a registry's base that were not fetched stay with it.
void note_elsewhere(const fs::path& store, const base::Base& base, const image::OciLayout& layout,
                    const image::Blobs& blobs) {
  std::vector<image::Layer> left;
  for (const image::Layer& layer : base.layers) {
    if (!blobs.is_here(layer.blob) && !layout.contains(layer.blob)) left.push_back(layer);
  }
  image::write_elsewhere(store, base.name, left);
}

std::string write_to_store(const BuildSession& session, const build::BuiltImage& built, const image::Blobs& blobs) {
  const fs::path store = open_store(session);
  const KeptFiles& files = *session.cache()->files();
  image::OciLayout layout = image::OciLayout::create(store);
  write_made(store, built, session.inputs().base.name);
  note_elsewhere(store, session.inputs().base, layout, blobs);
  layout.write(built.sealed, blobs, session.image_name(), files, image::OciLayout::Remote::left_out);
  clear_place(store / "last");
  write_text_file(store / "last", session.image_name());
  layout.prune();
  return store.native();
}

build::BuiltImage build(BuildSession& session, Surroundings& surroundings) {
  surroundings.messages().note(previous_text(session.previous()));
  for (const std::string& finding : session.plan().findings) surroundings.messages().warning(finding);
  build::BuiltImage built = session.build();
  for (const std::string& note : built.notes) surroundings.messages().warning(note);
  surroundings.messages().progress("writing the image");
  return built;
}

}  // namespace

fs::path open_store(const BuildSession& session) {
  fs::path store = project_store(session.folder());
  image::OciLayout::mend(store, *session.cache()->files());
  image::OciLayout::create(store);
  if (!fs::exists(store / ".gitignore")) write_text_file(store / ".gitignore", "*\n");
  return store;
}

std::shared_ptr<const image::Blobs> blobs_of(const BuildSession& session) {
  auto blobs = image::blobs_of_both(session.cache(), session.inputs().base.blobs);
  const std::vector<bool>& is_taken = session.plan().is_taken;
  if (std::ranges::find(is_taken, true) == is_taken.end()) return blobs;
  return image::blobs_of_both(blobs, session.inputs().previous->blobs);
}

Output parse_output(const std::string& text) { return image::read_output_name(text); }

WrittenImage build_to(const Output& output, TakenLayers taken, BuildSession& session, Surroundings& surroundings) {
  WrittenImage written{build(session, surroundings), {}};
  const auto blobs = blobs_of(session);
  const std::uint64_t there = written.built.statistics.layers_taken;
  if (output) {
    written.place = output->write(written.built.sealed, *blobs, session.image_name(), *session.cache()->files());
  } else if (taken == TakenLayers::may_stay_there && there > 0) {
    surroundings.messages().note(
        fmt::format("not written to .veneer: {} of its layers are in the registry alone", there));
  } else {
    written.place = write_to_store(session, written.built, *blobs);
  }
  surroundings.messages().clear_progress();
  session.pins().write(surroundings.messages());
  return written;
}

StoredImage build_into_store(const BuildRequest& request, Surroundings& surroundings) {
  BuildSession session(request, surroundings);
  build::BuiltImage built = build(session, surroundings);
  const auto blobs = blobs_of(session);
  write_to_store(session, built, *blobs);
  surroundings.messages().clear_progress();
  session.pins().write(surroundings.messages());
  return {{std::move(built.sealed), blobs, session.image_name(), image::parse_reference(session.image_name())},
          session.commit()};
}

}  // namespace veneer::app
