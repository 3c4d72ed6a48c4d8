// Words of a Dockerfile: quotes, escapes and variables as BuildKit's builder replaces them in ENV, ARG, FROM, WORKDIR
// and others (docs.docker.com/reference/dockerfile, "Environment replacement"). Pure; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::owners {

/// The value of a variable, or nothing when it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

struct Expanded {
  std::string text;
  std::vector<std::string> unset;  // variables that were asked for, have no value and no default: they count as ""
};

/// `text` as one word: quotes go, variables are replaced; `${x:-word}`, `${x:+word}`, `${x:?word}` and the same without
/// the colon are known, `word` may have variables itself. `escape` is '\\' or '`'. Throws Error (refused) for a quote
/// or brace that is not closed, an unknown modifier (patterns among them), and what grows beyond 64 KiB.
Expanded expand_word(std::string_view text, char escape, const Lookup& lookup);

/// The same for each of the words between blanks that are not quoted.
std::vector<Expanded> expand_words(std::string_view text, char escape, const Lookup& lookup);

/// The words between blanks as they are written, quotes and all.
std::vector<std::string> raw_words(std::string_view text, char escape);

}  // namespace veneer::owners
