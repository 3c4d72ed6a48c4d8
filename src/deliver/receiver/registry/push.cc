#include "deliver/receiver/registry/push.hh"

#include <fmt/format.h>

#include <algorithm>

#include "deliver/blob_delivery.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/json.hh"
#include "foundation/parallel.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"
#include "image/parse.hh"
#include "image/platform.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t parallel_uploads = 4;

/// Bytes of memory that outlive the reading.
std::unique_ptr<ByteSource> source_of(const std::string& text) {
  return std::make_unique<MemorySource>(as_bytes(text));
}

/// What `ask` gives; nothing when the registry does not let it be read. Whether it lets the image be written will be
/// seen.
template <typename Ask>
auto readable(const Ask& ask) -> decltype(ask()) {
  try {
    return ask();
  } catch (const net::TransportError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::network) throw;
    return std::nullopt;
  }
}

std::string manifest_type(const image::SealedImage& sealed) {
  // An image that was read keeps its bytes, and with them what they say to be.
  return parse_json(sealed.manifest).string_or("mediaType", image::oci_manifest_type);
}

}  // namespace

Push::Push(const image::SealedImage& sealed, const image::Blobs& blobs, std::shared_ptr<registry::Session> session,
           registry::Memory& memory, PushRequest request, OnEvent on_event)
    : sealed_(sealed),
      blobs_(blobs),
      session_(std::move(session)),
      repository_(session_, request.name.repository),
      memory_(memory),
      request_(std::move(request)),
      on_event_(std::move(on_event)) {
  names_.push_back(request_.name);
  for (const std::string& tag : request_.also_tags) {
    image::Reference name = request_.name;
    name.tag = tag;
    if (std::ranges::find(names_, name) == names_.end()) names_.push_back(std::move(name));
  }
  inventory_.kind = ReceiverKind::blobs;
  inventory_.intake = Intake::blobs;
  inventory_.engine.name = "registry";
}

/// What was pushed last names the most, unless it is this very image: then it may have its tags. Of tags "latest" is
/// the one that moves.
std::vector<std::string> Push::names_to_ask() const {
  std::vector<std::string> asked;
  for (const image::Reference& name : names_) asked.push_back(*name.tag);
  std::ranges::stable_partition(asked, [](const std::string& tag) { return tag == "latest"; });
  if (const auto last = memory_.pushed(request_.name.repository)) {
    asked.insert(*last == sealed_.manifest_digest ? asked.end() : asked.begin(), last->text());
  }
  return asked;
}

void Push::learn(const std::string& name) {
  ++inventory_.round_trips;
  auto document = readable([&] { return repository_.manifest(name); });
  if (!document) return;
  KnownImage known;
  known.completeness = Completeness::whole;
  known.id = document->digest.hash;
  if (!name.starts_with("sha256:")) {
    image::Reference reference = request_.name;
    reference.tag = name;
    known.names = {reference.full()};
  }
  try {
    if (image::document_kind(document->media_type) == image::DocumentKind::index) {
      const image::Index index = image::parse_index(document->text, document->media_type);
      const image::Descriptor& entry = image::select_entry(index, sealed_.image.config.platform);
      document = repository_.manifest(entry.digest.text());
      ++inventory_.round_trips;
      if (!document) return;
      known.id = document->digest.hash;
      known.names.clear();  // they stand for the index
    }
  } catch (const Error&) {  // something else than an image; it will be replaced
    return;
  }
  learn_layers(document->text, std::move(known));
}

/// What a manifest names. Something else than an image's names nothing; it will be replaced.
void Push::learn_layers(const std::string& text, KnownImage known) {
  try {
    const image::Manifest manifest = image::parse_manifest(text);
    known.found_blobs.insert(manifest.config.digest);
    for (const image::Descriptor& layer : manifest.layers) known.found_blobs.insert(layer.digest);
  } catch (const Error&) {
    return;
  }
  const auto same = std::ranges::find(inventory_.images, known.id, &KnownImage::id);
  if (same != inventory_.images.end()) {
    same->names.insert(same->names.end(), known.names.begin(), known.names.end());
  } else {
    inventory_.images.push_back(std::move(known));
  }
}

