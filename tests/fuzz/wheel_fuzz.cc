// Wheels from anyone: the whole file, and its RECORD and entry_points.txt by themselves. What is installed lies below
// the prefix.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/stream.hh"
#include "python/wheel/describe.hh"
#include "python/wheel/entry_points.hh"
#include "python/wheel/install.hh"
#include "python/wheel/record.hh"
#include "python/wheel/wheel.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;
using fuzz::tolerate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tolerate([&] {
    const python::Wheel wheel = python::open_wheel(std::make_shared<MemoryAccess>(Bytes(bytes, bytes + size)),
                                                   "pkg-1.0-py3-none-any.whl", python::Strictness::tolerant);
    const python::InstallPlace place;
    const tree::FileTree tree = python::install(wheel, place);
    for (const auto& [path, entry] : tree.entries()) {
      const std::string absolute = "/" + path;
      const bool is_above = place.prefix.starts_with(absolute);
      if (!is_above && !absolute.starts_with(place.prefix + "/")) std::abort();
      if (archive::has_parent_parts(path)) std::abort();
    }
    tolerate([&] { (void)to_json(python::describe(wheel, place)); });
  });
  tolerate([&] {
    const std::string written = python::write_record(python::parse_record(text));
    if (python::write_record(python::parse_record(written)) != written) std::abort();
  });
  tolerate([&] { (void)python::parse_entry_points(text); });
  return 0;
}
