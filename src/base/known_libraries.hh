// Which Debian package has a library, and what well-known Python distributions use of a system. Data of our own
// (libraries.txt, wrappers.txt), for each suite. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::base {

/// The package with the library `soname` ("libpq.so.5") in `suite` ("bookworm"); nothing for what is not known.
std::optional<std::string> package_of_library(std::string_view suite, std::string_view soname);

/// The soname of `suite` that is meant by `name` as programs ask for it at run time: "pq" (ctypes.util.find_library),
/// "libpq.so", "libpq.so.5". Nothing when it is not known.
std::optional<std::string> soname_asked_for(std::string_view suite, std::string_view name);

/// A driver, which those who start a container put into it: libcuda.so.1 and its like.
bool is_of_the_host(std::string_view soname);

/// Something that a distribution uses.
struct UsedBySystem {
  std::string program;  // "ffmpeg"; empty for a library
  std::string package;  // of the program
  std::string library;  // as soname_asked_for() takes it; empty for a program
};

/// Of the distribution `name`, normalised (PEP 503).
std::vector<UsedBySystem> used_by(std::string_view name);

}  // namespace veneer::base
