// Whether the image's programs can be started by its user: interpreters of scripts, the entrypoint, permissions. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check/environment.hh"
#include "check/finding.hh"
#include "image/image.hh"
#include "tree/file_tree.hh"

namespace veneer::check {

struct User {
  std::uint64_t uid = 0;
  std::set<std::uint64_t> groups;
};

/// Whom the image's processes run as (image-spec config.md, "User"): names are looked up in etc/passwd and etc/group.
/// Throws Error (refused) for a name that is not there.
User user_of(const tree::FileTree& tree, const image::RunConfig& config);

/// Every script below the environments' bin folders: that its interpreter is there, and may be run by `user` (links are
/// followed, and shown with the modes of what they lead to). That `user` may read all of the environments. That the
/// entrypoint and the working directory are there, that the image starts more than an interpreter, and that `user` may
/// write to its home. Returns how many scripts were looked at.
std::size_t check_programs(const tree::FileTree& tree, const std::vector<Environment>& environments,
                           const image::RunConfig& config, const User& user, Findings& findings);

}  // namespace veneer::check
