// Keys added to TOML from anyone: each byte that was there is there, in its order, and what was said is said.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "foundation/toml.hh"
#include "setup/settings.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::tolerate([&] {
    const std::vector<setup::Setting> settings = {{"tool.veneer", "base", "debian:bookworm", "a reason"},
                                                  {"tool.veneer.image", "name", "shop", ""},
                                                  {"tool.veneer.image.env", "A", "b", ""}};
    const setup::Edited edited = setup::add_settings(text, settings);
    if (edited.added.size() + edited.kept.size() + edited.unplaced.size() > settings.size()) std::abort();
    std::size_t at = 0;
    for (const char c : text) {
      at = edited.text.find(c, at);
      if (at++ == std::string::npos) std::abort();
    }
    const Value document = parse_toml(edited.text);
    for (const setup::Setting& added : edited.added) {
      if (added.key == "name" && document.at("tool").at("veneer").at("image").at("name") != Value("shop")) std::abort();
    }
    const setup::Edited again = setup::add_settings(edited.text, settings);
    if (again.text != edited.text || !again.added.empty()) std::abort();
  });
  return 0;
}
