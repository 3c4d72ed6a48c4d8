// An .xz file: any bytes are refused or give some, at most as many as one asks for.
#include <cstdint>
#include <memory>

#include "archive/xz.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  veneer::fuzz::tolerate([&] {
    const veneer::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    veneer::read_all(*veneer::archive::open_xz(std::make_unique<veneer::MemorySource>(bytes)), 1 << 20);
  });
  return 0;
}
