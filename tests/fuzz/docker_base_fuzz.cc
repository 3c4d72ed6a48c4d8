// A Dockerfile.base from anyone: what it chose is found or not, and what was generated is found as it was put in.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "setup/docker_files.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] {
    setup::read_docker_base(text);
    if (text.find_first_of("\n\r") != std::string_view::npos) return;  // ingredients are one line of JSON
    setup::DockerFacts facts;
    facts.ingredients = text;
    if (setup::read_docker_base(setup::docker_base(facts).body).ingredients != facts.ingredients) std::abort();
  });
  return 0;
}
