#include "deliver/receiver/problem.hh"

#include <algorithm>
#include <array>

#include "foundation/error.hh"

namespace veneer::deliver {

bool is_about_missing_layers(std::string_view words) {
  constexpr std::array<std::string_view, 3> signs{"no such file or directory", "not found", "missing"};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return words.find(sign) != std::string_view::npos; });
}

bool is_about_a_full_disk(std::string_view words) {
  return words.find("o space left") != std::string_view::npos;  // No, no
}

Problem other_problem(std::string_view words) {
  if (!is_about_a_full_disk(words)) return {Problem::Kind::other, printable(words, 600), {}};
  return {Problem::Kind::refused, printable(words, 600), std::string(cure_of_a_full_disk)};
}

Problem problem_in_words(std::string_view words) {
  Problem problem = other_problem(words);
  if (problem.kind == Problem::Kind::other && is_about_missing_layers(words)) problem.kind = Problem::Kind::incomplete;
  return problem;
}

}  // namespace veneer::deliver
