// The images that an engine holds, found by name and exported: what both Docker and podman answer to the same requests.
// Thread-safe as far as the transport is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine_transport.hh"
#include "foundation/digest.hh"
#include "foundation/stream.hh"

namespace veneer::engine {

struct EngineImage {
  Hash id;  // of the configuration, or of what the name stands for in a store of blobs
  std::string os;
  std::string architecture;
  std::string variant;
  std::uint64_t size = 0;  // bytes of its files, about
};

/// What `name` (a whole name, or sha256:HEX) stands for there; nothing when the engine has no such image. Throws Error
/// (network) when it answers anything else.
std::optional<EngineImage> find_image(EngineTransport& transport, const std::string& name);

/// Writes the archive of the image into `sink`, which is not committed. Throws Error (network) when the engine does not
/// give it.
void export_image(EngineTransport& transport, const Hash& id, ByteSink& sink);

/// From the answer to GET /images/NAME/json; nothing when it is none. What is shown later is filtered.
std::optional<EngineImage> read_engine_image(std::string_view answer);

}  // namespace veneer::engine
