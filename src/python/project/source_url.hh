// URLs of a project as everybody may read them: without credentials. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::python {

/// `url` of http or https without user info, query and fragment; empty for what is none, or has characters that URLs do
/// not have (RFC 3986).
std::string public_url(std::string_view url);

/// Where people find the repository that git clones from `remote`: a URL of https. "git@host:team/app.git",
/// "ssh://git@host/team/app" and "https://token@host/team/app.git" are all "https://host/team/app", so that it does not
/// depend on how a clone was made. Of ssh at a port of its own "ssh://host:port/team/app"; empty for paths, names
/// without a domain, and everything else.
std::string source_of_remote(std::string_view remote);

}  // namespace veneer::python
