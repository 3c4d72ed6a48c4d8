#include "start/plain_path.hh"

namespace veneer::start {

std::string plain_path(const std::filesystem::path& path) {
  std::string text = path.lexically_normal().generic_string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text.empty() ? "." : text;
}

}  // namespace veneer::start
