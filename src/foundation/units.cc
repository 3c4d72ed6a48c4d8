#include "foundation/units.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "foundation/error.hh"

namespace veneer {

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return value < 9.95 ? fmt::format("{:.2f} {}", value, unit) : fmt::format("{:.1f} {}", value, unit);
}

std::string human_duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

double read_rate(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"kbit", 1e3 / 8}, {"Mbit", 1e6 / 8}, {"Gbit", 1e9 / 8}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}};
  const auto* found = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  if (result.ec != std::errc() || !(number > 0) || number > 1e6 || found == units.end()) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no rate", printable(text)),
                "a number and kbit, Mbit, Gbit, kB, MB or GB (a second), such as 1Mbit");
  }
  return number * found->second;
}

std::uint64_t read_size(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(result.ptr, static_cast<std::size_t>(text.data() + text.size() - result.ptr));
  const double factor = unit.empty() || unit == "B" ? 1
                        : unit == "kB"              ? 1e3
                        : unit == "MB"              ? 1e6
                        : unit == "GB"              ? 1e9
                                                    : 0;
  if (result.ec != std::errc() || factor == 0 || !(number >= 0) || number > 1e9) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no size", printable(text)), "such as 500kB or 2MB");
  }
  return static_cast<std::uint64_t>(number * factor);
}

}  // namespace veneer
