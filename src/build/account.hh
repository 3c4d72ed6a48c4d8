// The image's user in its system: a name, a group and a home. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/base.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

struct Account {
  std::string home;      // absolute
  tree::FileTree files;  // placed on the base; what it lacks
};

/// What /etc/passwd of `base` says of the number `user` is kept; its home is made if it is not there, unless it is
/// Debian's /nonexistent. Else the user is called "app" (or like it, if that name is taken) with the home /home/app,
/// which belongs to it. Likewise a line of /etc/group for `group`. Throws Error (refused) when a file of these cannot
/// be placed or is no text of a sensible size.
Account account_of(const tree::Lookup& base, std::uint32_t user, std::uint32_t group);

/// HOME of the image: what the project's `environment` says, else what the base's says, else the account's home. That
/// of the base says nothing when it is no more than the home of the base's own user.
std::string home_of(const Account& account, const base::Base& base,
                    const std::map<std::string, std::string>& environment);

/// What a user should know of `home`, a path in `image`: that it is no folder there, or that the image's user cannot
/// write to it. Nothing when it can.
std::optional<std::string> home_finding(const tree::Lookup& image, std::uint32_t user, std::uint32_t group,
                                        const std::string& home);

}  // namespace veneer::build
