#include "app/locked_pythons.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::app {

namespace {

constexpr std::string_view glibc = "glibc";
constexpr std::string_view musl = "musl";

python::FoundInterpreter known_python(const base::LockedPython& python) {
  const auto number = [&](const std::string& text) {
    const auto value = read_number<unsigned>(text);
    if (value && *value < 1000) return static_cast<int>(*value);
    throw Error(ErrorKind::refused,
                fmt::format("veneer.lock has a Python {} with {}, which is none", printable(python.python, 40),
                            printable(python.libc, 40)),
                "run 'veneer base update', which makes it anew");
  };
  const std::vector<std::string> version = split_fields(python.python, '.');
  const std::size_t dash = python.libc.find('-');
  const std::string kind = python.libc.substr(0, dash);
  const std::vector<std::string> libc =
      split_fields(dash == std::string::npos ? std::string() : python.libc.substr(dash + 1), '.');
  if (version.size() < 2 || libc.size() != 2 || (kind != glibc && kind != musl)) number("");
  python::FoundInterpreter found;
  found.found_as = python.found_as;
  found.target.major = number(version[0]);
  found.target.minor = number(version[1]);
  found.target.full_version = python.python;
  if (python.interpreter.ends_with('t')) found.target.threading = python::Threading::free_threaded;
  found.target.libc = {kind == musl ? python::LibcKind::musl : python::LibcKind::glibc, number(libc[0]),
                       number(libc[1])};
  found.target.machine = python.machine;
  found.target.interpreter = python.interpreter;
  return found;
}

}  // namespace

base::LockedPython locked_python(const python::FoundInterpreter& found) {
  const python::Target& target = found.target;
  return {found.found_as, target.interpreter, target.full_version,
          fmt::format("{}-{}.{}", target.libc.kind == python::LibcKind::glibc ? glibc : musl, target.libc.major,
                      target.libc.minor),
          target.machine};
}

std::vector<base::LockedPython> locked_pythons(const std::vector<python::FoundInterpreter>& found) {
  std::vector<base::LockedPython> pythons;
  std::transform(found.begin(), found.end(), std::back_inserter(pythons), locked_python);
  return pythons;
}

std::vector<python::FoundInterpreter> known_pythons(const std::vector<base::LockedPython>& pythons) {
  std::vector<python::FoundInterpreter> found;
  std::transform(pythons.begin(), pythons.end(), std::back_inserter(found), known_python);
  return found;
}

}  // namespace veneer::app
