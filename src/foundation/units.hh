// Sizes, rates and durations as people write and read them. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace veneer {

/// "404.1 MB": powers of ten, as registries count.
std::string human_size(std::uint64_t bytes);
/// "0.8 s", "12 s", "3 min 20 s".
std::string human_duration(double seconds);

/// "2MB", "500kB", "1000": bytes. Throws Error (usage).
std::uint64_t read_size(std::string_view text);
/// "1Mbit", "500kbit", "2.5MB": bytes a second. Throws Error (usage).
double read_rate(std::string_view text);

}  // namespace veneer
