#include "deliver/receiver/problem.hh"

#include <algorithm>
#include <array>

#include "foundation/error.hh"

namespace veneer::deliver {

bool is_about_missing_layers(std::string_view words) {
  constexpr std::array<std::string_view, 3> signs{"no such file or directory", "not found", "missing"};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return words.find(sign) != std::string_view::npos; });
}

Problem problem_in_words(std::string_view words) {
  const auto kind = is_about_missing_layers(words) ? Problem::Kind::incomplete : Problem::Kind::other;
  return {kind, printable(words, 600)};
}

}  // namespace veneer::deliver
