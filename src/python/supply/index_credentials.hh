// Which credentials go with a request to a package index: bound to the scheme, host, port and path of the index that
// they were given for, as in uv. A value; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hh"

namespace veneer::python {

class IndexCredentials {
 public:
  /// `url` of an index that the user named; its user info is used unless there is something `given`. What is not on
  /// a server, such as a folder, is let pass. Throws Error (refused) for a malformed URL.
  void add(const std::string& url, std::optional<net::Credentials> given = {});

  struct Answer {
    std::optional<net::Credentials> credentials;
    net::Netrc netrc = net::Netrc::over_https;
  };
  /// For a file at `url`, of which the lock says that the index at `index` (may be empty) lists it. Its own user info
  /// decides; else the index of the same scheme, host and port whose path is the longest that `url` lies below, with
  /// or without credentials; else, for files that lie elsewhere on that server or below an index without credentials
  /// that `index` itself lies below, those of `index`.
  Answer find(const std::string& url, std::string_view index) const;

 private:
  struct Index {
    net::SplitUrl url;
    std::string root;  // path below which index and files lie
    std::optional<net::Credentials> credentials;
  };
  const Index* longest_prefix(const net::SplitUrl& url) const;

  std::vector<Index> indexes_;
};

}  // namespace veneer::python
