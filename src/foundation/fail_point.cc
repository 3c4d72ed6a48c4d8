#include "foundation/fail_point.hh"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>

#include "foundation/error.hh"

namespace veneer {

namespace {
struct Armed {
  std::string name;
  std::atomic<long> countdown = 0;
};
Armed& armed() {
  static Armed value;
  return value;
}
}  // namespace

void arm_fail_point(std::string_view specification) {
  long occurrence = 1;
  const std::size_t colon = specification.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view number = specification.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), occurrence);
    if (error != std::errc() || end != number.data() + number.size() || occurrence < 1) {
      throw Error(ErrorKind::usage, "'" + printable(specification) + "' is not a fail point (name or name:occurrence)");
    }
    specification = specification.substr(0, colon);
  }
  armed().name = specification;
  armed().countdown = occurrence;
}

void fail_point(std::string_view name) {
  if (armed().name.empty() || armed().name != name) return;
  if (--armed().countdown == 0) {
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
}

}  // namespace veneer
