#include "owners/dockerfile.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"
#include "foundation/value.hh"
#include "owners/expand.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t largest_file = 1 << 20;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view without_left_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

template <std::size_t Size>
bool is_one_of(std::string_view name, const std::array<std::string_view, Size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 18> known_instructions = {
    "ADD",   "ARG",     "CMD",        "COPY", "ENTRYPOINT", "ENV",        "EXPOSE", "FROM",   "HEALTHCHECK",
    "LABEL", "ONBUILD", "MAINTAINER", "RUN",  "SHELL",      "STOPSIGNAL", "USER",   "VOLUME", "WORKDIR"};
constexpr std::array<std::string_view, 7> with_exec_form = {"ADD", "CMD",   "COPY",  "ENTRYPOINT",
                                                            "RUN", "SHELL", "VOLUME"};
constexpr std::array<std::string_view, 3> with_documents = {"ADD", "COPY", "RUN"};
constexpr std::array<std::string_view, 5> with_flags = {"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"};

/// A JSON list of strings, and nothing else, is the exec form.
std::optional<std::vector<std::string>> exec_form(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('[')) return std::nullopt;
  try {
    const Value list = parse_json(text);
    std::vector<std::string> words;
    for (const Value& word : list.array()) words.push_back(word.string());
    return words;
  } catch (const Error&) {
    return std::nullopt;
  }
}

