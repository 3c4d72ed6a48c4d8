#include "python/supply/index_credentials.hh"

#include <algorithm>

#include "python/lock/location.hh"

namespace veneer::python {

namespace {

/// As it goes over the line (an encoded slash separates nothing), without slashes at its end.
std::string path_of(const net::SplitUrl& url) {
  std::string_view path = url.without_user_info;
  path.remove_prefix(std::min(path.find('/', path.find("://") + 3), path.size()));
  path = path.substr(0, path.find_first_of("?#"));
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

/// Servers differ in what they take "%2e%2e" for.
bool has_dot_parts(std::string_view path) {
  const std::string decoded = percent_decoded(path) + "/";
  return decoded.find("/../") != std::string::npos || decoded.find("/./") != std::string::npos ||
         decoded.find('\\') != std::string::npos;
}

/// Indexes of this form have their files beside the folder "simple".
std::string root_of(const net::SplitUrl& url) {
  std::string path = path_of(url);
  for (const std::string_view last : {"/simple", "/+simple"}) {
    if (path.ends_with(last)) return path.substr(0, path.size() - last.size());
  }
  return path;
}

bool is_below(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

}  // namespace

void IndexCredentials::add(const std::string& url, std::optional<net::Credentials> given) {
  if (!is_on_a_server(url)) return;
  Index index{net::split_url(url), {}, std::move(given)};
  index.root = root_of(index.url);
  if (!index.credentials) index.credentials = index.url.credentials;
  const auto known = std::find_if(indexes_.begin(), indexes_.end(), [&](const Index& other) {
    return same_origin(other.url, index.url) && other.root == index.root;
  });
  if (known == indexes_.end()) {
    indexes_.push_back(std::move(index));
  } else if (!known->credentials) {
    known->credentials = std::move(index.credentials);
  }
}

const IndexCredentials::Index* IndexCredentials::longest_prefix(const net::SplitUrl& url) const {
  const std::string path = path_of(url);
  if (has_dot_parts(path)) return nullptr;
  const Index* best = nullptr;
  for (const Index& index : indexes_) {
    if (!same_origin(index.url, url) || !is_below(path, index.root)) continue;
    if (best == nullptr || index.root.size() > best->root.size()) best = &index;
  }
  return best;
}

IndexCredentials::Answer IndexCredentials::find(const std::string& url, std::string_view index) const {
  if (!is_on_a_server(url)) return {};
  const net::SplitUrl file = net::split_url(url);
  const Index* found = longest_prefix(file);
  bool is_named =
      std::any_of(indexes_.begin(), indexes_.end(), [&](const Index& known) { return same_origin(known.url, file); });
  if (is_on_a_server(index)) {
    const net::SplitUrl listed_by = net::split_url(index);
    if (same_origin(listed_by, file)) {
      is_named = true;
      const Index* lister = longest_prefix(listed_by);
      const bool is_open =
          found == nullptr || (!found->credentials && lister != nullptr && is_below(lister->root, found->root));
      if (is_open && !has_dot_parts(path_of(file))) found = lister;
    }
  }
  Answer answer;
  if (file.credentials) {
    answer.credentials = file.credentials;
  } else if (found != nullptr) {
    answer.credentials = found->credentials;
  }
  if (is_named) answer.netrc = net::Netrc::over_http_too;
  return answer;
}

}  // namespace veneer::python
