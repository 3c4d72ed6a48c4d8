// veneer.lock from anyone: read or refused with a line, and what was read is written so that it is read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/base_lock.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  fuzz::tolerate([&] {
    const base::BaseLock lock = base::parse_base_lock({reinterpret_cast<const char*>(data), size});
    const std::string text = base::write_base_lock(lock);
    const base::BaseLock again = base::parse_base_lock(text);
    if (again.bases.size() != lock.bases.size() || base::write_base_lock(again) != text) std::abort();
    for (const base::LockedBase& each : lock.bases) {
      const base::LockedBase* found = again.find(each.name, each.platform);
      if (found == nullptr || found->packages != each.packages || found->target != each.target ||
          found->image != each.image || found->interpreter != each.interpreter) {
        std::abort();
      }
      for (const base::LockedPackage& package : each.packages) {
        if (package.line == 0) std::abort();
      }
    }
  });
  return 0;
}
