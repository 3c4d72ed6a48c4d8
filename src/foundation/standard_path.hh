// The search path for programs.
#pragma once

#include <string_view>

namespace veneer {

/// PATH where nobody set another: that of Docker's engines, and of Debian's root.
inline constexpr std::string_view standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace veneer
