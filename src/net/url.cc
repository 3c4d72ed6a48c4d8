#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "foundation/text.hh"
#include "foundation/user_info.hh"
#include "net/http.hh"

namespace veneer::net {

namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
};
using UrlPointer = std::unique_ptr<CURLU, FreeUrl>;

std::string part(CURLU* url, CURLUPart which, unsigned flags, std::string_view shown) {
  char* text = nullptr;
  const CURLUcode code = ::curl_url_get(url, which, &text, flags);
  if (code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD || code == CURLUE_NO_HOST) return {};
  if (code != CURLUE_OK) {
    throw Error(ErrorKind::refused, fmt::format("the URL {} is malformed: {}", shown, ::curl_url_strerror(code)));
  }
  std::string result = text;
  ::curl_free(text);
  return result;
}

bool is_unreserved(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

}  // namespace

std::string display_url(std::string_view url) {
  std::string shown = url_without_user_info(url);
  if (const std::size_t tail = shown.find_first_of("?#"); tail != std::string::npos) {
    shown.replace(tail + 1, std::string::npos, "***");
  }
  return printable(shown);
}

SplitUrl split_url(std::string_view url) {
  const std::string shown = display_url(url);
  if (url.find('\0') != std::string_view::npos) throw Error(ErrorKind::refused, "a URL holds a NUL: " + shown);
  const UrlPointer parsed(::curl_url());
  if (parsed == nullptr) throw Error(ErrorKind::failed, "out of memory");
  if (const CURLUcode code = ::curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0);
      code != CURLUE_OK) {
    throw Error(ErrorKind::refused, fmt::format("the URL {} is malformed: {}", shown, ::curl_url_strerror(code)));
  }
  SplitUrl result;
  result.scheme = part(parsed.get(), CURLUPART_SCHEME, 0, shown);
  if (result.scheme != "http" && result.scheme != "https" && result.scheme != "file") {
    throw Error(ErrorKind::refused,
                fmt::format("the URL {} has the scheme {}; http, https and file are supported", shown, result.scheme));
  }
  result.host = lower(part(parsed.get(), CURLUPART_HOST, 0, shown));
  result.path = part(parsed.get(), CURLUPART_PATH, CURLU_URLDECODE, shown);
  if (result.scheme != "file") {
    const std::string port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT, shown);
    std::from_chars(port.data(), port.data() + port.size(), result.port);
  }
  const std::string user = part(parsed.get(), CURLUPART_USER, CURLU_URLDECODE, shown);
  const std::string password = part(parsed.get(), CURLUPART_PASSWORD, CURLU_URLDECODE, shown);
  if (!user.empty() || !password.empty()) result.credentials = Credentials{user, password};
  ::curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  ::curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  ::curl_url_set(parsed.get(), CURLUPART_OPTIONS, nullptr, 0);
  result.without_user_info = part(parsed.get(), CURLUPART_URL, 0, shown);
  return result;
}

std::string resolve_url(std::string_view base, std::string_view location) {
  const UrlPointer url(::curl_url());
  if (url == nullptr) throw Error(ErrorKind::failed, "out of memory");
  if (::curl_url_set(url.get(), CURLUPART_URL, std::string(base).c_str(), 0) != CURLUE_OK ||
      ::curl_url_set(url.get(), CURLUPART_URL, std::string(location).c_str(), CURLU_URLENCODE) != CURLUE_OK) {
    throw Error(ErrorKind::refused, fmt::format("{} redirects to a malformed URL", display_url(base)));
  }
  return part(url.get(), CURLUPART_URL, 0, display_url(base));
}

bool same_origin(const SplitUrl& a, const SplitUrl& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::string percent_encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_unreserved(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace veneer::net
