#include "python/wheel/needs.hh"

#include <algorithm>
#include <array>
#include <set>

#include "foundation/elf.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "tree/file_tree.hh"

namespace veneer::python {

namespace {

constexpr std::uint64_t most_in_memory = 32 << 20;
constexpr std::uint64_t largest_source = 2 << 20;
constexpr std::size_t longest_call = 4000;  // characters between the parentheses
constexpr std::size_t longest_name = 100;   // of a library
constexpr std::size_t most_names = 10'000;  // of one kind in one wheel
constexpr std::string_view first_line = "wheel needs 1";

bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// The strings between `text`'s start, which stands behind an opening parenthesis, and the closing one. Comments end
/// with their lines; what cannot be made out ends the search.
void add_literals(std::string_view text, std::vector<std::string>& out) {
  text = text.substr(0, longest_call);
  int depth = 1;
  for (std::size_t i = 0; i < text.size() && depth > 0; ++i) {
    const char c = text[i];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == '#') i = std::min(text.find('\n', i), text.size());
    if (c != '"' && c != '\'') continue;
    const std::size_t end = text.find(c, i + 1);
    if (end == std::string_view::npos) return;
    const std::string_view literal = text.substr(i + 1, end - i - 1);
    const auto is_fine = [](char l) { return is_word(l) || l == '-' || l == '.' || l == '+'; };
    if (!literal.empty() && literal.size() <= longest_name && std::all_of(literal.begin(), literal.end(), is_fine)) {
      out.emplace_back(literal);
    }
    i = end;
  }
}

std::vector<std::string> sorted(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

class Scan {
 public:
  Scan(std::string_view machine, const std::filesystem::path& scratch) : machine_(machine), scratch_(scratch) {}

  void add(const WheelMember& member) {
    const std::string_view name = tree::base_name(member.path);
    if (name.ends_with(".py")) return add_source(member);
    const bool is_library = name.find(".so") != std::string_view::npos;
    if (is_library || member.executable) add_elf(member, is_library ? name : std::string_view());
  }

  WheelNeeds finish() {
    for (const std::string& name : brings_) libraries_.erase(name);
    return {sorted(std::move(libraries_)), sorted(std::move(brings_)), sorted(std::move(asks_for_))};
  }

 private:
  static void put(std::set<std::string>& names, const std::string& name) {
    const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' '; });
    if (is_plain && names.size() < most_names) names.insert(name);
  }

  void add_source(const WheelMember& member) {
    if (member.content->size() > largest_source) return;
    const Bytes bytes = read_all(*member.content->open(), largest_source);
    for (const std::string& name : libraries_asked_for(as_text(bytes))) put(asks_for_, name);
  }

  void add_elf(const WheelMember& member, std::string_view library) {
    try {
      const std::unique_ptr<ByteSource> data = member.content->open();
      Bytes start(20);
      start.resize(read_full(*data, start));
      const auto kind = elf_kind(start);
      if (!kind || elf_machine_name(*kind) != machine_) return;
      if (!library.empty()) put(brings_, std::string(library));
      const std::optional<Elf> elf = read(*member.content);
      if (!elf) return;
      if (!elf->soname.empty() && !library.empty()) put(brings_, elf->soname);
      for (const std::string& name : elf->needed) {
        if (name.find('/') == std::string::npos) put(libraries_, name);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::refused) throw;  // `veneer check` says what is wrong with such a file
    }
  }

  std::optional<Elf> read(const archive::Content& content) {
    const std::unique_ptr<ByteSource> data = content.open();
    if (content.size() <= most_in_memory) return read_elf(MemoryAccess(read_all(*data, most_in_memory)));
    const TemporaryFolder folder(scratch_, "needs");
    AtomicFile file(folder.path() / "library", 0600);
    copy(*data, file);
    file.commit();
    return read_elf(File(folder.path() / "library"));
  }

  std::string_view machine_;
  const std::filesystem::path& scratch_;
  std::set<std::string> libraries_;
  std::set<std::string> brings_;
  std::set<std::string> asks_for_;
};

}  // namespace

std::vector<std::string> libraries_asked_for(std::string_view source) {
  std::vector<std::string> names;
  for (std::size_t open = source.find('('); open != std::string_view::npos; open = source.find('(', open + 1)) {
    std::size_t begin = open;
    while (begin > 0 && is_word(source[begin - 1])) --begin;
    std::string_view word = source.substr(begin, open - begin);
    while (word.starts_with('_')) word.remove_prefix(1);
    constexpr std::array asking = {"find_library", "CDLL", "LoadLibrary", "dlopen"};
    if (std::find(asking.begin(), asking.end(), word) == asking.end()) continue;
    add_literals(source.substr(open + 1), names);
  }
  return names;
}

WheelNeeds needs_of(const Wheel& wheel, std::string_view machine, const std::filesystem::path& scratch) {
  return in_context([&] { return printable(wheel.file_name); },
                    [&] {
                      Scan scan(machine, scratch);
                      for (const WheelMember& member : wheel.members) scan.add(member);
                      return scan.finish();
                    });
}

std::string needs_to_text(const WheelNeeds& needs) {
  std::string text = std::string(first_line) + "\n";
  for (const std::string& name : needs.libraries) text += "needs " + name + "\n";
  for (const std::string& name : needs.brings) text += "brings " + name + "\n";
  for (const std::string& name : needs.asks_for) text += "asks " + name + "\n";
  return text;
}

std::optional<WheelNeeds> needs_from_text(std::string_view text) {
  const std::vector<std::string> lines = split_words(text, "\n");
  if (lines.empty() || lines[0] != first_line) return std::nullopt;
  WheelNeeds needs;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> words = split_words(lines[i], " ");
    if (words.size() != 2) return std::nullopt;
    if (words[0] == "needs") needs.libraries.push_back(words[1]);
    if (words[0] == "brings") needs.brings.push_back(words[1]);
    if (words[0] == "asks") needs.asks_for.push_back(words[1]);
  }
  return needs;
}

}  // namespace veneer::python
