// A container engine behind the Docker Engine API: Docker 20.10 and later with either store, and podman's API of that
// name. Called by ship.hh. Requests go to unversioned paths, which every engine answers in its newest version. What an
// engine must do is in docs/receivers.md. One engine belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "deliver/inventory.hh"
#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/engine_transport.hh"
#include "foundation/stream.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// The label of the containers that are made to see whether an image can run; its value is the manifest digest.
inline constexpr std::string_view check_label = "dev.veneer.check";

/// Why an image is not there as it should be.
struct Problem {
  enum class Kind {
    incomplete,  // something that was left out is not on the host: sending every layer helps
    other,
  };
  Kind kind = Kind::other;
  std::string text;
};

class DockerEngine {
 public:
  explicit DockerEngine(std::unique_ptr<EngineTransport> transport) : transport_(std::move(transport)) {}

  /// Asks what the host has. Images named like `repository` and those with our label are asked for their layers first;
  /// of more than 500 images the rest is only counted. Throws Error (network).
  Inventory inventory(const EngineName& repository);

  /// Loads an archive of exactly `size` bytes. Returns what the engine said went wrong, nothing when it said nothing:
  /// the image still has to be verified. Throws Error (network) when the connection breaks.
  std::optional<Problem> load(ByteSource& archive, std::uint64_t size);

  /// Whether `name` stands for `sealed`, with these layers, complete, and a container can be created of it (one is, and
  /// removed again). Returns what is wrong, nothing when all is well.
  std::optional<Problem> verify(const EngineName& name, const image::SealedImage& sealed, const Inventory& inventory);

  /// Gives the image `source` (a full name, or "sha256:" and an identifier) the name `name`, which moves when another
  /// image has it. Throws Error (network).
  void tag(const std::string& source, const EngineName& name);

  /// Takes the name away; an image that has no other one goes with it, images below it stay. Whether there was one.
  bool remove_name(const EngineName& name);

  /// Requests sent so far.
  int requests() const { return requests_; }

 private:
  EngineAnswer call(std::string_view method, const std::string& target, std::uint64_t answer_limit,
                    const std::string& json = {});
  std::string get(const std::string& target, std::uint64_t answer_limit);
  std::optional<Problem> try_container(const EngineName& name, const image::SealedImage& sealed);
  bool remove_own_container(const std::string& container, const image::SealedImage& sealed);

  std::unique_ptr<EngineTransport> transport_;
  int requests_ = 0;
};

}  // namespace veneer::deliver
