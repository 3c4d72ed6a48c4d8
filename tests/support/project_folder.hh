// A Python project in a folder of its own, under git or not, for tests that need a real one; and the uv that they use.
#pragma once

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "foundation/file.hh"
#include "foundation/process.hh"
#include "tests/support/needs.hh"

namespace veneer::tests {

/// uv as named by VENEER_UV, or from PATH; empty when there is none.
inline std::filesystem::path uv_path() {
  if (const char* named = std::getenv("VENEER_UV")) return named;
  const char* path = std::getenv("PATH");
  return find_program("uv", path != nullptr ? path : "").value_or("");
}

/// To be called first in a test that needs uv.
#define VENEER_NEEDS_UV() VENEER_NEEDS(!veneer::tests::uv_path().empty(), "uv is neither on PATH nor in VENEER_UV")

/// Makes this process and what it starts see git with an identity and without the settings of user and machine, and one
/// umask: what support/python/surroundings.py does for other tests.
inline void settle_surroundings() {
  for (const char* name :
       {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES", "GIT_TEMPLATE_DIR"}) {
    ::unsetenv(name);
  }
  const std::map<std::string, std::string> variables = {{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                        {"GIT_CONFIG_NOSYSTEM", "1"},
                                                        {"GIT_ATTR_NOSYSTEM", "1"},
                                                        {"GIT_CONFIG_COUNT", "4"},
                                                        {"GIT_CONFIG_KEY_0", "core.excludesFile"},
                                                        {"GIT_CONFIG_VALUE_0", "/dev/null"},
                                                        {"GIT_CONFIG_KEY_1", "core.attributesFile"},
                                                        {"GIT_CONFIG_VALUE_1", "/dev/null"},
                                                        {"GIT_CONFIG_KEY_2", "init.defaultBranch"},
                                                        {"GIT_CONFIG_VALUE_2", "main"},
                                                        {"GIT_CONFIG_KEY_3", "protocol.file.allow"},
                                                        {"GIT_CONFIG_VALUE_3", "always"},
                                                        {"GIT_AUTHOR_NAME", "Test"},
                                                        {"GIT_AUTHOR_EMAIL", "test@example.org"},
                                                        {"GIT_AUTHOR_DATE", "2026-01-06T10:00:00Z"},
                                                        {"GIT_COMMITTER_NAME", "Test"},
                                                        {"GIT_COMMITTER_EMAIL", "test@example.org"},
                                                        {"GIT_COMMITTER_DATE", "2026-01-06T10:00:00Z"}};
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  ::umask(022);
}

class ProjectFolder {
 public:
  ProjectFolder()
      : folder_(std::filesystem::temp_directory_path(), "veneer-project-"), path_(folder_.path() / "project") {
    settle_surroundings();
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
    command.arguments = {"git"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.folder = path_;
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
