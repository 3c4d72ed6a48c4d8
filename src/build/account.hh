// The image's user in its system: a name, a group and a home. Called by the builder. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "tree/file_tree.hh"

namespace veneer::build {

struct Account {
  std::string home;      // absolute: what HOME is in the image
  tree::FileTree files;  // placed on the base; what it lacks
};

/// What /etc/passwd of `base` says of the number `user` is kept; its home is made if it is not there, unless it is
/// Debian's /nonexistent. Else the user is called "app" (or like it, if that name is taken) with the home /home/app,
/// which belongs to it. Likewise a line of /etc/group for `group`. Throws Error (refused) when a file of these cannot
/// be placed or is no text of a sensible size.
Account account_of(const tree::FileTree& base, std::uint32_t user, std::uint32_t group);

}  // namespace veneer::build
