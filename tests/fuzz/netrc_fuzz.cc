// netrc files: any text has a password of the user or none, and it is one that the text holds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/netrc.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto password = veneer::net::netrc_password(text, "host.example", "reader");
  if (password && (password->empty() || password->size() > text.size())) std::abort();
  return 0;
}
