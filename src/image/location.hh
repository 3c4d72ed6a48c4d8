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

struct NamedLocation {  // [registry/]name[:tag][@digest]: an image of the project's own store
  Reference name;
};

using Location = std::variant<NamedLocation, OciLayoutLocation, DockerArchiveLocation, EngineLocation>;

/// Reads an IMAGE argument. DIR and FILE end at their first colon, so they cannot hold one; a TAG may be a whole name
/// ("docker-archive:out.tar:greenhouse:1.2"). A missing tag of an engine's name is "latest". Throws Error (usage) that
/// says what is wrong.
Location parse_location(std::string_view text);

}  // namespace veneer::image
