#include "python/project/source_url.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

constexpr std::size_t longest = 2000;

bool consists_of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(
      text, [&](char c) { return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos; });
}

struct Parts {
  std::string scheme;  // lower case
  std::string host;
  std::string port;
  std::string path;  // with its slash; may be empty
};

/// Of "scheme://user@host:port/path?query#fragment".
bool take_apart(std::string_view url, Parts& parts) {
  const std::size_t end = url.find("://");
  if (url.size() > longest || end == std::string_view::npos || !consists_of(url.substr(0, end), "+")) return false;
  parts.scheme = lower(url.substr(0, end));
  std::string_view rest = url.substr(end + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  parts.path = rest.substr(slash);
  // A slash or a question mark in a password ends the authority early: then the "@" is behind it.
  if (url.substr(end + 3).find('@') != std::string_view::npos && authority.find('@') == std::string_view::npos) {
    return false;
  }
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (const std::size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    parts.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  parts.host = authority;
  return !parts.host.empty() && consists_of(parts.host, "-.") && consists_of(parts.port, "") &&
         std::ranges::all_of(parts.port, is_digit) && consists_of(parts.path, "/-._~!$&'()*+,;=:%");
}

std::string written(std::string_view scheme, const Parts& parts) {
  return fmt::format("{}://{}{}{}{}", scheme, parts.host, parts.port.empty() ? "" : ":", parts.port, parts.path);
}

}  // namespace

std::string public_url(std::string_view url) {
  Parts parts;
  if (!take_apart(url, parts) || (parts.scheme != "http" && parts.scheme != "https")) return {};
  return written(parts.scheme, parts);
}

std::string source_of_remote(std::string_view remote) {
  std::string scp;
  if (remote.find("://") == std::string_view::npos) {
    const std::size_t colon = remote.find(':');
    if (colon == std::string_view::npos || remote.substr(0, colon).find('/') != std::string_view::npos) return {};
    const std::string_view path = remote.substr(colon + 1);
    scp = fmt::format("ssh://{}{}{}", remote.substr(0, colon), path.starts_with('/') ? "" : "/", path);
    remote = scp;
  }
  Parts parts;
  if (!take_apart(remote, parts) || parts.host.find('.') == std::string::npos) return {};
  while (parts.path.ends_with('/')) parts.path.pop_back();
  if (parts.path.ends_with(".git")) parts.path.resize(parts.path.size() - 4);
  if (parts.path.empty()) return {};
  if (parts.scheme == "http" || parts.scheme == "https") return written(parts.scheme, parts);
  if (parts.scheme != "ssh" && parts.scheme != "git+ssh" && parts.scheme != "git") return {};
  if (parts.scheme == "git" || parts.port == "22") parts.port.clear();
  return written(parts.port.empty() ? "https" : "ssh", parts);
}

}  // namespace veneer::python
