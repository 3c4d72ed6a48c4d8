// What a netrc file says of one user. libcurl reads the file for whom nobody named; of a named user some of its
// versions give out another one's password. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veneer::net {

/// The password of `user` in the first entry for `host` (case does not matter) or in a default entry. `text` is that of
/// the file: words between white space, in quotes where they hold some; "#" where an entry's key may stand begins a
/// comment; a "macdef" goes to the next empty line.
std::optional<std::string> netrc_password(std::string_view text, std::string_view host, std::string_view user);

}  // namespace veneer::net
