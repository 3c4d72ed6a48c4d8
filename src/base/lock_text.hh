// The lines of veneer.lock: less of TOML than TOML allows (docs/formats.md). Internal to base. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace veneer::base {

/// The values of `{ name = "x", … }`, or of the lines of a table. What was not asked for is not known. All throw Error
/// (refused) that says what is wrong.
class Fields {
 public:
  void add(std::string key, std::string value);
  std::string take(std::string_view key);
  std::optional<std::string> take_if_there(std::string_view key);
  void end() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// One line, from its start on.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) { skip_blanks(); }

  bool is_at_end() const { return rest_.empty() || rest_.front() == '#'; }
  bool take(std::string_view mark);
  void expect(std::string_view mark);
  void expect_end() const;
  std::string key();
  /// A basic string of TOML whose only escapes are \", \\, \n and \t.
  std::string string();
  Fields table();

 private:
  void skip_blanks();
  std::string_view rest_;
};

/// A basic string. Throws Error (refused) for control characters.
std::string toml_string(std::string_view text);
/// Also of lines.
std::string toml_text(const std::string& text);

}  // namespace veneer::base
