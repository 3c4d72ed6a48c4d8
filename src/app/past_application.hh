// The application's layers of a commit, told from its files: what [tool.veneer.image], the Dockerfile and .dockerignore
// of that commit bring, and about what the wheels of its own packages would hold. Writes the files into a temporary
// folder; runs git and, to read Python files, an interpreter of this machine. One thread.
#pragma once

#include <string>
#include <vector>

#include "app/price.hh"
#include "app/surroundings.hh"
#include "foundation/temporary.hh"
#include "python/project/git_tree.hh"
#include "python/target.hh"
#include "tree/file_tree.hh"

namespace veneer::app {

class PastApplication {
 public:
  /// Both must outlive it.
  PastApplication(const python::GitRepository& repository, Surroundings& surroundings);

  /// What the project, all of whose `files` are given, brings beside its code.
  void add_project(const std::vector<python::GitFile>& files, const python::Target& target);

  /// About what a wheel of the package in the folder of `files` would hold: what lies below src/, else the package or
  /// module of its name, else each package at the top but tests.
  void add_code(const std::string& name, const std::vector<python::GitFile>& files, const python::Target& target);

  /// Bottom to top.
  std::vector<PricedPart> parts() const;

 private:
  std::filesystem::path write(const std::vector<python::GitFile>& files);

  const python::GitRepository& repository_;
  Surroundings& surroundings_;
  TemporaryFolder folder_;
  std::size_t written_ = 0;
  tree::FileTree tree_;
  Certainty certainty_ = Certainty::known;
};

}  // namespace veneer::app
