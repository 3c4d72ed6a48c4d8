#include "app/deploy_history.hh"

#include <memory>
#include <string>

#include "archive/xz.hh"
#include "foundation/file.hh"
#include "foundation/stream.hh"
#include "replay/records.hh"

namespace veneer::app {

namespace {

constexpr std::uint64_t most_text = 256ull << 20;
constexpr std::string_view xz_magic(
    "\xFD"
    "7zXZ\0",
    6);

}  // namespace

replay::History read_deploy_history(const std::filesystem::path& file) {
  std::string text = read_text_file(file, most_text);
  if (text.starts_with(xz_magic)) {
    const Bytes plain = read_all(*archive::open_xz(std::make_unique<MemorySource>(as_bytes(text))), most_text);
    text.assign(reinterpret_cast<const char*>(plain.data()), plain.size());
  }
  return replay::read_records(text);
}

}  // namespace veneer::app
