// What a host says over ssh, which may be anything, in pieces of any size.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/ssh/host_script.hh"
#include "deliver/receiver/ssh/ssh_connection.hh"
#include "foundation/error.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer::deliver;
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    HostAnswer answer("n", [](const HostLine& line) {
      if (line.key == "image") read_image(line.value);
      if (line.key == "version") read_engine(line.value, "{}");
    });
    const std::size_t piece = data[0] % 64 + 1;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      answer.write(veneer::as_bytes(rest.substr(0, piece)));
    }
    for (const char c : answer.preamble()) {
      if (static_cast<unsigned char>(c) < 0x20) __builtin_trap();
    }
  } catch (const veneer::Error&) {
    // Refused, as it may be.
  }
  try {
    const SshAddress address = read_ssh_address(text);
    if (address.host.empty() || address.host[0] == '-') __builtin_trap();
  } catch (const veneer::Error&) {
  }
  return 0;
}
