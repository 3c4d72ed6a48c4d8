// Which files of a folder a .dockerignore leaves out, by the rules of Docker's own programs (the patternmatcher of
// moby, which BuildKit and the classic builder share). Pure; thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::owners {

struct IgnorePattern;

class DockerIgnore {
 public:
  /// Of no pattern: nothing is left out.
  DockerIgnore();
  /// The text of such a file. Throws Error (refused) that names the line for what Docker refuses too (a "!" alone, a
  /// malformed "[...]", a "\" at the end), and for more than 1 MiB, 4096 patterns, or one of more than 4096 bytes.
  static DockerIgnore parse(std::string_view text);
  /// Patterns as the lines of a file give them, without comments.
  static DockerIgnore of_patterns(const std::vector<std::string>& patterns);

  /// Whether the file or folder at `path` ("src/app/a.csv", relative, without "." parts) is left out, by itself or with
  /// a folder above it. The last pattern that fits decides. Time is linear in path and patterns.
  bool excludes(std::string_view path) const;

  bool empty() const { return patterns_.empty(); }

 private:
  void add(std::string_view pattern);

  std::vector<std::shared_ptr<const IgnorePattern>> patterns_;
};

}  // namespace veneer::owners
