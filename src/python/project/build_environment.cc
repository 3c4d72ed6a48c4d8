#include "python/project/build_environment.hh"

#include <algorithm>
#include <array>

namespace veneer::python {

namespace {

/// A star stands for any text.
constexpr std::array<std::string_view, 39> let_through = {
    "PATH", "HOME", "NETRC", "XDG_*_HOME",
    // proxies and certificates
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CARGO_HTTP_CAINFO", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST",
    // toolchains, repositories
    "CARGO_HOME", "RUSTUP_HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_CONFIG_*",
    // where uv finds files and interpreters
    "UV_INDEX*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_KEYRING_PROVIDER", "UV_OFFLINE",
    "UV_PYTHON_DOWNLOADS_JSON_URL", "UV_PYTHON_INSTALL_*", "UV_CACHE_DIR", "UV_HTTP_TIMEOUT"};

constexpr std::array<std::string_view, 9> set_here = {
    "SOURCE_DATE_EPOCH", "PYTHONHASHSEED",  "TZ", "LC_ALL", "NO_COLOR", "TMPDIR", "GIT_CEILING_DIRECTORIES",
    "UV_CACHE_DIR",      "CARGO_TARGET_DIR"};

bool fits(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view end = pattern.substr(star + 1);
  return name.size() >= pattern.size() - 1 && name.starts_with(pattern.substr(0, star)) && name.ends_with(end);
}

}  // namespace

bool reaches_builds(std::string_view name) {
  return std::any_of(let_through.begin(), let_through.end(), [&](auto pattern) { return fits(pattern, name); });
}

bool is_set_for_builds(std::string_view name) {
  return std::find(set_here.begin(), set_here.end(), name) != set_here.end();
}

}  // namespace veneer::python
