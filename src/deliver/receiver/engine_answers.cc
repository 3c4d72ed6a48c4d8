#include "deliver/receiver/engine_answers.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/layer_limit.hh"
#include "foundation/text.hh"
#include "net/http.hh"

namespace veneer::deliver {

namespace {

struct ListedKind;  // of an identifier whose meaning depends on the engine

constexpr int api_minor_with_manifests = 48;  // GET /images/json?manifests=1 tells what is available
constexpr std::size_t longest_label = 256 * 1024;
constexpr std::uint64_t longest_answer_line = 1024 * 1024;
constexpr std::uint64_t longest_load_answer = 16 * 1024 * 1024;
constexpr std::size_t podman_layers = 128;
constexpr std::size_t containerd_layers = 200;  // as many as were tried

Value parse_answer(std::string_view text, std::string_view what) {
  try {
    return parse_json(text);
  } catch (Error& error) {
    throw Error(ErrorKind::network,
                fmt::format("the engine's answer about {} cannot be read: {}", what, error.message()));
  }
}

const Value* member_of(const Value& value, std::string_view key) {
  return value.is_table() ? value.find(key) : nullptr;
}

std::string_view text_of(const Value& value, std::string_view key) {
  const Value* found = member_of(value, key);
  return found != nullptr && found->is_string() ? std::string_view(found->string()) : std::string_view();
}

const Value::Array& array_of(const Value& value, std::string_view key) {
  static const Value::Array none;
  const Value* found = member_of(value, key);
  return found != nullptr && found->is_array() ? found->array() : none;
}

std::int64_t integer_of(const Value& value, std::string_view key) {
  const Value* found = member_of(value, key);
  return found != nullptr && found->is_integer() ? found->integer() : 0;
}

template <typename Kind>
std::optional<Digest<Kind>> digest_of(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto hash = Hash::from_hex(text.substr(prefix.size()));
  if (!hash) return std::nullopt;
  return Digest<Kind>{*hash};
}

std::vector<std::string> names_of(const Value& image) {
  std::vector<std::string> names;
  for (const Value& tag : array_of(image, "RepoTags")) {
    if (names.size() == most_names) break;
    if (!tag.is_string()) continue;
    if (const auto name = read_engine_name(tag.string())) names.push_back(name->full());
  }
  return names;
}

// "1.47" -> 47; 0 for anything that is no version 1.x.
int api_minor_of(std::string_view text) {
  int minor = 0;
  if (!text.starts_with("1.")) return 0;
  const auto result = std::from_chars(text.data() + 2, text.data() + text.size(), minor);
  return result.ec == std::errc() && minor > 0 && minor < 10'000 ? minor : 0;
}

bool is_podman(const Value& version) {
  return std::ranges::any_of(array_of(version, "Components"),
                             [](const Value& component) { return text_of(component, "Name").starts_with("Podman"); });
}

bool has_containerd_store(const Value& info) {
  return std::ranges::any_of(array_of(info, "DriverStatus"), [](const Value& pair) {
    return pair.is_array() && pair.array().size() == 2 && pair.array()[0] == Value("driver-type") &&
           pair.array()[1] == Value("io.containerd.snapshotter.v1");
  });
}

// Of an image for several machines the engine holds but one in full: that of `machine` decides.
std::optional<bool> availability_of(const Value& image, const image::Platform& machine) {
  const Value* manifests = member_of(image, "Manifests");
  if (manifests == nullptr || !manifests->is_array()) return std::nullopt;
  bool any = false;
  for (const Value& manifest : manifests->array()) {
    if (text_of(manifest, "Kind") != "image") continue;
    const Value* data = member_of(manifest, "ImageData");
    const Value* platform = data == nullptr ? nullptr : member_of(*data, "Platform");
    if (platform != nullptr) {
      const std::string_view os = text_of(*platform, "os");
      const std::string_view architecture = text_of(*platform, "architecture");
      if (!os.empty() && os != machine.os) continue;
      if (!architecture.empty() && architecture != machine.architecture) continue;
    }
    const Value* available = member_of(manifest, "Available");
    any = any || (available != nullptr && available->is_boolean() && available->boolean());
  }
  return any;
}

}  // namespace

EngineFacts read_engine(std::string_view version_answer, std::string_view info_answer) {
  const Value version = parse_answer(version_answer, "its version");
  const Value info = parse_answer(info_answer, "itself");
  EngineFacts facts;
  const bool podman = is_podman(version);
  facts.engine.name = podman ? "podman" : "docker";
  facts.engine.version = printable(text_of(version, "Version"), 60);
  facts.engine.api_minor = api_minor_of(text_of(version, "ApiVersion"));
  facts.machine.os = printable(text_of(version, "Os"), 30);
  facts.machine.architecture = printable(text_of(version, "Arch"), 30);
  if (facts.engine.version.empty() || facts.machine.os.empty() || facts.machine.architecture.empty()) {
    throw Error(ErrorKind::network, "the engine does not say its version and machine");
  }
  if (podman) {
    facts.kind = ReceiverKind::diff_ids;
    facts.limits.layers = podman_layers;
  } else if (has_containerd_store(info)) {
    facts.kind = ReceiverKind::blobs;
    facts.limits.layers = containerd_layers;
  } else {
    facts.kind = ReceiverKind::prefix;
    facts.limits.layers = mountable_layers;
  }
  return facts;
}

std::string list_target(const EngineName& name, Availability availability) {
  const std::string filter = to_json(Value::Table{{"reference", Value::Array{name.familiar()}}});
  return fmt::format("/images/json?{}filters={}", availability == Availability::told ? "manifests=1&" : "",
                     net::percent_encode(filter));
}

bool tells_availability(ReceiverKind kind, const Engine& engine) {
  return kind == ReceiverKind::blobs && engine.api_minor >= api_minor_with_manifests;
}

std::vector<ListedImage> read_image_list(std::string_view answer, const image::Platform& machine) {
  const Value list = parse_answer(answer, "its images");
  if (!list.is_array()) throw Error(ErrorKind::network, "the engine's answer about its images is no list");
  std::vector<ListedImage> images;
  for (const Value& entry : list.array()) {
    if (images.size() == most_images) break;
    const auto id = digest_of<ListedKind>(text_of(entry, "Id"));
    if (!id) continue;
    ListedImage image;
    image.id = id->hash;
    image.names = names_of(entry);
    image.created = integer_of(entry, "Created");
    const Value* labels = member_of(entry, "Labels");
    image.labelled = labels != nullptr && !text_of(*labels, image::layers_label).empty();
    image.available = availability_of(entry, machine);
    images.push_back(std::move(image));
  }
  return images;
}

std::optional<KnownImage> read_image(std::string_view answer) {
  const Value document = parse_answer(answer, "an image");
  const auto id = digest_of<ListedKind>(text_of(document, "Id"));
  const Value* root = member_of(document, "RootFS");
  if (!id || root == nullptr) return std::nullopt;
  KnownImage image;
  image.id = id->hash;
  image.names = names_of(document);
  image.size = static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(document, "Size"), 0));
  const Value::Array& layers = array_of(*root, "Layers");
  if (layers.size() > most_layers) return std::nullopt;
  for (const Value& layer : layers) {
    const auto diff_id = layer.is_string() ? digest_of<DiffIdKind>(layer.string()) : std::nullopt;
    if (!diff_id) return std::nullopt;
    image.diff_ids.push_back(*diff_id);
  }
  const Value* config = member_of(document, "Config");
  const Value* labels = config == nullptr ? nullptr : member_of(*config, "Labels");
  const std::string_view label = labels == nullptr ? std::string_view() : text_of(*labels, image::layers_label);
  if (!label.empty() && label.size() <= longest_label) {
    image.blobs = image::read_layers_label(label, image.diff_ids.size());
  }
  return image;
}

