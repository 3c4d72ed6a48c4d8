// The label of a base image from anyone: read or refused, and what was read is the same when it is written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/ingredients.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  fuzz::tolerate([&] {
    const base::Ingredients all = base::read_ingredients({reinterpret_cast<const char*>(data), size});
    const base::Ingredients again = base::read_ingredients(base::write_ingredients(all));
    if (again != all || base::fingerprint(again) != base::fingerprint(all)) std::abort();
    if (!base::changes(all, again).empty()) std::abort();
  });
  return 0;
}
