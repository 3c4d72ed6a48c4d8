#include "app/previous_image.hh"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "app/open_image.hh"
#include "foundation/error.hh"
#include "foundation/process.hh"
#include "foundation/text.hh"
#include "image/places/registry_place.hh"
#include "image/run_config.hh"

namespace veneer::app {

namespace {

struct Candidate {
  std::string name;  // as it is called until it was read
  std::string why;
  enum class Layers { may_be_taken, stay } layers = Layers::may_be_taken;
  enum class Absence { usual, told } absence = Absence::usual;
  std::function<std::optional<OpenedImage>()> open;
};

/// The newest tag of HEAD or of what came before it; where HEAD has one, which may be the one that is being built, that
/// before it too.
std::vector<std::string> newest_tags(const python::GitCheckout& checkout) {
  std::vector<std::string> tags;
  for (const char* start : {"HEAD", "HEAD^"}) {
    const CommandResult found =
        run(python::git_command(checkout.outermost().repository, {"describe", "--tags", "--abbrev=0", start}));
    if (found.exit_code != 0) break;
    const std::string tag(trimmed(found.output));
    if (!tags.empty() && tags.back() == tag) break;
    tags.push_back(tag);
  }
  return tags;
}

/// Whether its layers are compressed as they were made: engines give them out otherwise, and a layer has one blob.
bool has_own_blobs(const image::Image& image) {
  const auto rows = image::read_layers_label(image::label_of(image.config, image::layers_label), image.layers.size());
  return rows && std::ranges::equal(*rows, image.layers, {}, &image::LabelledLayer::blob, &image::Layer::blob);
}

class Search {
 public:
  Search(const build::BuildInputs& inputs, PreviousLayers layers, const std::filesystem::path& folder,
         Surroundings& surroundings)
      : inputs_(inputs),
        layers_(layers),
        folder_(folder),
        context_(place_context(folder, surroundings)),
        messages_(surroundings.messages()) {
    context_.note = [](const std::string&) {};
  }

  /// False when it says that there is none.
  bool add_option(const std::string& text) {
    if (text == "none") return false;
    image::ImageName name = image::read_image_name(text);
    name.platform = inputs_.base.config.platform;
    candidates_.push_back({text, "--previous names it", Candidate::Layers::may_be_taken, Candidate::Absence::told,
                           [this, name] { return std::optional(image::open_image(name, context_)); }});
    return true;
  }

  /// Named as a base is: the same on every machine.
  bool add_of_project(const python::Project& project) {
    if (project.previous == "none") return false;
    const auto place = in_context([] { return "[tool.veneer] previous"; },
                                  [&] { return image::read_base_name(project.previous, project.folder); });
    candidates_.push_back(
        {project.previous, "[tool.veneer] previous names it", Candidate::Layers::may_be_taken, Candidate::Absence::told,
         [this, place] { return std::optional(place->read(inputs_.base.config.platform, context_)); }});
    return true;
  }

  void add_pushed(const image::Reference& reference, const std::string& why) {
    const std::string name = "registry:" + reference.full();
    if (std::ranges::any_of(candidates_, [&](const Candidate& other) { return other.name == name; })) return;
    candidates_.push_back({name, why, Candidate::Layers::may_be_taken, Candidate::Absence::usual, [this, reference] {
                             return std::optional(
                                 image::registry_place(reference)->read(inputs_.base.config.platform, context_));
                           }});
  }

  void add_last() {
    candidates_.push_back({"the project's store", "it was built last here", Candidate::Layers::stay,
                           Candidate::Absence::usual, [this] { return last(); }});
  }

  PreviousImage find() {
    PreviousImage result;
    for (const Candidate& candidate : candidates_) {
      if (is_cut_off_ && candidate.layers == Candidate::Layers::may_be_taken) continue;
      if (const std::string problem = try_candidate(candidate, result); problem.empty()) {
        return result;
      } else {
        const std::string said = fmt::format("{} {}", printable(candidate.name), problem);
        result.passed_over.push_back(said);
        if (candidate.absence == Candidate::Absence::told) {
          messages_.warning(fmt::format("the image before is not {}: it {}", printable(candidate.name), problem));
        }
      }
    }
    result.why = result.passed_over.empty() ? "nothing says where it is" : result.passed_over.back();
    return result;
  }

