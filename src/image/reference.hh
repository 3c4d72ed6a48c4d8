// Names of images: the reference grammar of the distribution project, which all engines share. Values; parsing is pure
// and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/digest.hh"

namespace veneer::image {

/// Docker's default registry, which short names leave out.
inline constexpr std::string_view default_registry = "docker.io";

struct Reference {
  std::string registry;    // "docker.io", "registry.example:5000", "[::1]:5000"
  std::string repository;  // "library/debian", "team/greenhouse"
  std::optional<std::string> tag;
  std::optional<ManifestDigest> digest;

  auto operator<=>(const Reference&) const = default;

  /// With everything spelled out: "docker.io/library/debian:bookworm", "@sha256:..." behind it when there is a digest.
  std::string full() const;
  /// As Docker shows it, without its default registry and "library/": "debian:bookworm"; full()
  /// where the short form would be read as something else.
  std::string familiar() const;
};

/// Reads `text`; the default registry and its "library/" are filled in, the tag is not. Throws Error (refused) that
/// says which part is wrong. Upper case in the repository, empty parts, over-long names and tags, and digests by
/// anything but sha256 are wrong.
Reference parse_reference(std::string_view text);

/// A name that an image can be given: with a tag ("latest" when it has none) and without a digest. Throws Error (usage)
/// that quotes `text` and has a hint.
Reference parse_given_name(std::string_view text);

/// `reference` with the tag "latest" unless it has a tag or a digest.
Reference with_default_tag(Reference reference);

/// Whether the registry is spelled out in `text`, as the grammar tells: its first part, up to a slash, holds a '.', a
/// ':' or an upper-case letter, or is "localhost".
bool names_registry(std::string_view text);

/// Whether `text` can be a tag: up to 128 letters, digits, '_', '.', '-', of which the first is a letter, digit or '_'.
bool is_tag(std::string_view text);

}  // namespace veneer::image
