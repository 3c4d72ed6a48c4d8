// Compose files and Procfiles: any text is read or refused, and what is taken has a line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "owners/compose.hh"
#include "owners/procfile.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] {
    const owners::ComposeFile file = owners::parse_compose(text, "compose.yaml");
    for (const owners::BuiltService& service : file.services) {
      if (service.line == 0 || (service.command && service.command->line == 0)) std::abort();
    }
  });
  fuzz::tolerate([&] {
    for (const owners::Process& process : owners::parse_procfile(text)) {
      if (process.kind.empty() || process.command.value.empty() || process.command.line == 0) std::abort();
    }
  });
  return 0;
}
