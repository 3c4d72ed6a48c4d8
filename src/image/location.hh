// Where an image is, as written on the command line (the IMAGE argument of every command). Values; pure, thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "image/reference.hh"

namespace veneer::image {

struct OciLayoutLocation {  // oci:DIR[:TAG]
  std::filesystem::path folder;
  std::optional<std::string> tag;
};

struct DockerArchiveLocation {  // docker-archive:FILE[:TAG]
  std::filesystem::path file;
  std::optional<std::string> tag;
};

enum class LocalEngine { docker, podman };

struct EngineLocation {  // docker:NAME, podman:NAME
  LocalEngine engine = LocalEngine::docker;
  Reference name;  // with a tag or a digest
};

struct RegistryLocation {  // registry/name[:tag][@digest]
  Reference name;          // with a tag or a digest
};

struct LocalLocation {  // name[:tag]: the project's own store, then the local engine
  Reference name;       // with a tag or a digest
};

using Location =
    std::variant<LocalLocation, RegistryLocation, OciLayoutLocation, DockerArchiveLocation, EngineLocation>;

/// Reads an IMAGE argument. DIR and FILE end at their first colon, so they cannot hold one; a TAG may be a whole name
/// ("docker-archive:out.tar:greenhouse:1.2"). A missing tag of a name is "latest". Throws Error (usage) that says what
/// is wrong.
Location parse_location(std::string_view text);

}  // namespace veneer::image
