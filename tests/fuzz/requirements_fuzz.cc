// requirements.txt from anyone: refused or selected from; a selection is sorted and names each package once.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "python/lock/requirements.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const python::RequirementsFile file = python::parse_requirements({reinterpret_cast<const char*>(data), size});
    for (const python::RequirementsLine& line : file.lines) {
      if (line.version.empty() == line.location.empty()) std::abort();
    }
    const python::Selection selection =
        python::select(file, fuzz::some_target(), {}, [](const auto&) { return "own"; });
    for (std::size_t i = 1; i < selection.packages.size(); ++i) {
      if (!(selection.packages[i - 1].name < selection.packages[i].name)) std::abort();
    }
    for (const std::string& option : file.index_options) {
      if (option.find('\n') != std::string::npos) std::abort();  // it becomes a line for uv
    }
  } catch (const Error&) {
  }
  return 0;
}
