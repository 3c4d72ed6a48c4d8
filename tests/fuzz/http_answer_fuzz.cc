// What an engine answers to the helper container: any bytes are refused or read, and a body of known length has it.
#include <cstdint>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/stream.hh"
#include "splicer/http_answer.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    veneer::MemorySource source(veneer::as_bytes(text));
    veneer::splicer::HttpAnswer answer(source);
    veneer::CountingSink body;
    veneer::copy(answer, body);
    if (body.count() > size) __builtin_trap();
  });
  return 0;
}
