// What a wheel wants of the system that it is installed on: shared libraries that its compiled files are linked with,
// and those that its Python files ask for by name when they run. Pure but for reading the wheel; thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/wheel/wheel.hh"

namespace veneer::python {

/// All sorted, each once.
struct WheelNeeds {
  /// DT_NEEDED of its ELF files (System V ABI, "Dynamic Linking") but for those that lie in the wheel itself.
  std::vector<std::string> libraries;
  /// The libraries in it, by the last part of their paths: "libpq-9b38f5e3.so.5".
  std::vector<std::string> brings;
  /// Literals given to ctypes.util.find_library, CDLL, LoadLibrary and dlopen: "pq", "libpango-1.0.so.0".
  std::vector<std::string> asks_for;

  bool operator==(const WheelNeeds&) const = default;
};

/// Of `wheel` on `machine` (as platform.machine() names it); ELF files for other machines do not count, nor do those
/// that cannot be read. Files too large for memory are written to `scratch`, an existing folder.
WheelNeeds needs_of(const Wheel& wheel, std::string_view machine, const std::filesystem::path& scratch);

/// The literals of asks_for in the text of a Python file: of calls on one or several lines, in order.
std::vector<std::string> libraries_asked_for(std::string_view source);

/// A line each, and back; nothing when `text` is not of this form.
std::string needs_to_text(const WheelNeeds& needs);
std::optional<WheelNeeds> needs_from_text(std::string_view text);

}  // namespace veneer::python
