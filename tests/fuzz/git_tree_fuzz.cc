// Tree objects of git: whatever is read is what the bytes say, and nothing else is read.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "python/project/git_tree.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  for (const std::size_t hash_bytes : {20, 32}) {
    veneer::fuzz::tolerate([&] {
      std::size_t bytes = 0;
      for (const veneer::python::TreeEntry& entry : veneer::python::parse_tree(content, hash_bytes)) {
        if (entry.object.size() != 2 * hash_bytes || entry.name.find('/') != std::string::npos) std::abort();
        bytes += entry.name.size() + hash_bytes + 3;  // a digit, a blank, a zero
      }
      if (bytes > size) std::abort();
    });
  }
  return 0;
}
