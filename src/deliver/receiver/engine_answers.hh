// What a container engine answers, read with suspicion: sizes and counts are bounded, strings that will be shown or
// sent back are filtered, members of a wrong type count as absent. Pure; a LoadAnswer belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/inventory.hh"
#include "deliver/receiver/engine_name.hh"
#include "engine/engine_error.hh"
#include "foundation/stream.hh"

namespace veneer::deliver {

// Bounds on what is taken from an engine.
inline constexpr std::uint64_t largest_answer = 16 * 1024 * 1024;       // of a list of images
inline constexpr std::uint64_t largest_small_answer = 2 * 1024 * 1024;  // of anything else
inline constexpr std::size_t most_images = 10'000;                      // that are read from a list
inline constexpr std::size_t most_names = 100;                          // of one image
inline constexpr std::size_t most_layers = 1'000;                       // of one image

struct EngineFacts {
  Engine engine;
  image::Platform machine;
  ReceiverKind kind = ReceiverKind::prefix;
  Limits limits;
};

/// From the answers to GET /version and GET /info. Throws Error (network) when they are not such answers.
EngineFacts read_engine(std::string_view version, std::string_view info);

struct ListedImage {
  Hash id;
  std::vector<std::string> names;  // full
  std::int64_t created = 0;        // seconds since 1970
  bool labelled = false;           // has our label
  std::optional<bool> available;   // all of its blobs for `machine` are there; nothing when the engine does not tell
};

/// The request for the list of what `name` stands for alone. With `availability` the answer tells, from API 1.48 on,
/// whether all parts are there.
enum class Availability { told, left_out };
std::string list_target(const EngineName& name, Availability availability);

/// Only the containerd store can hold an image in part, and only newer ones say so.
bool tells_availability(ReceiverKind kind, const Engine& engine);

/// From the answer to GET /images/json. Entries without a SHA-256 identifier are left out. `machine` chooses among the
/// parts of an image for several machines.
std::vector<ListedImage> read_image_list(std::string_view answer, const image::Platform& machine);

/// From the answer to GET /images/NAME/json; nothing when it lacks the identifier or the layers, or has an odd one.
/// Completeness is left unknown.
std::optional<KnownImage> read_image(std::string_view answer);

/// The name of the container in the answer to POST /containers/create: 64 hexadecimal digits.
std::optional<std::string> read_container_id(std::string_view answer);

/// The identifiers in the answer to GET /containers/json; at most 1000.
std::vector<std::string> read_container_ids(std::string_view answer);

/// From the answer to POST /containers/NAME/wait.
std::optional<std::int64_t> read_exit_code(std::string_view answer);

/// The value of the label `key` in the answer to GET /containers/NAME/json.
std::optional<std::string> read_container_label(std::string_view answer, std::string_view key);

using engine::read_error;

/// Reads the stream of JSON lines that POST /images/load answers, as it comes. Throws Error (network) when it is longer
/// than a load may answer.
class LoadAnswer : public ByteSink {
 public:
  void write(ByteView bytes) override;
  /// Takes the line that has no end.
  void commit() override;

  /// What the engine reported as an error, also the lines that say "Error unpacking image" under a status of success.
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  void take_line();
  void report(std::string_view text);

  std::string line_;
  std::uint64_t count_ = 0;
  std::optional<std::string> problem_;
};

}  // namespace veneer::deliver
