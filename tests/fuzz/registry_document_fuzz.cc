// What a registry answers: manifests, indexes, refusals and tokens. Any text is one or refused.
#include <cstdint>
#include <string_view>

#include "image/parse.hh"
#include "image/platform.hh"
#include "registry/session.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] { image::parse_manifest(text); });
  fuzz::tolerate([&] { image::select_entry(image::parse_index(text), image::Platform{"linux", "amd64", ""}); });
  fuzz::tolerate([&] { registry::read_token(text, {}); });
  static_cast<void>(registry::read_refusal(text));
  return 0;
}
