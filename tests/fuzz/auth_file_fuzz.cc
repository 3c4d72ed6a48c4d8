// Files of credentials: any text is one or refused, helpers have plain names, and no Error holds a canary.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/base64.hh"
#include "registry/credentials.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(veneer::decode_base64(text));
  veneer::fuzz::tolerate([&] {
    for (const auto& [registry, helper] : veneer::registry::read_auth_file(text).helpers) {
      if (helper.empty() || helper.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
        std::abort();
    }
  });
  return 0;
}
