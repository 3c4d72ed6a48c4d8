// One repository of a registry: its manifests, blobs and tags, as bytes (OCI distribution-spec 1.1, "Pull"). What the
// documents mean is for image/. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/stream.hh"
#include "registry/session.hh"

namespace veneer::registry {

/// A manifest or an index, exactly as it is stored.
struct Document {
  std::string media_type;  // as the registry names it; empty when it does not
  std::string text;
  ManifestDigest digest;
};

/// What a registry takes for a manifest: those of OCI and of Docker's schema 2, images and indexes.
inline constexpr std::string_view accepted_manifests =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::uint64_t manifest_limit = 8ull << 20;  // bytes

class Repository {
 public:
  /// `name` as in references: "library/python".
  Repository(std::shared_ptr<Session> session, std::string name);

  const std::string& name() const { return name_; }
  Session& session() const { return *session_; }

  /// The manifest that `reference`, a tag or "sha256:...", names; nothing when there is none. Its digest is that of its
  /// bytes, and the one asked for or the one that the registry names (else Error verification). Throws Error: refused
  /// for schema 1, what is longer than manifest_limit; network.
  std::optional<Document> manifest(std::string_view reference) const;
  /// The digest that `reference` has now, by HEAD; nothing when there is none, or the registry does not say.
  std::optional<ManifestDigest> digest_of(std::string_view tag) const;

  /// Which of `blobs` the repository has, all asked at once. Throws Error (network).
  std::vector<bool> has(const std::vector<BlobDigest>& blobs) const;

  /// Writes the bytes of a blob of `size` bytes from `offset` on into `sink`, which is not committed; returns how many
  /// came. Fewer than there are: the line broke, and a call with another offset goes on; none: the registry has no
  /// more. Not verified but for the size. Throws Error: not_found, verification (more than `size`), network when
  /// nothing came.
  std::uint64_t read_blob(const BlobDigest& blob, std::uint64_t size, std::uint64_t offset, ByteSink& sink) const;

  /// All tags, by as many pages as there are; Error (refused) for more than 10 000 tags or 1000 pages.
  std::vector<std::string> tags() const;

 private:
  Call call(std::string_view method, const std::string& target) const;

  std::shared_ptr<Session> session_;
  std::string name_;
};

}  // namespace veneer::registry