 private:
  std::optional<OpenedImage> last() const {
    std::optional<OpenedImage> opened = open_last(folder_);
    if (!opened) return std::nullopt;
    const image::Reference own = image::parse_reference(inputs_.project.image.name);
    const auto& found = opened->reference;
    if (!found || found->repository != own.repository || found->registry != own.registry) return std::nullopt;
    return opened;
  }

  /// Why it cannot be followed; empty when it was taken into `result`.
  std::string try_candidate(const Candidate& candidate, PreviousImage& result) {
    messages_.progress("looking for the image before: " + printable(candidate.name));
    try {
      const std::optional<OpenedImage> opened = candidate.open();
      if (!opened) return "has no image of this name";
      std::optional<plan::PlanRecord> record = build::carried_plan(opened->sealed.image);
      if (!record) return "carries no plan, so veneer did not make it";
      std::string difference =
          build::target_difference(record->target, build::recorded_target(inputs_.base, inputs_.target));
      if (!difference.empty()) return difference;
      result.name = opened->name;
      result.digest = opened->sealed.manifest_digest.text();
      result.why = candidate.why;
      result.previous = build::Previous{std::move(*record), opened->sealed.image.layers, nullptr};
      result.previous->split = build::carried_split(opened->sealed.image);
      if (opened->is_from_registry && opened->reference) {
        result.seen = PreviousImage::Seen{*opened->reference, opened->sealed.manifest};
      }
      using Layers = build::Previous::Layers;
      if (layers_ == PreviousLayers::verified) {
        result.previous->use = Layers::are_compared;
      } else if (candidate.layers == Candidate::Layers::may_be_taken && has_own_blobs(opened->sealed.image)) {
        result.previous->use = Layers::are_taken;
        result.previous->blobs =
            opened->blobs;  // and else they are let go: who reads a store's keeps it from being tidied
      }
      return {};
    } catch (const Error& error) {
      is_cut_off_ = error.kind() == ErrorKind::network;  // the others would be waited for as long
      return fmt::format("cannot be followed: {}", error.what());
    }
  }

  const build::BuildInputs& inputs_;
  PreviousLayers layers_;
  std::filesystem::path folder_;
  image::PlaceContext context_;
  Messages& messages_;
  std::vector<Candidate> candidates_;
  bool is_cut_off_ = false;
};

}  // namespace

PreviousImage find_previous(const build::BuildInputs& inputs, const BuildRequest& request,
                            const std::optional<python::GitFolder>& git, const std::filesystem::path& folder,
                            Surroundings& surroundings) {
  Search search(inputs, request.previous_layers, folder, surroundings);
  if (request.previous && !search.add_option(*request.previous)) return {.why = "--previous none"};
  if (!inputs.project.previous.empty() && !search.add_of_project(inputs.project) && !request.previous) {
    return {.why = "[tool.veneer] previous is none"};
  }
  for (const image::Reference& reference : request.pushed_to) {
    search.add_pushed(reference, "it has the tag that is pushed to");
  }
  if (!request.pushed_to.empty()) {
    image::Reference there = request.pushed_to.front();
    there.tag = "latest";
    search.add_pushed(there, "it is the latest of the repository that is pushed to");
    for (const std::string& tag : git ? newest_tags(*git->checkout) : std::vector<std::string>()) {
      const bool is_version = tag.size() > 1 && tag[0] == 'v' && is_digit(tag[1]);
      for (const std::string& name : {is_version ? tag.substr(1) : tag, tag}) {
        there.tag = name;
        if (image::is_tag(name)) search.add_pushed(there, fmt::format("it is that of the git tag {}", printable(tag)));
      }
    }
  }
  const bool is_here = request.destination == Destination::store && request.pushed_to.empty() &&
                       surroundings.environment("CI") != "true";
  if (is_here) search.add_last();
  PreviousImage found = search.find();
  surroundings.messages().clear_progress();
  return found;
}

std::string previous_text(const PreviousImage& previous) {
  if (previous.name.empty()) return fmt::format("no image before: {}", previous.why);
  return fmt::format("the image before: {} {} ({})", printable(previous.name), previous.digest, previous.why);
}

Value previous_value(const PreviousImage& previous) {
  Value::Array passed_over;
  for (const std::string& text : previous.passed_over) passed_over.emplace_back(text);
  Value value;
  value.set("image", previous.name.empty() ? Value() : Value(previous.name));
  value.set("manifest", previous.name.empty() ? Value() : Value(previous.digest));
  value.set("why", previous.why);
  value.set("passed_over", std::move(passed_over));
  return value;
}

}  // namespace veneer::app
