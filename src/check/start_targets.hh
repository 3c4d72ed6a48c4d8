// Which modules and files an image's command runs, as far as its words tell: "uvicorn shop.main:app" the object app of
// shop.main, "python main.py" that file. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

namespace veneer::check {

struct StartTarget {
  enum class Kind {
    object,   // `attribute` (may be empty) of `module`; imports begin at `folder` too
    file,     // the program at `path`
    program,  // python -m `module`, from `folder`
  };
  Kind kind = Kind::object;
  std::string module;
  std::string attribute;
  std::string folder;  // absolute
  std::string path;    // absolute
  std::string name;    // as the command has it: "shop.main:app", "main.py", "-m shop"

  bool operator==(const StartTarget&) const = default;
};

/// Of ENTRYPOINT and CMD, in the working directory `folder`. Empty for a command that names none: a script of a
/// distribution, a program that is no Python, `python -c`.
std::vector<StartTarget> start_targets(const std::vector<std::string>& words, const std::string& folder);

}  // namespace veneer::check