class Parser {
 public:
  Parser(std::string_view text, std::string file) : rest_(text) {
    result_.file = std::move(file);
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  Dockerfile parse() {
    read_directives();
    while (next_line()) {
      const std::string_view line = without_left_blanks(line_);
      if (line.empty() || line[0] == '#') continue;
      const std::size_t first = number_;
      Instruction instruction = split(joined(line), first);
      read_documents(instruction);
      put(std::move(instruction));
    }
    if (result_.stages.empty()) refuse(number_, "there is no FROM");
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(std::size_t line, const std::string& message) const {
    throw Error(ErrorKind::refused,
                fmt::format("{}:{}: {}", printable(result_.file), std::max<std::size_t>(line, 1), message));
  }

  bool next_line() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }

  /// "# escape=`" and its like, which stand above everything else.
  void read_directives() {
    for (;;) {
      const std::string_view before = rest_;
      const std::size_t number = number_;
      if (!next_line()) return;
      const std::string_view line = trimmed(line_);
      const std::size_t equals = line.find('=');
      const std::string_view name =
          line.starts_with('#') && equals != std::string_view::npos ? trimmed(line.substr(1, equals - 1)) : "";
      const auto is_name = [](char c) { return is_letter(c) || is_digit(c); };
      if (name.empty() || !is_letter(name[0]) || !std::all_of(name.begin(), name.end(), is_name)) {
        rest_ = before;
        number_ = number;
        return;
      }
      if (lower(name) != "escape") continue;
      const std::string_view value = trimmed(line.substr(equals + 1));
      if (value != "\\" && value != "`") refuse(number_, "escape is neither \\ nor `");
      result_.escape = value[0];
    }
  }

  /// Takes the escape off the end of a line that goes on, with the blanks behind it.
  bool goes_on(std::string_view& line) const {
    std::string_view cut = line;
    while (!cut.empty() && (cut.back() == ' ' || cut.back() == '\t')) cut.remove_suffix(1);
    if (!cut.ends_with(result_.escape)) return false;
    cut.remove_suffix(1);
    if (cut.ends_with(result_.escape)) return false;
    line = cut;
    return true;
  }

  std::string joined(std::string_view line) {
    std::string text;
    bool more = goes_on(line);
    text += line;
    while (more && next_line()) {
      const std::string_view stripped = without_left_blanks(line_);
      if (stripped.empty() || stripped[0] == '#') continue;
      std::string_view next = line_;
      more = goes_on(next);
      text += next;
    }
    return text;
  }

  Instruction split(const std::string& line, std::size_t number) {
    Instruction instruction;
    instruction.line = number;
    std::string_view text = line;
    const std::size_t end = std::min(text.find_first_of(" \t\r\v\f"), text.size());
    instruction.name = upper(text.substr(0, end));
    if (!is_one_of(instruction.name, known_instructions)) {
      refuse(number, fmt::format("{} is no instruction", printable(text.substr(0, end))));
    }
    text = trimmed(text.substr(end));
    if (is_one_of(instruction.name, with_flags)) take_flags(instruction, text);
    if (text.empty()) refuse(number, instruction.name + " is empty");
    if (is_one_of(instruction.name, with_exec_form)) instruction.words = exec_form(text);
    instruction.text = text;
    return instruction;
  }

  static void take_flags(Instruction& instruction, std::string_view& text) {
    while (text.starts_with("--")) {
      const std::size_t end = std::min(text.find_first_of(" \t\r\v\f"), text.size());
      if (end == 2) {  // "--" ends the flags
        text = trimmed(text.substr(end));
        return;
      }
      instruction.flags.emplace_back(text.substr(0, end));
      text = trimmed(text.substr(end));
    }
  }

  void read_documents(Instruction& instruction) {
    if (!is_one_of(instruction.name, with_documents) || instruction.text.find("<<") == std::string::npos) return;
    for (const std::string& word : raw_words(instruction.text, result_.escape)) {
      std::string_view rest = word;
      while (!rest.empty() && is_digit(rest[0])) rest.remove_prefix(1);
      if (!rest.starts_with("<<")) continue;
      rest.remove_prefix(2);
      const bool strips = rest.starts_with('-');
      if (strips) rest.remove_prefix(1);
      HereDocument document;
      document.is_expanded = rest.find_first_of("'\"") == std::string_view::npos;
      for (const char c : rest) {
        if (c != '\'' && c != '"') document.name += c;
      }
      if (document.name.empty() || document.name.find('<') != std::string::npos) continue;
      read_document(document, strips, instruction.line);
      instruction.documents.push_back(std::move(document));
    }
  }

  void read_document(HereDocument& document, bool strips, std::size_t line) {
    while (next_line()) {
      std::string_view text = line_;
      while (strips && text.starts_with('\t')) text.remove_prefix(1);
      if (text == document.name) return;
      document.text += text;
      document.text += '\n';
    }
    refuse(line, fmt::format("the here-document {} is not ended", printable(document.name)));
  }

  void put(Instruction instruction) {
    if (instruction.name == "FROM") return put_stage(instruction);
    if (!result_.stages.empty()) {
      result_.stages.back().instructions.push_back(std::move(instruction));
    } else if (instruction.name == "ARG") {
      result_.arguments.push_back(std::move(instruction));
    } else {
      refuse(instruction.line, instruction.name + " stands above the first FROM");
    }
  }

  void put_stage(const Instruction& from) {
    const std::vector<std::string> words = raw_words(from.text, result_.escape);
    if (words.size() != 1 && !(words.size() == 3 && upper(words[1]) == "AS")) {
      refuse(from.line, "FROM is neither 'FROM image' nor 'FROM image AS name'");
    }
    Stage stage;
    stage.image = words[0];
    stage.name = words.size() == 3 ? lower(words[2]) : "";
    const auto is_fine = [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; };
    if (words.size() == 3 && !(is_lower(stage.name[0]) && std::all_of(stage.name.begin(), stage.name.end(), is_fine))) {
      refuse(from.line, fmt::format("'{}' is no name of a stage", printable(words[2])));
    }
    stage.line = from.line;
    result_.stages.push_back(std::move(stage));
  }

  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  Dockerfile result_;
};

}  // namespace

std::optional<std::string> Instruction::flag(std::string_view wanted) const {
  for (const std::string& item : flags) {
    const std::string_view given = std::string_view(item).substr(2);
    const std::size_t equals = std::min(given.find('='), given.size());
    if (given.substr(0, equals) == wanted) return std::string(given.substr(std::min(equals + 1, given.size())));
  }
  return std::nullopt;
}

const Stage* Dockerfile::find(std::string_view target) const {
  if (target.empty()) return &stages.back();
  const std::string name = lower(target);
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    if (stage->name == name) return &*stage;
  }
  const auto number = read_number<std::size_t>(target);
  return number && *number < stages.size() ? &stages[*number] : nullptr;
}

Dockerfile parse_dockerfile(std::string_view text, std::string file) {
  if (text.size() > largest_file) {
    throw Error(ErrorKind::refused, fmt::format("{} has more than 1 MiB", printable(file)));
  }
  return Parser(text, std::move(file)).parse();
}

}  // namespace veneer::owners
