#include "base/machine.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "image/platform.hh"

namespace veneer::base {

void check_machine(const image::Platform& platform, const std::string& machine, const std::string& interpreter) {
  if (image::may_hold_programs_of(platform, machine)) return;
  throw Error(ErrorKind::refused,
              fmt::format("the base's configuration says {}, but its {} is a program for {}",
                          printable(image::platform_text(platform)), printable(interpreter), printable(machine)),
              "it was made or changed for another platform than its files; take a base whose configuration is right, "
              "or make it anew with the right --platform");
}

std::string debian_architecture(const std::string& architecture) {
  if (architecture == "arm") return "armhf";
  if (architecture == "386") return "i386";
  if (architecture == "ppc64le") return "ppc64el";
  return architecture;
}

}  // namespace veneer::base
