// The names by which a layer says that something of the layers below it is gone (image-spec layer.md, "Whiteouts").
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::tree {

inline constexpr std::string_view whiteout_prefix = ".wh.";
inline constexpr std::string_view opaque_name = ".wh..wh..opq";

enum class NameKind {
  plain,
  whiteout,       // hides whiteout_target() beside it
  opaque,         // hides all that lower layers have in its folder
  aufs_metadata,  // left over from a file system of old engines; means nothing
};

/// What the cleaned, non-empty `path` of a layer's entry means. Throws Error (refused) for whiteouts that hide nothing
/// or what must not be hidden ("", "." and ".."), for reserved names (".wh..wh.*") and for anything below a whiteout.
NameKind classify(std::string_view path);

/// The name that the whiteout `name` hides: "x" for ".wh.x".
std::string_view whiteout_target(std::string_view name);

/// The path of the whiteout that hides `path`: "a/.wh.b" for "a/b".
std::string whiteout_path(std::string_view path);

}  // namespace veneer::tree
