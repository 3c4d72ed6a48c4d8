// pylock.toml from anyone: refused or selected from; a selection is sorted and names each package once.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "python/lock/pylock.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const python::Target target = fuzz::some_target();
  try {
    const python::Pylock lock = python::parse_pylock({reinterpret_cast<const char*>(data), size});
    python::SelectOptions options;
    options.extra_choice = python::ExtraChoice::all;
    options.group_choice = python::GroupChoice::all;
    const python::Selection selection = python::select(lock, target, options);
    for (std::size_t i = 1; i < selection.packages.size(); ++i) {
      if (!(selection.packages[i - 1].name < selection.packages[i].name)) std::abort();
    }
    if (selection.packages.size() + selection.unusable.size() > lock.packages.size()) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
