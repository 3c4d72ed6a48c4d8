// TOML from anyone: read or refused, never deeper than the limit. What is read holds as JSON too.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/json.hh"
#include "foundation/toml.hh"
#include "foundation/toml_depth.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

namespace {

std::size_t depth_of(const Value& value) {
  std::size_t deepest = 0;
  if (value.is_array()) {
    for (const Value& item : value.array()) deepest = std::max(deepest, 1 + depth_of(item));
  } else if (value.is_table()) {
    for (const auto& [key, item] : value.table()) deepest = std::max(deepest, 1 + depth_of(item));
  }
  return deepest;
}

bool is_refused(std::string_view text, std::size_t most) {
  try {
    check_toml_depth(text, most);
    return false;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] {
    const Value value = parse_toml(text);
    const std::size_t depth = depth_of(value);
    if (depth > 64) std::abort();
    // Nothing is refused beforehand without need. What passes can be twice as deep, by arrays of tables that a header
    // leads through, and one level more, by values that hold none.
    if (is_refused(text, depth)) std::abort();
    if (depth >= 2 && !is_refused(text, depth / 2 - 1)) std::abort();
    if (depth < 64 && parse_json(to_json(value)) != value) std::abort();
  });
  return 0;
}
