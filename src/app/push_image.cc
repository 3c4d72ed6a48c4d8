#include "app/push_image.hh"

#include <fmt/format.h>

#include "app/write_image.hh"
#include "foundation/error.hh"
#include "registry/kept_blobs.hh"
#include "registry/registries.hh"

namespace veneer::app {

namespace {

constexpr std::string_view place_prefix = "registry:";

image::Reference parse(const std::string& text, const std::string& hint) {
  std::string_view name = text;
  if (name.starts_with(place_prefix)) name.remove_prefix(place_prefix.size());
  try {
    return image::parse_reference(name);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.what(), hint);
  }
}

}  // namespace

image::Reference parse_push_name(const std::string& text) {
  if (!text.starts_with(place_prefix) && image::names_a_place(text)) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no name of a registry", printable(text)),
                "veneer build -o writes layouts and archives, veneer ship brings an image to an engine");
  }
  image::Reference name = parse(text, "such as registry.example/team/shop:1.2");
  if (name.digest) {
    throw Error(ErrorKind::usage, fmt::format("'{}' has a digest; what is pushed has its own", printable(text)),
                "name a tag");
  }
  return image::with_default_tag(std::move(name));
}

std::string parse_also_tag(const std::string& text, const image::Reference& name) {
  if (image::is_tag(text)) return text;
  const image::Reference other = parse(text, "a tag, such as latest, or a whole name with one");
  if (other.registry != name.registry || other.repository != name.repository || !other.tag || other.digest) {
    throw Error(ErrorKind::usage,
                fmt::format("--also-tag '{}' is no tag of {}/{}", printable(text), name.registry, name.repository),
                "for another repository push once more");
  }
  return *other.tag;
}

std::string parse_mount_from(const std::string& text, const image::Reference& name) {
  const std::string own = name.registry + "/";
  const std::string whole = text.starts_with(place_prefix) || image::names_registry(text) ? text : own + text;
  const image::Reference other = parse(whole, "a repository, such as team/base");
  if (other.registry != name.registry) {
    throw Error(ErrorKind::usage, fmt::format("--mount-from '{}' is not in {}", printable(text), name.registry),
                "a registry mounts what it has itself");
  }
  return other.repository;
}

ImagePush::ImagePush(const OpenedImage& image, const Made& made, const PushTarget& target, Surroundings& surroundings,
                     deliver::OnEvent on_event, std::string seen)
    : sealed_(image.sealed), repository_(target.name.repository), cache_(surroundings.cache_folder()) {
  memory_ = std::make_unique<registry::Memory>(surroundings.cache_folder(), target.name.registry,
                                               surroundings.seconds_since_1970());
  deliver::PushRequest request;
  request.name = target.name;
  request.also_tags = target.also_tags;
  if (target.mounts == PushTarget::Mounts::tried) {
    request.mount_from = target.mount_from;
    for (const std::string& origin : {made.base, image.name}) {
      if (!origin.starts_with(place_prefix)) continue;
      const image::Reference other = parse(origin, "");
      if (other.registry == target.name.registry) request.mount_from.push_back(other.repository);
    }
  }
  request.just_made = made.layers;
  request.line = {target.bytes_per_second, deliver::usual_round_trip};
  request.most_bytes = target.most_bytes;
  request.seen = std::move(seen);
  const auto registries = open_registries(surroundings.current_folder(), surroundings, target.patience);
  session_ = registries->session(target.name.registry);
  push_ = std::make_unique<deliver::Push>(image.sealed, *image.blobs, session_, *memory_, std::move(request),
                                          std::move(on_event));
}

/// The next build looks at it; where it cannot be kept, that one fetches it.
void ImagePush::keep_configuration() const {
  try {
    registry::KeptBlobs(cache_).keep_document(sealed_.config_digest.hash, sealed_.config);
  } catch (const Error&) {
    return;
  }
}

deliver::PushResult ImagePush::carry_out() {
  push_->check_gates();
  try {
    deliver::PushResult result = push_->carry_out();
    memory_->save();
    keep_configuration();
    return result;
  } catch (...) {
    memory_->save();  // what was learned on the way holds
    throw;
  }
}

deliver::Attached ImagePush::attach(const deliver::Attachment& attachment) {
  return deliver::attach(sealed_, attachment, session_, *memory_, repository_);
}

PushedBuild push_built(const BuildSession& session, const build::BuiltImage& built, const PushTarget& target,
                       const std::optional<deliver::Attachment>& attachment, Surroundings& surroundings,
                       const deliver::OnEvent& on_event) {
  const OpenedImage image{built.sealed, blobs_of(session), session.image_name(), std::nullopt};
  std::string seen;
  if (const auto& found = session.previous().seen; found && found->repository.registry == target.name.registry &&
                                                   found->repository.repository == target.name.repository) {
    seen = found->manifest;
  }
  ImagePush push(image, made_of(built, session.inputs().base.name), target, surroundings, on_event, std::move(seen));
  push.plan();
  PushedBuild pushed{push.carry_out(), {}};
  if (attachment) pushed.attached = push.attach(*attachment);
  return pushed;
}

}  // namespace veneer::app
