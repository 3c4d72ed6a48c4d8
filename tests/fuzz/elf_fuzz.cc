// ELF files of any image: refused or read, with names that end and lists that are bounded by the file.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "foundation/elf.hh"
#include "foundation/error.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::tolerate([&] {
    const auto bytes = std::as_bytes(std::span(data, size));
    const MemoryAccess file(Bytes(bytes.begin(), bytes.end()));
    const auto elf = read_elf(file);
    if (!elf) return;
    for (const std::string& name : elf->needed) {
      if (name.find('\0') != std::string::npos || name.size() > size) std::abort();
    }
  });
  return 0;
}
