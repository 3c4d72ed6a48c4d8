#include "deliver/receiver/registry/referrer.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/manifest.hh"
#include "image/media_type.hh"
#include "registry/upload.hh"

namespace veneer::deliver {

namespace {

constexpr std::string_view empty_type = "application/vnd.oci.empty.v1+json";
constexpr std::string_view empty_text = "{}";
constexpr std::size_t most_referrers = 1000;
constexpr int most_attempts = 4;

registry::OutgoingBlob blob_of(std::string_view text) {
  return {BlobDigest{sha256(text)}, text.size(), [text] { return std::make_unique<MemorySource>(as_bytes(text)); }};
}

Value descriptor_of(std::string_view type, std::string_view text) {
  return image::descriptor_value(type, BlobDigest{sha256(text)}.text(), text.size());
}

class Repository {
 public:
  Repository(const std::shared_ptr<registry::Session>& session, registry::Memory& memory, const std::string& name)
      : session_(*session), repository_(session, name), uploader_(*session, memory, name), name_(name) {}

  void send_blob(std::string_view text) {
    const registry::OutgoingBlob blob = blob_of(text);
    if (!uploader_.has(blob.digest)) uploader_.send(blob);
  }

  registry::Answer put_manifest(const std::string& reference, std::string_view type, const std::string& text) {
    registry::Call call;
    call.method = "PUT";
    call.target = fmt::format("{}/manifests/{}", name_, reference);
    call.scopes = {registry::push_scope(name_)};
    call.headers.push_back({"Content-Type", std::string(type)});
    call.body = registry::Body{[&text] { return std::make_unique<MemorySource>(as_bytes(text)); }, text.size()};
    registry::Answer answer = session_.send(call);
    if (!answer.ok()) registry::throw_refusal(session_, answer, fmt::format("the manifest {}", reference));
    return answer;
  }

  /// What the tag stands for, as the referrers that are listed there.
  Value::Array listed(const std::string& tag) const {
    const auto document = repository_.manifest(tag);
    if (!document) return {};
    return in_context([&] { return fmt::format("the tag {} of {}, which lists what tells of the image", tag, name_); },
                      [&] {
                        const Value index = parse_json(document->text);
                        if (index.string_or("mediaType", document->media_type) != image::oci_index_type) {
                          throw Error(ErrorKind::refused, "it does not stand for an index");
                        }
                        return index.array_or_empty("manifests");
                      });
  }

 private:
  registry::Session& session_;
  registry::Repository repository_;
  registry::Uploader uploader_;
  std::string name_;
};

bool lists(const Value::Array& referrers, const std::string& digest) {
  return std::ranges::any_of(referrers, [&](const Value& entry) { return entry.string_or("digest", "") == digest; });
}

/// Two who do it at the same moment may take each other's entry away: it is looked whether ours stayed.
void list_by_tag(Repository& repository, const std::string& tag, const Value& entry) {
  const std::string digest = entry.at("digest").string();
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    Value::Array referrers = repository.listed(tag);
    if (lists(referrers, digest)) return;
    if (referrers.size() >= most_referrers) {
      throw Error(ErrorKind::refused, fmt::format("the tag {} lists more than {} documents", tag, most_referrers));
    }
    referrers.push_back(entry);
    Value index;
    index.set("schemaVersion", 2);
    index.set("mediaType", image::oci_index_type);
    index.set("manifests", std::move(referrers));
    repository.put_manifest(tag, image::oci_index_type, to_json(index));
  }
  if (!lists(repository.listed(tag), digest)) {
    throw Error(ErrorKind::network, fmt::format("others change the tag {} again and again", tag), "push once more");
  }
}

}  // namespace

Attached attach(const image::SealedImage& image, const Attachment& attachment,
                const std::shared_ptr<registry::Session>& session, registry::Memory& memory, const std::string& name) {
  const std::string subject_type = parse_json(image.manifest).string_or("mediaType", image::oci_manifest_type);
  Value layer = descriptor_of(attachment.type, attachment.text);
  Value annotations;
  annotations.set("org.opencontainers.image.title", attachment.title);
  layer.set("annotations", std::move(annotations));
  Value manifest;
  manifest.set("schemaVersion", 2);
  manifest.set("mediaType", image::oci_manifest_type);
  manifest.set("artifactType", attachment.type);
  manifest.set("config", descriptor_of(empty_type, empty_text));
  manifest.set("layers", Value::Array{std::move(layer)});
  manifest.set("subject", image::descriptor_value(subject_type, image.manifest_digest.text(), image.manifest.size()));
  const std::string text = to_json(manifest);
  Attached attached{{sha256(text)}};
  Repository repository(session, memory, name);
  repository.send_blob(empty_text);
  repository.send_blob(attachment.text);
  const registry::Answer answer = repository.put_manifest(attached.manifest.text(), image::oci_manifest_type, text);
  if (answer.header("OCI-Subject") != nullptr) return attached;
  attached.listing = Attached::Listing::by_tag;
  Value entry = image::descriptor_value(image::oci_manifest_type, attached.manifest.text(), text.size());
  entry.set("artifactType", attachment.type);
  list_by_tag(repository, "sha256-" + image.manifest_digest.hex(), entry);
  return attached;
}

}  // namespace veneer::deliver
