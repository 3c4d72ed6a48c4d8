#include "engine/engine_images.hh"

#include <fmt/format.h>

#include "engine/engine_error.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::engine {

namespace {

constexpr std::uint64_t largest_description = 2 * 1024 * 1024;
constexpr int not_found = 404;

std::string text_of(const Value& table, std::string_view key) {
  const Value* found = table.find(key);
  return found != nullptr && found->is_string() ? printable(found->string(), 80) : std::string();
}

}  // namespace

std::optional<EngineImage> read_engine_image(std::string_view answer) {
  try {
    const Value document = parse_json(answer);
    if (!document.is_table()) return std::nullopt;
    std::string id = text_of(document, "Id");
    if (id.starts_with("sha256:")) id.erase(0, 7);  // podman leaves it out
    const std::optional<Hash> hash = Hash::from_hex(id);
    if (!hash) return std::nullopt;
    const Value* size = document.find("Size");
    const bool has_size = size != nullptr && size->is_integer() && size->integer() > 0;
    return EngineImage{*hash, text_of(document, "Os"), text_of(document, "Architecture"), text_of(document, "Variant"),
                       has_size ? static_cast<std::uint64_t>(size->integer()) : 0};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<EngineImage> find_image(EngineTransport& transport, const std::string& name) {
  const EngineAnswer answer = transport.call({"GET", fmt::format("/images/{}/json", name), {}, largest_description});
  if (answer.status == not_found) return std::nullopt;
  if (!answer.ok()) {
    throw Error(ErrorKind::network, fmt::format("the engine does not show the image {}: {} ({})", printable(name),
                                                read_error(answer.body), answer.status));
  }
  std::optional<EngineImage> image = read_engine_image(answer.body);
  if (!image) throw Error(ErrorKind::network, "the engine's description of " + printable(name) + " cannot be read");
  return image;
}

void export_image(EngineTransport& transport, const Hash& id, ByteSink& sink) {
  const EngineAnswer answer = transport.download(fmt::format("/images/sha256:{}/get", id.hex()), sink);
  if (answer.ok()) return;
  throw Error(ErrorKind::network,
              fmt::format("the engine does not save the image: {} ({})", read_error(answer.body), answer.status));
}

}  // namespace veneer::engine
