// A Python project in a folder of its own, under git or not, for tests that need a real one; and the uv that they use.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "foundation/file.hh"
#include "foundation/process.hh"

namespace veneer::tests {

/// uv as named by VENEER_UV, or from PATH; empty when there is none.
inline std::filesystem::path uv_path() {
  if (const char* named = std::getenv("VENEER_UV")) return named;
  const char* path = std::getenv("PATH");
  return find_program("uv", path != nullptr ? path : "").value_or("");
}

/// To be called first in a test that needs uv.
#define VENEER_NEEDS_UV()                                                                 \
  if (veneer::tests::uv_path().empty()) {                                                 \
    if (std::getenv("CI") != nullptr) FAIL() << "uv is neither on PATH nor in VENEER_UV"; \
    GTEST_SKIP() << "uv is neither on PATH nor in VENEER_UV";                             \
  }                                                                                       \
  static_assert(true)

class ProjectFolder {
 public:
  ProjectFolder()
      : folder_(std::filesystem::temp_directory_path(), "veneer-project-"), path_(folder_.path() / "project") {
    make_folders(path_);
  }

  const std::filesystem::path& path() const { return path_; }
  /// Outside of the project, for caches.
  std::filesystem::path beside(const std::string& name) const { return folder_.path() / name; }

  void write(const std::string& name, std::string_view text, mode_t mode = 0644) const {
    make_folders((path_ / name).parent_path());
    write_text_file(path_ / name, text, mode);
  }

  std::string git(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = {"git",
                         "-c",
                         "user.name=Test",
                         "-c",
                         "user.email=test@example.org",
                         "-c",
                         "init.defaultBranch=main",
                         "-c",
                         "commit.gpgsign=false",
                         "-c",
                         "protocol.file.allow=always"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.folder = path_;
    command.environment = {{"GIT_AUTHOR_DATE", "2026-01-06T10:00:00Z"},
                           {"GIT_COMMITTER_DATE", "2026-01-06T10:00:00Z"},
                           {"GIT_CONFIG_GLOBAL", "/dev/null"}};
    std::string text = run_checked(command);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  void commit_all(const std::string& message = "Change") const {
    if (!std::filesystem::exists(path_ / ".git")) git({"init", "--quiet"});
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", message});
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

/// 2026-01-06T10:00:00Z, when ProjectFolder commits.
inline constexpr std::int64_t commit_time = 1767693600;

}  // namespace veneer::tests
