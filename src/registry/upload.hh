// Blobs into a repository of a registry (distribution-spec 1.1, "Pushing blobs"): in one request or in chunks, by what
// the registry is known to take. What is cut goes on from where the registry is; only when it has forgotten the upload,
// or did not answer in time and may still be at work, another one is begun. Thread-safe: several blobs at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "foundation/digest.hh"
#include "foundation/stream.hh"
#include "registry/memory.hh"
#include "registry/session.hh"

namespace veneer::registry {

/// A blob to be sent. `open` gives all of it and may be called again.
struct OutgoingBlob {
  BlobDigest digest;
  std::uint64_t size = 0;
  std::function<std::unique_ptr<ByteSource>()> open;
};

/// Hears of bytes that go out, also of those that go out again, and of connections that were lost: one of both.
struct UploadEvent {
  std::uint64_t bytes = 0;
  std::string lost;  // why
};

class Uploader {
 public:
  /// All must outlive it. `on_event` hears from the threads that send, several at once.
  Uploader(
      Session& session, Memory& memory, std::string repository,
      std::function<void(const UploadEvent&)> on_event = [](const auto&) {});

  /// Sends the blob. `location`: an upload that is begun, see mount(). Throws Error: network (what the registry
  /// refuses, a line that fails six times without getting further, or is cut 32 times), verification (the registry
  /// got other bytes), and what the blob's source throws.
  void send(const OutgoingBlob& blob, std::optional<std::string> location = std::nullopt);

  /// Takes `digest` from another repository of the same registry. A registry that does not may begin an upload
  /// instead. Never throws for what it refuses.
  struct Mounted {
    bool is_there = false;
    std::optional<std::string> location;
  };
  Mounted mount(const BlobDigest& digest, const std::string& from);

  /// Whether the repository has the blob.
  bool has(const BlobDigest& digest);

 private:
  class Upload;

  Session& session_;
  Memory& memory_;
  std::string repository_;
  std::function<void(const UploadEvent&)> on_event_;
};

/// How many bytes a Range header says that are there ("0-1023": 1024); nothing for another form (also read:
/// "bytes=0-1").
std::optional<std::uint64_t> read_received(std::string_view range);

}  // namespace veneer::registry
