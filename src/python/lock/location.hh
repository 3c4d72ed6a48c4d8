// Where a lock says that something lies: URLs and paths taken apart. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::python {

struct GitLocation {
  std::string repository;  // URL without query and fragment
  std::string commit;      // the fragment
  std::string subdirectory;
};

/// "https" for "HTTPS://host"; empty for what does not begin like a URL.
std::string scheme_of(std::string_view location);

/// Whether it is a URL of scheme http or https.
bool is_on_a_server(std::string_view location);

/// "https://host/repo?rev=main&subdirectory=a%2Fb#<commit>", as uv.lock writes it.
GitLocation split_git_location(std::string_view url);

std::string without_fragment(std::string_view url);

/// The last part of a URL's path or of a path; percent-encoding is resolved in URLs.
std::string file_name_of(std::string_view location);

/// `path` as seen from where `folder` (a path or file URL) is seen; `path` itself when it is absolute or a URL.
std::string join_location(std::string_view folder, std::string_view path);

/// Percent-encoding resolved; malformed sequences stay as they are.
std::string percent_decoded(std::string_view text);

}  // namespace veneer::python
