// Layers that an engine holds, read back by `save` and kept in a folder as plain tars: what a splice needs when the
// engine is on this machine; and which blobs it holds, where it does not tell. Thread-safe for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "deliver/delivery_plan.hh"
#include "engine/engine_transport.hh"
#include "foundation/file.hh"
#include "image/blobs.hh"

namespace veneer::deliver {

class ReadBack : public image::Blobs {
 public:
  /// Reads every layer that `plan` splices into a folder in `parent` that goes with this object. Each is verified: a
  /// layer's name in a saved image differs from engine to engine, its bytes do not. `others` has the layers that are
  /// sent. Throws Error (verification) when the engine does not give one of them.
  ReadBack(engine::EngineTransport& transport, const DeliveryPlan& plan, const image::Blobs& others,
           const std::filesystem::path& parent);

  /// `plan` with what was read back as layers to send.
  DeliveryPlan as_sent(const DeliveryPlan& plan) const;

  bool contains(const BlobDigest& digest) const override;
  void bring(const std::set<BlobDigest>& digests) const override;
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override;
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override;

 private:
  void read_image(engine::EngineTransport& transport, const Hash& image);

  const image::Blobs& others_;
  TemporaryFolder folder_;
  std::map<Hash, std::uint64_t> wanted_;  // diff ID -> bytes, 0 until it is here
};

/// Those of `wanted` that the engine, one with a store of blobs, gives whole when it saves `image`.
std::set<BlobDigest> find_blobs(engine::EngineTransport& transport, const Hash& image,
                                const std::set<BlobDigest>& wanted);

}  // namespace veneer::deliver
