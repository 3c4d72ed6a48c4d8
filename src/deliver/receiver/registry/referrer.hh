// Brings a document into a repository that tells of an image in it (OCI image-spec 1.1, "Guidelines for Artifact
// Usage"; distribution-spec 1.1, "Pushing Manifests with Subject" and "Referrers Tag Schema"). One thread.
#pragma once

#include <string>

#include "foundation/digest.hh"
#include "image/image.hh"
#include "registry/memory.hh"
#include "registry/repository.hh"

namespace veneer::deliver {

struct Attachment {
  std::string type;   // of the artifact and of its only layer: "application/spdx+json"
  std::string title;  // what a tool that fetches it calls the file: "sbom.spdx.json"
  std::string text;
};

struct Attached {
  ManifestDigest manifest;  // of the artifact
  enum class Listing {
    by_registry,  // by its referrers API
    by_tag,       // in the index of the tag "sha256-..." of the image, which this wrote
  } listing = Listing::by_registry;
};

/// Attaches it to `image`, whose manifest is in `repository`. The same attachment gives the same manifest, and doing it
/// twice changes nothing. Throws Error: network (what the registry refuses), refused (the tag of referrers stands for
/// something else than an index, or for one with more than 1000 entries).
Attached attach(const image::SealedImage& image, const Attachment& attachment,
                const std::shared_ptr<registry::Session>& session, registry::Memory& memory,
                const std::string& repository);

}  // namespace veneer::deliver
