// Why an image is not on a host as it should be. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::deliver {

struct Problem {
  enum class Kind {
    incomplete,  // something that was left out is not on the host: sending every layer helps
    refused,     // the host cannot take it: no room, or a folder that is not safe to use
    other,
  };
  Kind kind = Kind::other;
  std::string text;  // printable
  std::string hint;  // printable; may be empty
};

/// Whether an engine's words mean that something the archive left out was not there after all.
bool is_about_missing_layers(std::string_view words);

/// Whether words of an engine or a shell mean that a disk is full; and what helps then.
bool is_about_a_full_disk(std::string_view words);
inline constexpr std::string_view cure_of_a_full_disk = "make room on the host: bytes, or inodes (df -i)";

/// Words that are not about layers, as a Problem; they are made printable.
Problem other_problem(std::string_view words);

/// An engine's words as a Problem of the kind that they tell; they are made printable.
Problem problem_in_words(std::string_view words);

}  // namespace veneer::deliver
