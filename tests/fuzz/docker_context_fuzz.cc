// What lies in the folder of Docker's own client.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/docker_contexts.hh"
#include "engine/engine_transport.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] { engine::read_current_context(text); });
  fuzz::tolerate([&] { engine::read_docker_host(engine::read_docker_context(text, "a").host); });
  return 0;
}
