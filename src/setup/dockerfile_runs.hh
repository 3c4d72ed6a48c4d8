// What a Dockerfile's RUN lines come to: empty files, folders to write to, modes of the project's files; and of each
// command that has no key, why. One thread.
#pragma once

#include <string>
#include <vector>

#include "owners/evaluate.hh"
#include "python/project/project.hh"
#include "setup/from_dockerfile.hh"

namespace veneer::owners {
struct ShellCommand;
}

namespace veneer::setup {

struct RunOutcome {
  std::string becomes;
  std::string why;
};

class Runs {
 public:
  /// `files` are the rules whose modes chmod changes.
  Runs(std::string workdir, const PackageChoice& packages, std::vector<python::FileRule> files)
      : workdir_(std::move(workdir)), packages_(packages), files_(std::move(files)) {}

  RunOutcome take(const owners::Instruction& run);

  const std::string& workdir() const { return workdir_; }
  const std::vector<python::FileRule>& files() const { return files_; }
  const std::vector<owners::Located<std::string>>& empty_files() const { return empty_files_; }
  const std::vector<owners::Located<std::string>>& writable() const { return writable_; }

 private:
  std::string absolute(const std::string& name) const;
  RunOutcome of_command(const owners::ShellCommand& command, std::size_t line_number);
  RunOutcome of_apt(const owners::ShellCommand& command) const;
  RunOutcome of_chmod(const std::vector<std::string>& paths);

  std::string workdir_;
  const PackageChoice& packages_;
  std::vector<python::FileRule> files_;
  std::vector<owners::Located<std::string>> empty_files_;
  std::vector<owners::Located<std::string>> writable_;
};

}  // namespace veneer::setup
