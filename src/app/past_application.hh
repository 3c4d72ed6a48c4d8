// The application's layers of a commit, told from its files: what [tool.veneer.image], the Dockerfile and .dockerignore
// of that commit bring, and about what the wheels of its own packages would hold. Writes the files into a temporary
// folder; runs git and, to read Python files, an interpreter of this machine. One thread.
#pragma once

#include <string>
#include <vector>

#include "app/price.hh"
#include "app/project_files.hh"
#include "app/surroundings.hh"
#include "build/application.hh"
#include "foundation/temporary.hh"
#include "plan/application_split.hh"
#include "python/project/git_tree.hh"
#include "python/project/project.hh"
#include "python/target.hh"
#include "tree/file_tree.hh"

namespace veneer::app {

/// Bytes of a wheel of which nothing is known.
inline constexpr std::uint64_t guessed_size = 100'000;

/// Which files of a project's folder its image has, told by their names alone: those that [tool.veneer.image] means or,
/// without it, that a project which is no package has; a package's own modules; without what .dockerignore leaves out.
class ApplicationNames {
 public:
  /// Reads the ignore file that counts now; `workspace` is the folder of the lock.
  ApplicationNames(const python::Project& project, const std::filesystem::path& workspace);
  bool has(const std::string& path) const;

 private:
  bool is_meant(const std::string& path) const;

  const python::Project& project_;
  std::string module_;
  IgnoreFile ignore_;
};

class PastApplication {
 public:
  /// Both must outlive it.
  PastApplication(const python::GitRepository& repository, Surroundings& surroundings);

  /// What the project, all of whose `files` are given, brings beside its code.
  void add_project(const std::vector<python::GitFile>& files, const python::Target& target);

  /// About what a wheel of the package in the folder of `files` would hold: what lies below src/, else the package or
  /// module of its name, else each package at the top but tests.
  void add_code(const std::string& name, const std::vector<python::GitFile>& files, const python::Target& target);

  /// Bottom to top; `previous` is how the image before was split.
  std::vector<PricedPart> parts(const plan::ApplicationSplit& previous) const;

 private:
  std::filesystem::path write(const std::vector<python::GitFile>& files);

  const python::GitRepository& repository_;
  Surroundings& surroundings_;
  TemporaryFolder folder_;
  std::size_t written_ = 0;
  build::ApplicationFiles files_;
  tree::FileTree code_;
  Certainty certainty_ = Certainty::known;
};

}  // namespace veneer::app
