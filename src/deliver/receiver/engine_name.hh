// Names that an engine can give to images: references (image/reference.hh) with a tag and without a digest. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image/reference.hh"

namespace veneer::deliver {

struct EngineName {
  std::string domain;  // "docker.io" when the name has none
  std::string path;    // "library/demo" for a bare "demo" on docker.io
  std::string tag;

  auto operator<=>(const EngineName&) const = default;
  /// Domain and path: "docker.io/library/demo".
  std::string repository() const { return domain + "/" + path; }
  /// The name that means the same to every engine: "docker.io/library/demo:1".
  std::string full() const { return repository() + ":" + tag; }
  image::Reference reference() const { return {domain, path, tag, std::nullopt}; }
  /// As Docker lists and filters it: "demo:1".
  std::string familiar() const { return reference().familiar(); }
  EngineName with_tag(std::string other) const { return {domain, path, std::move(other)}; }
};

/// Reads "demo", "demo:1", "registry.example:5000/team/demo:1", ...; the tag is "latest" when there is none. Throws
/// Error (usage) that quotes `text` and says what is wrong with it.
EngineName parse_engine_name(std::string_view text);

/// Of a name as an image has it; the tag is "latest" when there is none. Throws Error (usage) when it has a digest.
EngineName engine_name_of(const image::Reference& reference);

/// The same as parse_engine_name(); nothing when that is no name with a tag.
std::optional<EngineName> read_engine_name(std::string_view text);

}  // namespace veneer::deliver
