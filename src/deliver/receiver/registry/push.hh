// Brings an image into a repository of a registry: asks what is there, plans, sends what is missing, largest first and
// several at once, then the manifest, and last gives the tags. One call belongs to one thread; it starts others to
// send.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "deliver/receiver/receiver.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/reference.hh"
#include "registry/memory.hh"
#include "registry/repository.hh"
#include "registry/upload.hh"

namespace veneer::deliver {

struct PushRequest {
  image::Reference name;                // with a tag
  std::vector<std::string> also_tags;   // of the same repository
  std::vector<std::string> mount_from;  // repositories of the same registry that may have layers
  std::set<BlobDigest> just_made;       // what small ones of these the repository will not have: they are not asked for
  std::string seen;                     // a manifest that the repository was found to have, for this push; empty: none
  Line line;
  std::optional<std::uint64_t> most_bytes;  // gate: what costs more is not sent
};

struct PushResult {
  DeliveryPlan plan;
  std::vector<image::Reference> names;  // that stand for the image now
  std::uint64_t bytes_sent = 0;         // of blobs and manifests, counted as they went
};

class Push {
 public:
  /// All must outlive it.
  Push(const image::SealedImage& sealed, const image::Blobs& blobs, std::shared_ptr<registry::Session> session,
       registry::Memory& memory, PushRequest request, OnEvent on_event);
  /// Asks the registry and plans; sends nothing. To be called first, and once. Throws Error (network).
  const DeliveryPlan& plan();
  /// Throws gate when the plan costs more than the request allows.
  void check_gates() const;
  /// Carries the plan out. To be called once. A tag stands for the old image or for the whole new one at every moment.
  /// Throws Error: network, verification, and what the blobs throw.
  PushResult carry_out();

 private:
  void ask_what_is_named();
  void learn_layers(const std::string& manifest, KnownImage known);
  bool knows_enough() const;
  void ask_what_is_there();
  void ask_what_can_be_mounted();
  std::vector<std::string> names_to_ask() const;
  std::vector<registry::OutgoingBlob> unknown_blobs() const;
  void learn(const std::string& name);
  void send_blobs();
  void send_blob(registry::Uploader& uploader, const registry::OutgoingBlob& blob);
  void put_manifest(const image::Reference& name);
  bool put_manifest_once(const image::Reference& name);
  bool is_unasked(const registry::OutgoingBlob& blob) const;
  void count(const registry::UploadEvent& event);

  const image::SealedImage& sealed_;
  const image::Blobs& blobs_;
  std::shared_ptr<registry::Session> session_;
  registry::Repository repository_;
  registry::Memory& memory_;
  PushRequest request_;
  OnEvent on_event_;
  std::vector<image::Reference> names_;  // to be given
  Inventory inventory_;
  std::vector<std::string> notes_;
  PushResult result_;
  std::mutex mutex_;  // of what the threads that send tell
};

}  // namespace veneer::deliver
