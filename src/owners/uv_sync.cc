#include "owners/uv_sync.hh"

#include <algorithm>
#include <map>
#include <optional>
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
    if (has_synced_) run_.default_groups.reset();  // which it leaves to uv sync
    for (const auto* part : {&synced_, &run_}) {
      for (const auto& [value, line] : part->extras) add(result_.extras, value, line);
      for (const auto& [value, line] : part->groups) add(result_.groups, value, line);
      for (const auto& [value, line] : part->members) add(result_.members, value, line);
      for (const auto& [value, line] : part->unread) add(result_.unread, value, line);
      for (const auto member : {&Installed::no_extras, &Installed::no_groups}) {
        (result_.*member).insert((result_.*member).end(), (part->*member).begin(), (part->*member).end());
      }
      for (const auto member :
           {&Installed::all_extras, &Installed::all_groups, &Installed::default_groups, &Installed::alone}) {
        if (part->*member) result_.*member = part->*member;
      }
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
        has_synced_ = true;
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
    bool takes_defaults = true;
    for (; word != end && word->text.starts_with('-'); ++word) {
      const std::string& text = word->text;
      const std::size_t equals = text.find('=');
      const std::string name = text.substr(0, equals);
      if (name == "--all-extras") into.all_extras = line;
      if (name == "--all-groups") into.all_groups = line;
      if (name == "--only-group" || name == "--only-dev") into.alone = line;
      if (name == "--no-default-groups") takes_defaults = false;
      if (!uv_option_takes_word(name)) continue;
      if (equals == std::string::npos && word + 1 == end) break;
      const std::string value = equals == std::string::npos ? word[1].text : text.substr(equals + 1);
      const bool is_known = equals == std::string::npos ? word[1].is_plain : word->is_plain;
      if (equals == std::string::npos) ++word;
      take_name(name, value, is_known, into, line);
    }
    if (takes_defaults && !into.alone) into.default_groups = line;
  }

  static void take_name(const std::string& option, const std::string& value, bool is_known, Installed& into,
                        std::size_t line) {
    static const std::map<std::string_view, Names Installed::*> taken = {{"--extra", &Installed::extras},
                                                                         {"--group", &Installed::groups},
                                                                         {"--only-group", &Installed::groups},
                                                                         {"--package", &Installed::members}};
    static const std::map<std::string_view, std::vector<std::string> Installed::*> left = {
        {"--no-extra", &Installed::no_extras}, {"--no-group", &Installed::no_groups}};
    const auto names = taken.find(option);
    const auto none = left.find(option);
    if (names == taken.end() && none == left.end()) return;
    if (!is_known) {
      add(into.unread, option + " " + value, line);
    } else if (none != left.end()) {
      (into.*none->second).push_back(value);
    } else {
      add(into.*names->second, value, line);
    }
  }

  const Dockerfile& file_;
  std::set<std::size_t> seen_;  // lines of stages
  Installed synced_;
  bool has_synced_ = false;
  Installed run_;
  Installed result_;
};

}  // namespace

Installed installed_of(const Dockerfile& file, std::string_view target) { return Reading(file).of(target); }

}  // namespace veneer::owners
