// The deploys that the git history of a project tells of, from its locks alone: nothing is built, nobody is asked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/past_lock.hh"
#include "app/surroundings.hh"
#include "python/lock/select.hh"
#include "python/project/git.hh"
#include "replay/history.hh"

namespace veneer::app {

/// What counts as a deploy.
enum class DeployEvents {
  tags_else_commits,  // tags where there are two or more
  tags,
  commits,  // of the first parents of HEAD, where they touch the project's folder or its lock
};

struct ProjectHistoryRequest {
  std::optional<std::filesystem::path> folder;  // of the project; none: surroundings.current_folder()
  DeployEvents events = DeployEvents::tags_else_commits;
  PastTarget target;
  std::vector<std::string> extras;  // beside those that [tool.veneer] names now; normalised
  std::vector<std::string> groups;
  std::string until;  // the name of a tag: what came after it is left out; empty: all
};

struct ProjectHistory {
  replay::History history;
  std::vector<std::string> names;            // of the deploys: tags, or the first digits of commits
  DeployEvents events = DeployEvents::tags;  // tags or commits: which were taken
  python::History reach = python::History::complete;
};

/// Up to HEAD, from what the clone has: nothing is fetched. Files without a size in the lock have the
/// median size of the other files of their distribution, else 100 000 bytes. A lock that cannot be read counts
/// as none, with a warning; one that was renamed is followed. The application's files are those that
/// [tool.veneer.image] and .dockerignore mean now, and a package's modules; each is compressed by itself, of large ones
/// the beginning. Throws Error: not_found without a project, a lock or a git history.
ProjectHistory read_project_history(const ProjectHistoryRequest& request, Surroundings& surroundings);

}  // namespace veneer::app
