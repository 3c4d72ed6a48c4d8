// Dockerfiles: any text is read or refused; every instruction has a line of the text, the last stage can be evaluated,
// and what is taken from it has a line, too.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "owners/evaluate.hh"
#include "owners/uv_sync.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  fuzz::tolerate([&] {
    const owners::Dockerfile file = owners::parse_dockerfile(text, "Dockerfile");
    std::size_t last = 0;
    for (const owners::Stage& stage : file.stages) {
      for (const owners::Instruction& instruction : stage.instructions) {
        if (instruction.line <= last || instruction.line > lines) std::abort();
        last = instruction.line;
      }
    }
    const owners::StageFacts facts = owners::evaluate(file);
    if (facts.workdir && !facts.workdir->value.starts_with('/')) std::abort();
    for (const owners::FileCopy& copy : facts.copies) {
      if (!copy.to.starts_with('/') || copy.sources.empty()) std::abort();
    }
    for (const auto& package : owners::apt_packages_of(file)) {
      if (package.value.empty() || package.line == 0 || package.line > lines) std::abort();
    }
    static_cast<void>(owners::python_minor_of(file));
    for (const auto& extra : owners::installed_of(file).extras) {
      if (extra.value.empty() || extra.line == 0 || extra.line > lines) std::abort();
    }
  });
  return 0;
}
