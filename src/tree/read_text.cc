#include "tree/read_text.hh"

namespace veneer::tree {

std::string read_text(const Lookup& files, std::string_view path, std::uint64_t limit) {
  const auto real = files.resolve(path);
  const InodePointer inode = real ? files.inode(*real) : nullptr;
  if (inode == nullptr || inode->type != archive::EntryType::file) return {};
  return std::string(as_text(read_all(*inode->content->open(), limit)));
}

}  // namespace veneer::tree
