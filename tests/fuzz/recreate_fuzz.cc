// What a host says of a container, on the way to the one after it: any answer is refused or gives a request that is
// JSON, names the new image and does not grow without bound. The input is two documents with a zero byte between them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "deliver/rollout/recreate.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\0');
  veneer::fuzz::tolerate([&] {
    const veneer::Value container = veneer::parse_json(text.substr(0, cut));
    const veneer::Value config = cut == std::string_view::npos ? veneer::Value(veneer::Value::Table{})
                                                               : veneer::parse_json(text.substr(cut + 1));
    const auto recreation = veneer::deliver::recreate(container, config, "shop:live");
    const std::string json = veneer::to_json(recreation.create);
    if (veneer::parse_json(json).at("Image").string() != "shop:live") std::abort();
    if (json.size() > 12 * text.size() + 1000) std::abort();
  });
  return 0;
}