/// Those of the layers and the configuration that are not known to be there, each once.
std::vector<registry::OutgoingBlob> Push::unknown_blobs() const {
  std::vector<registry::OutgoingBlob> unknown;
  std::set<BlobDigest> seen;
  for (const image::Layer& layer : sealed_.image.layers) {
    if (why_there(inventory_, layer.blob) || !seen.insert(layer.blob).second) continue;
    unknown.push_back({layer.blob, layer.size, [this, layer] { return image::open_blob(blobs_, layer); }});
  }
  const BlobDigest config{sealed_.config_digest.hash};
  if (!why_there(inventory_, config) && seen.insert(config).second) {
    unknown.push_back({config, sealed_.config.size(), [this] { return source_of(sealed_.config); }});
  }
  return unknown;
}

/// Where a manifest tells what the repository had, what was made since then is not there. The configuration is named by
/// the image alone.
bool Push::is_unasked(const registry::OutgoingBlob& blob) const {
  if (blob.digest.hash == sealed_.config_digest.hash) return true;
  return !inventory_.images.empty() && request_.just_made.contains(blob.digest) && blob.size <= memory_.limits().chunk;
}

bool Push::knows_enough() const {
  const auto unknown = unknown_blobs();
  return !inventory_.images.empty() &&
         std::ranges::all_of(unknown, [this](const auto& blob) { return is_unasked(blob); });
}

/// What was seen before is not asked for again, unless it is this very image: then its tags are wanted.
void Push::ask_what_is_named() {
  if (const Hash seen = sha256(request_.seen); !request_.seen.empty() && seen != sealed_.manifest_digest.hash) {
    KnownImage known;
    known.completeness = Completeness::whole;
    known.id = seen;
    learn_layers(request_.seen, std::move(known));
    if (knows_enough()) return;
  }
  for (const std::string& name : names_to_ask()) {
    const bool is_known = std::ranges::any_of(
        inventory_.images, [&](const KnownImage& known) { return name == ManifestDigest{known.id}.text(); });
    if (!is_known) learn(name);
    if (knows_enough()) return;
  }
}

void Push::ask_what_is_there() {
  std::vector<BlobDigest> asked;
  for (const registry::OutgoingBlob& blob : unknown_blobs()) {
    if (!is_unasked(blob)) asked.push_back(blob.digest);
  }
  if (asked.empty()) return;
  ++inventory_.round_trips;
  const auto has = readable([&] { return std::optional(repository_.has(asked)); });
  for (std::size_t i = 0; has && i < asked.size(); ++i) {
    if ((*has)[i]) inventory_.blobs.insert(asked[i]);
  }
}

/// A repository that does not answer has nothing.
void Push::ask_what_can_be_mounted() {
  for (const std::string& name : request_.mount_from) {
    if (name == repository_.name()) continue;
    std::vector<BlobDigest> asked;
    for (const registry::OutgoingBlob& blob : unknown_blobs()) {
      if (!is_unasked(blob) && !inventory_.mountable.contains(blob.digest)) asked.push_back(blob.digest);
    }
    if (asked.empty()) return;
    const registry::Repository source(session_, name);
    try {
      const std::vector<bool> has = source.has(asked);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        if (has[i]) inventory_.mountable.emplace(asked[i], name);
      }
    } catch (const Error& error) {
      notes_.push_back(fmt::format("nothing is taken from {}: {}", name, error.message()));
    }
    ++inventory_.round_trips;
  }
}

const DeliveryPlan& Push::plan() {
  tell(on_event_, {Event::Kind::asking, {}, 0, 0});
  ask_what_is_named();
  ask_what_is_there();
  ask_what_can_be_mounted();
  DeliveryOptions options;
  options.names = names_;
  result_.plan = deliver(sealed_, inventory_, request_.line, options);
  result_.plan.notes = notes_;
  tell(on_event_, {Event::Kind::planned, result_.plan.why, 0, 0});
  return result_.plan;
}

