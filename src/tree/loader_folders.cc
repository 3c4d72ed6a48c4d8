#include "tree/loader_folders.hh"

namespace veneer::tree {

std::vector<std::string> usual_loader_folders(const FileTree& tree) {
  std::vector<std::string> folders = {"lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib"};
  for (const char* parent : {"lib", "usr/lib", "usr/local/lib"}) {
    const std::string start = std::string(parent) + "/";
    for (auto entry = tree.entries().lower_bound(start);
         entry != tree.entries().end() && entry->first.starts_with(start); ++entry) {
      const std::string_view name = std::string_view(entry->first).substr(start.size());
      if (name.find('/') == std::string_view::npos && name.find("-linux-") != std::string_view::npos)
        folders.push_back(entry->first);
    }
  }
  return folders;
}

}  // namespace veneer::tree
