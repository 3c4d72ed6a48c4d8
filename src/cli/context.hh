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

#include "app/surroundings.hh"

namespace veneer::cli {

enum class Verbosity { quiet, normal };
enum class Color { never, terminal };

/// Messages for people on standard error. Thread-safe. Progress is drawn only on a terminal and never when quiet.
class Terminal : public app::Messages {
 public:
  Terminal(Verbosity verbosity, Color color);
  ~Terminal() override;

  /// Replaces the progress line. Redrawn at most ten times a second, so it may be called often.
  void progress(const std::string& text) override;
  /// Removes the progress line.
  void clear_progress() override;
  /// A line that stays, unless quiet.
  void note(const std::string& text) override;
  /// A line that stays even when quiet.
  void warning(const std::string& text) override;
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

class Context : public app::Surroundings {
 public:
  explicit Context(Verbosity verbosity, std::optional<std::string> cache_option = {},
                   std::optional<std::string> project_option = {}, std::vector<std::string> insecure_options = {},
                   std::optional<std::string> authority_option = {});

  Terminal& terminal() { return terminal_; }
  app::Messages& messages() override { return terminal_; }
  std::optional<std::string> environment(const std::string& name) const override;
  /// --cache, else $XDG_CACHE_HOME/veneer, else ~/.cache/veneer.
  std::filesystem::path cache_folder() const override;
  /// --project, else where the process is. Throws Error (not_found) when it is no folder.
  std::filesystem::path current_folder() const override;
  std::int64_t seconds_since_1970() const override;
  std::vector<std::string> insecure_registries() const override { return insecure_options_; }
  std::optional<std::filesystem::path> registry_authority() const override { return authority_option_; }
  std::string caller() const override;
  /// Writes to standard output; an Error when that cannot be done (a full disk, say).
  void print(std::string_view text);

 private:
  Terminal terminal_;
  std::optional<std::string> cache_option_;
  std::optional<std::string> project_option_;
  std::vector<std::string> insecure_options_;
  std::optional<std::string> authority_option_;
};

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
