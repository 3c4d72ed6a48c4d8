// Names of images: any text is read or refused, and what is read comes back from its own full and familiar forms.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"
#include "image/reference.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const veneer::image::Reference reference = veneer::image::parse_reference(text);
    if (veneer::image::parse_reference(reference.full()) != reference) std::abort();
    if (veneer::image::parse_reference(reference.familiar()) != reference) std::abort();
  } catch (const veneer::Error& error) {
    if (error.kind() != veneer::ErrorKind::refused) std::abort();
  }
  try {
    (void)veneer::image::read_image_name(text);
  } catch (const veneer::Error& error) {
    if (error.kind() != veneer::ErrorKind::usage) std::abort();
  }
  try {
    const veneer::image::Platform platform = veneer::image::parse_platform(text);
    if (veneer::image::platform_text(platform) != text) std::abort();
  } catch (const veneer::Error&) {
  }
  return 0;
}
