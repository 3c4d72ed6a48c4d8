#include "image/reference.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::image {

namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;
constexpr std::string_view official_namespace = "library/";

bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }

[[noreturn]] void refuse_reference(std::string_view text, std::string_view what) {
  throw Error(ErrorKind::refused, fmt::format("'{}' is no image name: {}", printable(text), what));
}

/// Calls `check` with each part of `text` between `separator`s until it says false.
template <typename Check>
bool all_parts(std::string_view text, char separator, const Check& check) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_host_part(std::string_view part) {
  return !part.empty() && part.front() != '-' && part.back() != '-' &&
         std::all_of(part.begin(), part.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_registry(std::string_view text) {
  std::string_view host = text;
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
             return is_digit(c) || c == ':' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
  }
  return all_parts(host, '.', is_host_part);
}

/// Lower-case words joined by one '.', one or two '_', or any number of '-'.
bool is_repository_part(std::string_view part) {
  const auto is_word = [](char c) { return is_lower(c) || is_digit(c); };
  if (part.empty() || !is_word(part.front()) || !is_word(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (is_word(part[i])) {
      ++i;
      continue;
    }
    const std::size_t end = std::min(part.find_first_not_of(part[i], i), part.size());
    const std::size_t count = end - i;
    const bool joins = (part[i] == '.' && count == 1) || (part[i] == '_' && count <= 2) || part[i] == '-';
    if (!joins || end == part.size() || !is_word(part[end])) return false;
    i = end;
  }
  return true;
}

}  // namespace

std::string Reference::full() const {
  std::string text = registry + "/" + repository;
  if (tag) text += ":" + *tag;
  if (digest) text += "@" + digest->text();
  return text;
}

std::string Reference::familiar() const {
  if (registry != default_registry) return full();
  std::string text = full().substr(registry.size() + 1);
  if (names_registry(text)) return full();  // "odd.name/x" would be read as one on a registry
  const bool is_official = repository.starts_with(official_namespace) &&
                           repository.find('/', official_namespace.size()) == std::string::npos;
  const bool looks_like_id =
      is_official && Hash::from_hex(std::string_view(repository).substr(official_namespace.size()));
  if (is_official && !looks_like_id) text.erase(0, official_namespace.size());
  return text;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= longest_tag && (is_letter_or_digit(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool names_registry(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view first = text.substr(0, slash);
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         std::any_of(first.begin(), first.end(), is_upper);
}

Reference parse_reference(std::string_view text) {
  Reference reference;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = in_context([&] { return fmt::format("image name '{}'", printable(text)); },
                                  [&] { return ManifestDigest::parse(rest.substr(at + 1)); });
    rest = rest.substr(0, at);
  }
  reference.registry = default_registry;
  if (names_registry(rest)) {
    const std::size_t slash = rest.find('/');
    reference.registry = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    if (!is_registry(reference.registry)) refuse_reference(text, "its registry is malformed");
    if (reference.registry == "index.docker.io") reference.registry = default_registry;
  }
  // What stands before a colon that a slash follows is no repository, so this colon can only begin the tag.
  if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    const std::string_view tag = rest.substr(colon + 1);
    if (!is_tag(tag)) refuse_reference(text, "its tag is malformed");
    reference.tag = tag;
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) refuse_reference(text, "it is empty");
  if (std::any_of(rest.begin(), rest.end(), is_upper)) refuse_reference(text, "it must be in lower case");
  if (!all_parts(rest, '/', is_repository_part)) refuse_reference(text, "it is malformed");
  if (reference.registry == default_registry && rest.find('/') == std::string_view::npos) {
    if (Hash::from_hex(rest)) refuse_reference(text, "64 hexadecimal digits are an image ID");
    reference.repository = official_namespace;
  }
  reference.repository += rest;
  if (reference.registry.size() + 1 + reference.repository.size() > longest_name) {
    refuse_reference(text, fmt::format("it is longer than {} bytes", longest_name));
  }
  return reference;
}

Reference parse_given_name(std::string_view text) {
  try {
    Reference reference = with_default_tag(parse_reference(text));
    if (reference.digest) throw Error(ErrorKind::usage, "a digest is not a name that can be given");
    return reference;
  } catch (const Error& error) {
    throw Error(
        ErrorKind::usage,
        fmt::format("'{}' is no name that an engine can give to an image: {}", printable(text), error.message()),
        "a name looks like demo:1 or registry.example/team/demo:1, in lower case");
  }
}

Reference with_default_tag(Reference reference) {
  if (!reference.tag && !reference.digest) reference.tag = "latest";
  return reference;
}

}  // namespace veneer::image
