// Git LFS keeps large files elsewhere: where it is not installed, a checkout has pointers in their place. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace veneer::python {

/// A pointer is smaller than this, in bytes (the LFS specification, docs/spec.md).
inline constexpr std::uint64_t lfs_pointer_limit = 1024;

/// Whether a file's whole text is a pointer.
inline bool is_lfs_pointer(std::string_view text) {
  return text.size() < lfs_pointer_limit && text.starts_with("version https://git-lfs.github.com/spec/v") &&
         text.find("\noid ") != std::string_view::npos;
}

}  // namespace veneer::python
