#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "foundation/text.hh"
#include "net/http.hh"

namespace veneer::net {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* Response::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return &header.value;
  }
  return nullptr;
}

std::vector<std::string> Response::headers_named(std::string_view name) const {
  std::vector<std::string> values;
  for (const Header& header : headers) {
    if (same_name(header.name, name)) values.push_back(header.value);
  }
  return values;
}

bool is_transient(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<std::chrono::seconds> Response::retry_after() const {
  const std::string* text = header("Retry-After");
  if (text == nullptr) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error == std::errc() && end == text->data() + text->size() && seconds >= 0) {
    return std::chrono::seconds(std::min<std::int64_t>(seconds, 24 * 3600));
  }
  const std::string* date = header("Date");
  if (date == nullptr) return std::nullopt;
  const std::time_t then = ::curl_getdate(text->c_str(), nullptr);
  const std::time_t now = ::curl_getdate(date->c_str(), nullptr);
  if (then < 0 || now < 0 || then < now) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(then - now, 24 * 3600));
}

std::optional<std::uint64_t> Response::range_start() const {
  const std::string* text = header("Content-Range");
  if (text == nullptr || !text->starts_with("bytes ")) return std::nullopt;
  std::uint64_t first = 0;
  std::size_t digits = 0;
  for (std::size_t i = 6; i < text->size() && (*text)[i] >= '0' && (*text)[i] <= '9' && digits < 18; ++i, ++digits) {
    first = first * 10 + static_cast<std::uint64_t>((*text)[i] - '0');
  }
  if (digits == 0) return std::nullopt;
  return first;
}

}  // namespace veneer::net