std::optional<std::string> read_container_id(std::string_view answer) {
  const Value document = parse_answer(answer, "a new container");
  const auto id = Hash::from_hex(text_of(document, "Id"));
  if (!id) return std::nullopt;
  return id->hex();
}

std::vector<std::string> read_container_ids(std::string_view answer) {
  constexpr std::size_t most_containers = 1000;
  const Value document = parse_answer(answer, "a list of containers");
  std::vector<std::string> ids;
  if (!document.is_array()) return ids;
  for (const Value& entry : document.array()) {
    const auto id = Hash::from_hex(text_of(entry, "Id"));
    if (id && ids.size() < most_containers) ids.push_back(id->hex());
  }
  return ids;
}

std::optional<std::int64_t> read_exit_code(std::string_view answer) {
  const Value document = parse_answer(answer, "the end of a container");
  const Value* code = member_of(document, "StatusCode");
  if (code == nullptr || !code->is_integer()) return std::nullopt;
  return code->integer();
}

std::optional<std::string> read_container_label(std::string_view answer, std::string_view key) {
  const Value document = parse_answer(answer, "a container");
  const Value* config = member_of(document, "Config");
  const Value* labels = config == nullptr ? nullptr : member_of(*config, "Labels");
  const Value* label = labels == nullptr ? nullptr : member_of(*labels, key);
  if (label == nullptr || !label->is_string()) return std::nullopt;
  return label->string();
}

void LoadAnswer::write(ByteView bytes) {
  count_ += bytes.size();
  if (count_ > longest_load_answer) {
    throw Error(ErrorKind::network,
                fmt::format("the engine answered more than {} MiB to a load", longest_load_answer >> 20));
  }
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    line_ += text.substr(0, end);
    if (line_.size() > longest_answer_line) {
      throw Error(ErrorKind::network, "the engine answered a line that is too long to a load");
    }
    if (end == std::string_view::npos) return;
    take_line();
    text.remove_prefix(end + 1);
  }
}

void LoadAnswer::commit() { take_line(); }

void LoadAnswer::take_line() {
  const std::string line = std::exchange(line_, {});
  if (trimmed(line).empty()) return;
  Value message;
  try {
    message = parse_json(line);
  } catch (const Error&) {
    return;  // no message of ours; whether the image is there is verified in any case
  }
  if (const Value* detail = member_of(message, "errorDetail"); detail != nullptr && !detail->is_null()) {
    report(text_of(*detail, "message"));
  }
  if (const std::string_view error = text_of(message, "error"); !error.empty()) report(error);
  std::string_view text = text_of(message, "stream");
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view said = text.substr(0, end);
    if (said.starts_with("Error unpacking image")) report(said);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

void LoadAnswer::report(std::string_view text) {
  if (!problem_)
    problem_ =
        printable(trimmed(text.empty() ? "the engine reports an error without a message" : engine::essence_of(text)));
}

}  // namespace veneer::deliver
