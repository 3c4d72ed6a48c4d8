#include "image/location.hh"

#include <fmt/format.h>

#include "foundation/error.hh"

namespace veneer::image {

namespace {

struct PathAndTag {
  std::filesystem::path path;
  std::optional<std::string> tag;
};

PathAndTag split_path(std::string_view text, std::string_view rest) {
  const std::size_t colon = rest.find(':');
  PathAndTag result{std::filesystem::path(rest.substr(0, colon)), std::nullopt};
  if (result.path.empty()) throw Error(ErrorKind::usage, fmt::format("'{}' names no path", printable(text)));
  if (colon != std::string_view::npos) {
    result.tag = rest.substr(colon + 1);
    if (result.tag->empty()) throw Error(ErrorKind::usage, fmt::format("'{}' ends with an empty tag", printable(text)));
  }
  return result;
}

Reference read_name(std::string_view text) {
  try {
    return parse_reference(text);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.what(),
                "an image is name:tag, registry/name:tag, oci:DIR[:TAG], docker-archive:FILE[:TAG], docker:NAME or "
                "podman:NAME");
  }
}

}  // namespace

Location parse_location(std::string_view text) {
  const auto after = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!text.starts_with(prefix)) return std::nullopt;
    return text.substr(prefix.size());
  };
  if (const auto rest = after("oci:")) {
    PathAndTag split = split_path(text, *rest);
    return OciLayoutLocation{std::move(split.path), std::move(split.tag)};
  }
  if (const auto rest = after("docker-archive:")) {
    PathAndTag split = split_path(text, *rest);
    return DockerArchiveLocation{std::move(split.path), std::move(split.tag)};
  }
  const auto in_engine = [](LocalEngine engine, std::string_view name) {
    return EngineLocation{engine, with_default_tag(read_name(name))};
  };
  if (const auto rest = after("docker:")) return in_engine(LocalEngine::docker, *rest);
  if (const auto rest = after("podman:")) return in_engine(LocalEngine::podman, *rest);
  return NamedLocation{read_name(text)};
}

}  // namespace veneer::image
