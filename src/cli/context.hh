// What commands get from outside: the environment, the clock, the terminal. The only door to them in the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::cli {

enum class Verbosity { quiet, normal };
enum class Color { never, terminal };

/// Messages for people on standard error. Thread-safe. Progress is drawn only on a terminal and never when quiet.
class Terminal {
 public:
  Terminal(Verbosity verbosity, Color color);
  ~Terminal();

  /// Replaces the progress line. Redrawn at most ten times a second, so it may be called often.
  void progress(const std::string& text);
  /// Removes the progress line.
  void clear_progress();
  /// A line that stays, unless quiet.
  void note(const std::string& text);
  /// A line that stays even when quiet.
  void warning(const std::string& text);
  void error(const std::string& text, const std::string& hint);

 private:
  std::string styled(std::string_view style, std::string_view text) const;
  void line(const std::string& text);
  void erase();

  Verbosity verbosity_;
  bool terminal_;
  bool color_;
  std::mutex mutex_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_drawn_;
};

class Context {
 public:
  Context(Verbosity verbosity, std::optional<std::string> cache_option);

  Terminal& terminal() { return terminal_; }
  /// A variable of the environment; an empty one counts as absent.
  std::optional<std::string> environment(const std::string& name) const;
  /// Where downloads and layers are kept: --cache, else $XDG_CACHE_HOME/veneer, else ~/.cache/veneer.
  std::filesystem::path cache_folder() const;
  std::filesystem::path current_folder() const;
  std::int64_t seconds_since_1970() const;
  /// Writes to standard output; an Error when that cannot be done (a full disk, say).
  void print(std::string_view text);

 private:
  Terminal terminal_;
  std::optional<std::string> cache_option_;
};

/// "404.1 MB": powers of ten, as the mission and registries count.
std::string human_size(std::uint64_t bytes);
/// "0.8 s", "12 s", "3 min 20 s".
std::string human_duration(double seconds);

/// Columns of text, aligned by display width; those named by `right` to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> head, std::vector<std::size_t> right = {});
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_;
};

}  // namespace veneer::cli
