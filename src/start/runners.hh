// What stands in front of a program in the commands that owners write: exec, `uv run` and its like, an init, the folder
// of a virtual environment. The image needs none of it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "start/command.hh"

namespace veneer::start {

struct Stripped {
  std::vector<std::string> words;  // begin with the program
  std::string trouble;             // what cannot be had: "uv run --with would install something at each start"
  std::vector<LeftOut> left_out;   // what is missed
};

Stripped stripped(std::vector<std::string> words, const Inputs& inputs, const Places& places);

/// "python", "python3.12", "/usr/bin/python3".
bool is_python(std::string_view word);

/// Whether a program runs the words behind it (env, gosu, tini): of a script whose last line is `exec PROGRAM "$@"`,
/// others have a program of their own.
bool runs_its_words(std::string_view program);

}  // namespace veneer::start
