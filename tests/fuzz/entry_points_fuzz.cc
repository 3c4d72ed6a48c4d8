// entry_points.txt from any wheel: refused, or commands with plain names whose launchers are whole programs.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "python/wheel/entry_points.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] {
    std::string last;
    for (const python::EntryPoint& entry : python::parse_entry_points(text)) {
      if (entry.name.empty() || entry.name.find('/') != std::string::npos || entry.name == "." || entry.name == "..")
        std::abort();
      if (entry.name < last || entry.name == last) std::abort();
      last = entry.name;
      const std::string program = python::launcher(entry, "/app/.venv/bin/python");
      if (!program.starts_with("#!/app/.venv/bin/python\n")) std::abort();
    }
  });
  if (python::has_placeholder_line(text)) {
    const std::string script = python::rewrite_placeholder_line(text, "/app/.venv/bin/python");
    if (python::has_placeholder_line(script) || !script.starts_with("#!/app/.venv/bin/python")) std::abort();
  }
  return 0;
}
