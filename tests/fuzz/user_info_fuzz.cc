// Text that may hold URLs with passwords: any text comes out, and what is hidden once stays as it is.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "foundation/user_info.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string shown = veneer::without_user_info(text);
  if (shown.size() > 3 * text.size() + 3) std::abort();
  (void)veneer::url_without_user_info(text);
  // Of a plain URL behind whatever stands before it nothing is told.
  const std::string url = "https://user:SECRET-5d1c@host/";
  if (veneer::without_user_info(std::string(text) + "\n" + url).find("SECRET-5d1c") != std::string::npos) std::abort();
  return 0;
}