void Push::check_gates() const {
  if (request_.most_bytes && result_.plan.bytes > *request_.most_bytes) {
    throw Error(ErrorKind::gate, fmt::format("{} bytes would be sent to {}, {} are allowed", result_.plan.bytes,
                                             printable(request_.name.full()), *request_.most_bytes));
  }
}

void Push::count(const registry::UploadEvent& event) {
  const std::lock_guard lock(mutex_);
  if (!event.lost.empty()) {
    tell(on_event_, {Event::Kind::reconnecting, event.lost, 0, 0});
    return;
  }
  result_.bytes_sent += event.bytes;
  tell(on_event_, {Event::Kind::sending, {}, result_.bytes_sent, std::max(result_.plan.bytes, result_.bytes_sent)});
}

void Push::send_blob(registry::Uploader& uploader, const registry::OutgoingBlob& blob) {
  registry::Uploader::Mounted mounted;
  if (const auto source = inventory_.mountable.find(blob.digest); source != inventory_.mountable.end()) {
    mounted = uploader.mount(blob.digest, source->second);
  }
  if (!mounted.is_there) uploader.send(blob, mounted.location);
  const std::lock_guard lock(mutex_);
  fail_point("push-blob");
}

/// What is not known to be there: largest first, so that no large one is left for the end.
void Push::send_blobs() {
  std::vector<registry::OutgoingBlob> blobs = unknown_blobs();
  std::ranges::stable_sort(blobs, std::greater{}, &registry::OutgoingBlob::size);
  registry::Uploader uploader(*session_, memory_, repository_.name(),
                              [this](const registry::UploadEvent& event) { count(event); });
  parallel_for(blobs.size(), parallel_uploads, [&](std::size_t i) { send_blob(uploader, blobs[i]); });
  for (const registry::OutgoingBlob& blob : blobs) inventory_.blobs.insert(blob.digest);
}

/// False when the registry lacks what the manifest names.
bool Push::put_manifest_once(const image::Reference& name) {
  registry::Call call;
  call.method = "PUT";
  call.target = fmt::format("{}/manifests/{}", repository_.name(), *name.tag);
  call.scopes = {registry::push_scope(repository_.name())};
  call.headers.push_back({"Content-Type", manifest_type(sealed_)});
  call.body = registry::Body{[this] { return source_of(sealed_.manifest); }, sealed_.manifest.size()};
  const registry::Answer answer = session_->send(call);
  count({sealed_.manifest.size(), {}});
  if (answer.ok()) return true;
  const registry::RefusalText refusal = registry::read_refusal(answer.text);
  if (refusal.has("MANIFEST_BLOB_UNKNOWN") || refusal.has("BLOB_UNKNOWN")) return false;
  throw_refusal(*session_, answer, "manifest " + name.full());
}

void Push::put_manifest(const image::Reference& name) {
  tell(on_event_, {Event::Kind::naming, name.full(), 0, 0});
  if (put_manifest_once(name)) return;
  tell(on_event_, {Event::Kind::sending_whole, "a layer that a manifest names is gone", 0, 0});
  inventory_.images.clear();
  inventory_.blobs.clear();
  ask_what_is_there();
  send_blobs();
  if (!put_manifest_once(name)) {
    throw Error(ErrorKind::network,
                fmt::format("{} does not know layers that it received", printable(session_->address().name)));
  }
}

PushResult Push::carry_out() {
  if (find_same_image(inventory_, sealed_) == nullptr) send_blobs();
  fail_point("push-before-manifest");
  const KnownImage* same = find_same_image(inventory_, sealed_);
  const std::vector<std::string> has = same == nullptr ? std::vector<std::string>{} : same->names;
  for (const image::Reference& name : names_) {
    if (std::ranges::find(has, name.full()) == has.end()) put_manifest(name);
    result_.names.push_back(name);
    fail_point("push-tag");
  }
  memory_.set_pushed(repository_.name(), sealed_.manifest_digest);
  return std::move(result_);
}

}  // namespace veneer::deliver
