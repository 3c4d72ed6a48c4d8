// Records of deploys: any text is refused or can be replayed, and nothing costs less than the bound.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "replay/records.hh"
#include "replay/replay.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    const veneer::replay::Costs costs = veneer::replay::replay(veneer::replay::read_records(text), 1 + size % 9);
    if (costs.total.veneer_prefix < costs.total.veneer_blobs) std::abort();
  });
  return 0;
}
