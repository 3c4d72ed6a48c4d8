// User info of URLs, which may be a password, kept out of what is shown. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer {

/// `text`, such as what another program said, with "***" for the user info of every URL in it: of "scheme://" up to
/// white space, also with fewer slashes where the scheme is http or https. Where it cannot be told how far the user
/// info goes (an "@" behind a "/", "?" or "#", an "@" and no host behind it), "***" stands for all of the rest. The
/// user of ssh is shown, a password of ssh is not. What it returned it leaves as it is.
std::string without_user_info(std::string_view text);

/// The same for a text that is a single URL or path, whatever is in it. A URL without a host that can be one is also
/// hidden.
std::string url_without_user_info(std::string_view url);

}  // namespace veneer
