#include "setup/unified_diff.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace veneer::setup {

namespace {

constexpr std::size_t context = 3;
constexpr std::size_t most_cells = 4'000'000;  // of the table of common subsequences

using Lines = std::vector<std::string_view>;

/// With their line breaks.
Lines lines_with_breaks(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

struct Edit {
  char kind;  // ' ', '-' or '+'
  std::string_view line;
};

/// A longest common subsequence by its table of lengths; lines that go come before those that come.
void add_differing(const Lines& from, const Lines& to, std::vector<Edit>& edits) {
  const std::size_t width = to.size() + 1;
  const bool is_compared = (from.size() + 1) * width <= most_cells;
  std::vector<std::uint32_t> common(is_compared ? (from.size() + 1) * width : 0);  // of what begins at [i][j]
  for (std::size_t i = from.size(); is_compared && i-- > 0;) {
    for (std::size_t j = to.size(); j-- > 0;) {
      common[i * width + j] = from[i] == to[j] ? common[(i + 1) * width + j + 1] + 1
                                               : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < from.size() || j < to.size()) {
    if (is_compared && i < from.size() && j < to.size() && from[i] == to[j]) {
      edits.push_back({' ', from[i++]});
      ++j;
    } else if (i < from.size() &&
               (!is_compared || j == to.size() || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      edits.push_back({'-', from[i++]});
    } else {
      edits.push_back({'+', to[j++]});
    }
  }
}

std::vector<Edit> edits_between(Lines from, Lines to) {
  const auto [left, right] = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
  std::vector<Edit> edits;
  for (auto line = from.begin(); line != left; ++line) edits.push_back({' ', *line});
  std::size_t same_at_end = 0;
  while (same_at_end < static_cast<std::size_t>(std::min(from.end() - left, to.end() - right)) &&
         from[from.size() - 1 - same_at_end] == to[to.size() - 1 - same_at_end]) {
    ++same_at_end;
  }
  const auto tail = static_cast<std::ptrdiff_t>(same_at_end);
  add_differing(Lines(left, from.end() - tail), Lines(right, to.end() - tail), edits);
  for (auto line = from.end() - tail; line != from.end(); ++line) edits.push_back({' ', *line});
  return edits;
}

/// "12,3" as hunks say it; the line before for none.
std::string range(std::size_t first, std::size_t count) {
  if (count == 1) return std::to_string(first);
  return fmt::format("{},{}", count == 0 ? first - 1 : first, count);
}

std::string hunk(const std::vector<Edit>& edits, std::size_t begin, std::size_t end, std::size_t line_from,
                 std::size_t line_to) {
  std::string body;
  std::size_t from = 0;
  std::size_t to = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const Edit& edit = edits[i];
    body += edit.kind;
    body += edit.line;
    if (!edit.line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    if (edit.kind != '+') ++from;
    if (edit.kind != '-') ++to;
  }
  return fmt::format("@@ -{} +{} @@\n{}", range(line_from, from), range(line_to, to), body);
}

}  // namespace

std::string unified_diff(std::string_view from, std::string_view to, std::string_view name) {
  if (from == to) return "";
  const std::vector<Edit> edits = edits_between(lines_with_breaks(from), lines_with_breaks(to));
  std::string text = from.empty() ? "--- /dev/null\n" : fmt::format("--- a/{}\n", name);
  text += fmt::format("+++ b/{}\n", name);
  const auto is_change = [](const Edit& edit) { return edit.kind != ' '; };
  std::size_t line_from = 1;  // of edits[done]
  std::size_t line_to = 1;
  std::size_t done = 0;
  while (true) {
    const auto first = std::find_if(edits.begin() + static_cast<std::ptrdiff_t>(done), edits.end(), is_change);
    if (first == edits.end()) return text;
    const auto at = static_cast<std::size_t>(first - edits.begin());
    const std::size_t begin = std::max(done, at > context ? at - context : 0);
    std::size_t end = at + 1;  // behind the hunk's last change
    for (std::size_t i = end; i < edits.size() && i < end + 2 * context + 1; ++i) {
      if (is_change(edits[i])) end = i + 1;
    }
    end = std::min(edits.size(), end + context);
    line_from += begin - done;
    line_to += begin - done;
    text += hunk(edits, begin, end, line_from, line_to);
    for (std::size_t i = begin; i < end; ++i) {
      if (edits[i].kind != '+') ++line_from;
      if (edits[i].kind != '-') ++line_to;
    }
    done = end;
  }
}

}  // namespace veneer::setup
