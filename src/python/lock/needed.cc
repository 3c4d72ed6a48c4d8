#include "python/lock/needed.hh"

#include <fmt/format.h>

#include "foundation/error.hh"

namespace veneer::python {

bool is_needed(const Marker& marker, const MarkerEnvironment& environment, std::string_view package) {
  switch (marker.evaluate(environment)) {
    case Truth::yes: return true;
    case Truth::no: return false;
    case Truth::unknown: break;
  }
  throw Error(ErrorKind::refused,
              fmt::format("whether {} is needed hangs on the kernel of the host, which is not known: {}",
                          printable(package), printable(marker.text())),
              "platform_release and platform_version cannot be used in an image");
}

}  // namespace veneer::python
