#include "owners/uv_sync.hh"

#include <algorithm>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/evaluate.hh"
#include "owners/shell.hh"
#include "owners/uv_options.hh"

namespace veneer::owners {

namespace {

using Names = std::vector<Located<std::string>>;

void add(Names& names, std::string name, std::size_t line) {
  const auto is_same = [&](const Located<std::string>& other) { return other.value == name; };
  if (!name.empty() && std::none_of(names.begin(), names.end(), is_same)) names.push_back({std::move(name), line});
}

std::string program_of(const ShellWord& word) { return word.text.substr(word.text.rfind('/') + 1); }

class Reading {
 public:
  explicit Reading(const Dockerfile& file) : file_(file) {}

  Installed of(std::string_view target) {
    stage(target, 0);
    for (const auto* part : {&synced_, &run_}) {
      for (const auto& [value, line] : part->extras) add(result_.extras, value, line);
      for (const auto& [value, line] : part->groups) add(result_.groups, value, line);
      for (const auto& [value, line] : part->members) add(result_.members, value, line);
      for (const auto& [value, line] : part->unread) add(result_.unread, value, line);
      if (part->all_extras) std::tie(result_.all_extras, result_.line) = std::pair(true, part->line);
    }
    return std::move(result_);
  }

 private:
  void stage(std::string_view target, int depth) {
    constexpr int deepest = 8;
    const StageFacts facts = evaluate(file_, target);
    if (!seen_.insert(facts.line).second) return;
    for (const FileCopy& copy : facts.copies) {
      const Stage* other = copy.from.empty() ? nullptr : file_.find(copy.from);
      if (other != nullptr && depth < deepest && other->line < facts.line) stage(copy.from, depth + 1);
    }
    for (const Located<Invocation>& run : facts.runs) invocation(run);
    for (const auto* start : {&facts.entrypoint, &facts.cmd}) {
      if (*start && depth == 0) invocation(**start);
    }
  }

  void invocation(const Located<Invocation>& said) {
    try {
      const std::string text = said.value.words.empty() ? said.value.script : shell_line(said.value.words);
      for (const ShellCommand& command : read_shell(text).commands) take(command.words, said.line);
    } catch (const Error&) {  // no shell text; nothing is known of it
    }
  }

  void take(const std::vector<ShellWord>& words, std::size_t line) {
    const auto is_before = [](const ShellWord& word) {
      return word.text == "sudo" || word.text == "env" || word.text == "exec" ||
             word.text.find('=') != std::string::npos;
    };
    const auto uv = std::find_if_not(words.begin(), words.end(), is_before);
    if (uv != words.end() && program_of(*uv) == "uv" && uv + 1 != words.end()) {
      if (uv[1].text == "sync") {
        synced_ = {};
        options(uv + 2, words.end(), synced_, line);
        return;
      }
      if (uv[1].text == "run") return options(uv + 2, words.end(), run_, line);
    }
    const auto installs =
        std::find_if(words.begin(), words.end(), [](const ShellWord& word) { return word.text == "install"; });
    if (installs == words.begin() || installs == words.end() || !program_of(installs[-1]).starts_with("pip")) return;
    for (const ShellWord& word : words) {
      if (!word.text.starts_with(".[") || !word.text.ends_with(']')) continue;
      for (const std::string& name : split_words(std::string_view(word.text).substr(2, word.text.size() - 3), ", "))
        add(word.is_plain ? run_.extras : run_.unread, name, line);
    }
  }

  using Word = std::vector<ShellWord>::const_iterator;

  /// Up to the first word that is no option: what `uv run` runs has options of its own.
  static void options(Word word, Word end, Installed& into, std::size_t line) {
    for (; word != end && word->text.starts_with('-'); ++word) {
      const std::string& text = word->text;
      const std::size_t equals = text.find('=');
      const std::string name = text.substr(0, equals);
      if (name == "--all-extras") std::tie(into.all_extras, into.line) = std::pair(true, line);
      const bool is_ours = name == "--extra" || name == "--group" || name == "--package";
      if (!uv_option_takes_word(name)) continue;
      if (equals == std::string::npos && word + 1 == end) return;
      const std::string value = equals == std::string::npos ? word[1].text : text.substr(equals + 1);
      const bool is_known = equals == std::string::npos ? word[1].is_plain : word->is_plain;
      if (equals == std::string::npos) ++word;
      if (!is_ours) continue;
      if (!is_known) {
        add(into.unread, name + " " + value, line);
      } else {
        add(name == "--extra" ? into.extras : name == "--group" ? into.groups : into.members, value, line);
      }
    }
  }

  const Dockerfile& file_;
  std::set<std::size_t> seen_;  // lines of stages
  Installed synced_;
  Installed run_;
  Installed result_;
};

}  // namespace

Installed installed_of(const Dockerfile& file, std::string_view target) { return Reading(file).of(target); }

}  // namespace veneer::owners
