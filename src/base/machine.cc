#include "base/machine.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "image/platform.hh"

namespace veneer::base {

void check_machine(const image::Platform& platform, const std::string& machine, const std::string& interpreter) {
  struct Known {
    std::string_view architecture;
    std::string_view machine;
  };
  constexpr std::array known = {
      Known{"amd64", "x86_64"},  Known{"amd64", "i686"},      Known{"386", "i686"},
      Known{"arm64", "aarch64"}, Known{"arm", "armv7l"},      Known{"ppc64le", "ppc64le"},
      Known{"s390x", "s390x"},   Known{"riscv64", "riscv64"}, Known{"loong64", "loongarch64"}};
  const auto is_of = [&](const Known& one) { return one.architecture == platform.architecture; };
  const auto fits = [&](const Known& one) { return is_of(one) && one.machine == machine; };
  if (std::none_of(known.begin(), known.end(), is_of) || std::any_of(known.begin(), known.end(), fits)) return;
  throw Error(ErrorKind::refused,
              fmt::format("the base's configuration says {}, but its {} is a program for {}",
                          printable(image::platform_text(platform)), printable(interpreter), printable(machine)),
              "it was made or changed for another platform than its files; take a base whose configuration is right, "
              "or make it anew with the right --platform");
}

}  // namespace veneer::base
