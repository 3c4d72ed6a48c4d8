// The one exception type of the program. Thrown where a problem is found, annotated on the way up by in_context(),
// caught once in cli/. No text of it has user info of a URL (without_user_info()). Thread-safe as values are.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veneer {

/// What went wrong, in the terms of the documented exit codes.
enum class ErrorKind {
  failed,        // 1  something on this machine failed
  usage,         // 2  the command line is wrong
  refused,       // 3  an input is malformed, hostile or unsupported
  not_found,     // 4  a named thing does not exist
  network,       // 5  a server or host could not be reached or answered with an error
  verification,  // 6  bytes are not what their digest or the image promised
  rolled_back,   // 7  a deploy failed and the old state serves again
  gate,          // 10 a budget or status check says no
};

/// The exit code documented for `kind`.
int exit_code(ErrorKind kind);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, const std::string& message, const std::string& hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  /// What the user can do about it; may be empty.
  const std::string& hint() const { return hint_; }
  /// What was being done, innermost first.
  const std::vector<std::string>& context() const { return context_; }
  /// Everything but the hint on one line, outermost context first: "reading X: member a/b: bad CRC".
  const char* what() const noexcept override { return what_.c_str(); }

  void add_context(const std::string& doing);
  void set_hint(const std::string& hint);

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::vector<std::string> context_;
  std::string what_;
};

/// Throws an Error of kind refused.
[[noreturn]] void refuse(const std::string& message, const std::string& hint = {});

/// The exception that is being handled, as an Error; what is none becomes one of kind failed. Call it in a catch block.
Error current_error();

/// Calls `action`; an Error that leaves it says what was being done. `doing` is only built when an Error passes:
/// in_context([&] { return "reading " + name; }, [&] { ... }).
template <typename Describe, typename Action>
decltype(auto) in_context(Describe&& doing, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (Error& error) {
    error.add_context(std::string(doing()));
    throw;
  }
}

/// `text` from outside, made safe to print: user info of URLs becomes "***", control characters and invalid UTF-8
/// become \xNN, and what is longer than `limit` bytes is cut with "…".
std::string printable(std::string_view text, std::size_t limit = 300);

}  // namespace veneer
