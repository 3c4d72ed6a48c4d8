// Python files of wheels, searched for the libraries that they ask for; and the note that is kept of that.
#include <cstdlib>

#include "python/wheel/needs.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    veneer::python::WheelNeeds needs;
    needs.asks_for = veneer::python::libraries_asked_for(text);
    const auto again = veneer::python::needs_from_text(veneer::python::needs_to_text(needs));
    if (!again || *again != needs) std::abort();
    veneer::python::needs_from_text(text);
  });
  return 0;
}
