// The list of a tree's files as text, so that the tree of a base need not be read from its layers every time. Internal
// to base. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tree/file_tree.hh"

namespace veneer::base {

/// Where a file's data lies: in which layer, at which offset of its uncompressed tar.
struct DataPlace {
  std::size_t layer = 0;
  std::uint64_t offset = 0;
};

using FindPlace = std::function<DataPlace(const archive::Content&)>;
using MakeContent = std::function<std::shared_ptr<const archive::Content>(const DataPlace&, std::uint64_t size)>;

std::string write_tree_index(const tree::FileTree& tree, const FindPlace& find_place);

/// Nothing when `text` is not what write_tree_index() writes (another version, a damaged file).
std::optional<tree::FileTree> read_tree_index(std::string_view text, const MakeContent& make_content);

}  // namespace veneer::base
