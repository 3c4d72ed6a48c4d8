// .dockerignore: any text is read or refused; what a folder's exclusion says of it holds for what lies in it, unless a
// pattern takes something back.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "owners/dockerignore.hh"
#include "tests/fuzz/tolerate.hh"

/// The text up to the first NUL byte, then a path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, all.find('\0'));
  const std::string path(all.substr(std::min(text.size() + 1, all.size())));
  fuzz::tolerate([&] {
    const owners::DockerIgnore ignore = owners::DockerIgnore::parse(text);
    const bool is_excluded = ignore.excludes(path);
    if (ignore.empty() && is_excluded) std::abort();
    const bool has_exceptions = text.find('!') != std::string_view::npos;
    if (is_excluded && !has_exceptions && !path.empty() && !path.ends_with('/') && !ignore.excludes(path + "/x")) {
      std::abort();
    }
  });
  return 0;
}
