// Images that an engine of this machine holds, docker:NAME and podman:NAME, by the export of its API. Registered in
// places.cc. An export is a whole archive, so it is kept in the cache under the image's ID and read from there as long
// as the name stands for that image:
//
//   <cache>/engine-images/<hex of the ID>.tar
#pragma once

#include "engine/engine_transport.hh"
#include "image/places/image_place.hh"

namespace veneer::image {

/// engine::choose_docker() says.
PlaceKind docker_kind();
/// CONTAINER_HOST, else the sockets of the user and of the machine. A name without registry is looked for as
/// localhost/NAME first, as podman does.
PlaceKind podman_kind();

/// The name that is asked for: sha256:HEX is an ID. Throws Error (usage).
struct EngineImageName {
  std::vector<std::string> asked;      // whole names or an ID, in the order in which they are tried
  std::optional<Reference> reference;  // unless it is an ID
};
enum class LocalNames { as_docker, as_podman };
EngineImageName read_engine_image_name(std::string_view text, LocalNames names);

using Connect = std::function<std::unique_ptr<engine::EngineTransport>(const PlaceContext& context)>;
/// The place behind `transport`, for tests that put a made-up engine there.
std::shared_ptr<const ImagePlace> engine_place(Connect connect, EngineImageName name, std::string text);

}  // namespace veneer::image
