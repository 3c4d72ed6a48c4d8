// A container engine behind the Docker Engine API: Docker 20.10 and later with either store, and podman's API of that
// name. Requests go to unversioned paths, which every engine answers in its newest version. What an
// engine must do is in docs/receivers.md. One engine belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "deliver/inventory.hh"
#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/receiver.hh"
#include "engine/engine_transport.hh"
#include "foundation/stream.hh"
#include "image/image.hh"

namespace veneer::deliver {

class DockerEngine : public Receiver {
 public:
  /// `read_back`: a folder for layers that the engine is asked to give back, when it is so near that this costs less
  /// than sending them. Without it nothing is spliced.
  /// `helper_socket`: where the engine listens on its host, for a helper container that splices there.
  explicit DockerEngine(std::unique_ptr<engine::EngineTransport> transport,
                        std::optional<std::filesystem::path> read_back = std::nullopt,
                        std::optional<std::string> helper_socket = std::nullopt)
      : transport_(std::move(transport)), read_back_(std::move(read_back)), helper_socket_(std::move(helper_socket)) {}

  /// Images named like the repository and those with our label are asked for their layers first, many at once; of more
  /// than 500 images the rest is only counted.
  Inventory inventory(const Question& question, const OnEvent& on_event = {}) override;

  std::optional<Problem> take(const Delivery& delivery, const OnEvent& on_event) override;

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

  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  /// Each request waits for its answer, but for those of an inventory.
  int round_trips() const override { return requests_; }

 private:
  engine::EngineAnswer call(std::string_view method, const std::string& target, std::uint64_t answer_limit,
                            const std::string& json = {});
  std::string get(const std::string& target, std::uint64_t answer_limit);
  void find_foreign_blobs(Inventory& inventory, const Question& question);
  std::optional<Problem> send(const SentArchive& archive, const OnEvent& on_event);
  std::optional<Problem> bring(const Delivery& delivery, const OnEvent& on_event);
  std::optional<Problem> splice_by_helper(const Delivery& delivery, const OnEvent& on_event);
  std::optional<Problem> climb(const Delivery& delivery, const OnEvent& on_event);
  void remove_rungs(const Delivery& delivery);
  std::optional<Problem> load_and_verify(const Delivery& delivery, const OnEvent& on_event);
  void clean_up(const Delivery& delivery, const OnEvent& on_event);
  std::optional<Problem> try_container(const EngineName& name, const image::SealedImage& sealed);
  bool remove_own_container(const std::string& container, const image::SealedImage& sealed);

  std::unique_ptr<engine::EngineTransport> transport_;
  std::optional<std::filesystem::path> read_back_;
  std::optional<std::string> helper_socket_;
  int requests_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace veneer::deliver
