// registries.conf: any text is one or refused; its rules map names to names without "..".
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/mirrors.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer::registry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    const Rules rules = read_registries_conf(text);
    const Rule* rule = rule_for(rules, "docker.io", "library/python");
    if (rule == nullptr) return;
    for (const Location& mirror : rule->mirrors) {
      if (name_at(mirror, rule->prefix, "docker.io", "library/python").find("..") != std::string::npos) std::abort();
    }
  });
  return 0;
}
