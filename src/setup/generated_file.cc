#include "setup/generated_file.hh"

#include <fmt/format.h>

#include "foundation/digest.hh"

namespace veneer::setup {

namespace {

constexpr std::string_view made_by = "Made by veneer ";
constexpr std::string_view hash_begin = " (veneer init); sha256:";
constexpr std::string_view hash_end = " of what follows";
constexpr std::size_t longest_version = 40;

std::string first_line(std::string_view version, std::string_view hash, Comments comments) {
  const std::string text = fmt::format("{}{}{}{}{}", made_by, version, hash_begin, hash, hash_end);
  return comments == Comments::hash ? "# " + text + "\n" : "<!-- " + text + " -->\n";
}

/// What lies between `begin` and `end` in `text`, which is taken off it; nothing when it is not there.
std::optional<std::string_view> take_between(std::string_view& text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  if (from == std::string_view::npos) return std::nullopt;
  const std::size_t to = text.find(end, from + begin.size());
  if (to == std::string_view::npos) return std::nullopt;
  const std::string_view found = text.substr(from + begin.size(), to - from - begin.size());
  text.remove_prefix(to);
  return found;
}

std::string with_plain_line_breaks(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') plain += text[i];
  }
  return plain;
}

std::string_view below_first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
}

}  // namespace

std::string text_of(const GeneratedFile& file, std::string_view version) {
  return first_line(version, sha256(file.body).hex(), file.comments) + file.body;
}

std::optional<Stamp> read_stamp(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  const auto version = take_between(line, made_by, hash_begin);
  const auto hash = take_between(line, hash_begin, hash_end);
  if (!version || !hash || version->size() > longest_version || !Hash::from_hex(*hash)) return std::nullopt;
  return Stamp{std::string(*version), std::string(*hash)};
}

Comparison compare(const GeneratedFile& file, std::string_view version, const std::optional<std::string>& on_disk) {
  if (!on_disk) return {FileState::absent, true, {}};
  const std::string there = with_plain_line_breaks(*on_disk);
  if (there == text_of(file, version)) return {FileState::same, false, std::string(version)};
  const auto stamp = read_stamp(there);
  if (!stamp) return {FileState::theirs, false, {}};
  if (sha256(below_first_line(there)).hex() == stamp->hash) return {FileState::ours, true, stamp->version};
  return {FileState::edited, stamp->hash != sha256(file.body).hex(), stamp->version};
}

}  // namespace veneer::setup
