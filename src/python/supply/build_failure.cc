#include "python/supply/build_failure.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

// How gcc, clang, ld, setuptools, meson, cmake and maturin say what they do not find: text before it, text after it.
struct Saying {
  std::string_view before;
  std::string_view after;  // empty: the end of the line
  std::string_view what;   // with {} for the name
  std::string_view hint;
};

constexpr std::string_view install_compiler =
    "install a compiler (Debian: build-essential), or lock a version that has a wheel";
constexpr std::string_view install_rust = "install Rust and cargo, or lock a version that has a wheel";
constexpr std::string_view install_header =
    "install the development package that has it (Debian: apt-file search {}), or lock a version that has a wheel";
constexpr std::string_view install_library =
    "install its development package (Debian: often lib{}-dev), or lock a version that has a wheel";
constexpr std::string_view install_program = "install it, or lock a version that has a wheel";

constexpr std::array sayings{
    Saying{"fatal error: ", ": No such file", "the header {}", install_header},
    Saying{"fatal error: '", "' file not found", "the header {}", install_header},
    Saying{"cannot find -l", "", "the library {}", install_library},
    Saying{"unable to find library -l", "", "the library {}", install_library},
    Saying{"error: command '", "' failed: No such file", "the compiler {}", install_compiler},
    Saying{"unable to execute '", "': No such file", "the compiler {}", install_compiler},
    Saying{"Unknown compiler(s): [['", "'", "the compiler {}", install_compiler},
    Saying{"No CMAKE_", "_COMPILER could be found", "a {} compiler", install_compiler},
    Saying{"linker `", "` not found", "the linker {}", install_compiler},
    Saying{"can't find Rust compiler", "", "the Rust compiler", install_rust},
    Saying{"Rust not found", "", "the Rust compiler", install_rust},
    Saying{"Cargo, the Rust package manager, is not installed", "", "cargo, Rust's package manager", install_rust},
    Saying{"Error: ", " executable not found", "the program {}", install_program},
    Saying{"/bin/sh: 1: ", ": not found", "the program {}", install_program},
};

/// What builds of well-known sdists ask for, and Debian's package that has it (the same in Debian 12 and 13, and Ubuntu
/// 24.04).
struct Bringer {
  std::string_view what;
  std::string_view package;
};
constexpr auto bringers = std::to_array<Bringer>({
    {"the header ffi.h", "libffi-dev"},
    {"the header krb5.h", "libkrb5-dev"},
    {"the header lber.h", "libldap-dev"},
    {"the header libpq-fe.h", "libpq-dev"},
    {"the header libxml/xpath.h", "libxml2-dev"},
    {"the header openssl/ssl.h", "libssl-dev"},
    {"the header sasl/sasl.h", "libsasl2-dev"},
    {"the header sql.h", "unixodbc-dev"},
    {"the header zlib.h", "zlib1g-dev"},
    {"the library ldap", "libldap-dev"},
    {"the library odbc", "unixodbc-dev"},
    {"the library pq", "libpq-dev"},
    {"the program cmake", "cmake"},
    {"the program curl-config", "libcurl4-openssl-dev"},
    {"the program gfortran", "gfortran"},
    {"the program krb5-config", "libkrb5-dev"},
    {"the program mysql_config", "default-libmysqlclient-dev"},
    {"the program pg_config", "libpq-dev"},
    {"the program pkg-config", "pkg-config"},
    {"the program xml2-config", "libxml2-dev"},
    {"the program xslt-config", "libxslt1-dev"},
});

std::string package_of(std::string_view what) {
  const auto found = std::ranges::find(bringers, what, &Bringer::what);
  return found == bringers.end() ? "" : std::string(found->package);
}

std::optional<MissingForBuild> read_line(std::string_view line) {
  for (const Saying& saying : sayings) {
    const std::size_t start = line.find(saying.before);
    if (start == std::string_view::npos) continue;
    std::string_view rest = line.substr(start + saying.before.size());
    if (!saying.after.empty()) {
      const std::size_t end = rest.find(saying.after);
      if (end == std::string_view::npos) continue;
      rest = rest.substr(0, end);
    }
    // A name, not a sentence.
    std::string_view name = trimmed(rest.substr(0, rest.find(": ")));
    if (const std::size_t space = name.find(' '); space != std::string_view::npos) name = name.substr(0, space);
    const std::string shown = printable(name, 100);
    if (saying.what.find("{}") != std::string_view::npos && shown.empty()) continue;
    MissingForBuild missing{
        fmt::format(fmt::runtime(saying.what), shown), fmt::format(fmt::runtime(saying.hint), shown), {}};
    missing.package = package_of(missing.what);
    if (!missing.package.empty())
      missing.hint = fmt::format("install {} of Debian, or lock a version that has a wheel", missing.package);
    return missing;
  }
  return std::nullopt;
}

}  // namespace

std::optional<MissingForBuild> find_missing(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    if (auto missing = read_line(output.substr(0, end))) {
      if (missing->what == "the header Python.h") missing->hint = "install Python's headers (Debian: python3-dev)";
      return missing;
    }
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return std::nullopt;
}

}  // namespace veneer::python
