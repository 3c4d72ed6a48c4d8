#include "owners/evaluate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/standard_path.hh"
#include "foundation/text.hh"
#include "foundation/value.hh"
#include "owners/expand.hh"
#include "owners/shell.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t most_stages = 200;      // in a chain
constexpr std::size_t most_bytes = 16 << 20;  // of values, all together

using Variables = std::map<std::string, std::string>;

std::string joined(const std::string& folder, const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string rest = path;
  while (rest.starts_with("./")) rest.erase(0, 2);
  if (rest == "." || rest.empty()) return folder.ends_with('/') ? folder : folder + "/";
  return (folder == "/" ? "" : folder) + "/" + rest;
}

std::string without_last_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

class Evaluation {
 public:
  Evaluation(const Dockerfile& file) : file_(file) {
    for (const Instruction& instruction : file.arguments) {
      in_place(instruction, [&] { put_arguments(instruction, global_, lookup_in(global_)); });
    }
  }

  StageFacts stage(const Stage& stage, std::size_t depth) {
    if (depth > most_stages) throw Error(ErrorKind::refused, "the stages stand on one another without an end");
    const auto index = static_cast<std::size_t>(&stage - file_.stages.data());
    const Expanded image = expanded_image(stage);
    StageFacts facts;
    const Stage* below = image.unset.empty() ? earlier_stage(image.text, index) : nullptr;
    if (below != nullptr) {
      facts = this->stage(*below, depth + 1);
      if (facts.cmd) inherited_cmd_ = true;
    } else {
      arguments_.clear();
      inherited_cmd_ = false;
      shell_ = {"/bin/sh", "-c"};
      facts.base = {image.unset.empty() ? image.text : "", stage.line};
      if (!image.unset.empty()) {
        facts.unread.push_back(
            {fmt::format("FROM {}: {} has no value", printable(stage.image), image.unset[0]), stage.line});
      }
    }
    facts.file = file_.file;
    facts.line = stage.line;
    facts.name = stage.name.empty() ? std::to_string(index) : stage.name;
    for (const Instruction& instruction : stage.instructions) {
      try {
        take(instruction, facts);
      } catch (const Error& error) {
        facts.unread.push_back({fmt::format("{}: {}", instruction.name, error.what()), instruction.line});
      }
    }
    return facts;
  }

 private:
  template <typename Action>
  void in_place(const Instruction& instruction, const Action& action) const {
    in_context([&] { return fmt::format("{}:{}", printable(file_.file), instruction.line); }, action);
  }

  static Lookup lookup_in(const Variables& variables) {
    return [&variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
  }

  Expanded expanded_image(const Stage& stage) const {
    return in_context([&] { return fmt::format("{}:{}", printable(file_.file), stage.line); },
                      [&] { return expand_word(stage.image, file_.escape, lookup_in(global_)); });
  }

  const Stage* earlier_stage(const std::string& name, std::size_t before) const {
    const std::string wanted = lower(name);
    for (std::size_t i = before; i-- > 0;) {
      if (file_.stages[i].name == wanted) return &file_.stages[i];
    }
    return nullptr;
  }

  /// ENV hides ARG.
  Lookup lookup(const StageFacts& facts) {
    return [this, &facts](const std::string& name) -> std::optional<std::string> {
      if (const auto found = facts.environment.find(name); found != facts.environment.end()) return found->second.value;
      const auto found = arguments_.find(name);
      if (found != arguments_.end()) return found->second;
      // Every image has one.
      if (name == "PATH") return std::string(standard_path);
      return std::nullopt;
    };
  }

  void put_arguments(const Instruction& instruction, Variables& variables, const Lookup& values) {
    for (const std::string& word : raw_words(instruction.text, file_.escape)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      if (equals == std::string::npos) {
        const auto global = global_.find(name);
        if (global != global_.end()) variables[name] = global->second;
        continue;
      }
      const Expanded value = expand_word(std::string_view(word).substr(equals + 1), file_.escape, values);
      spend(value.text.size());
      if (value.unset.empty()) {
        variables[name] = value.text;
      } else {
        variables.erase(name);
      }
    }
  }

  /// Nothing when it has a variable without a value; that is said then.
  std::optional<std::string> known(const Expanded& value, const Instruction& instruction, StageFacts& facts) {
    spend(value.text.size());
    if (value.unset.empty()) return value.text;
    facts.unread.push_back({fmt::format("{} {}: {} has no value", instruction.name, printable(instruction.text, 100),
                                        printable(value.unset[0])),
                            instruction.line});
    return std::nullopt;
  }

  std::optional<std::string> word(const Instruction& instruction, StageFacts& facts) {
    return known(expand_word(instruction.text, file_.escape, lookup(facts)), instruction, facts);
  }

  Invocation invocation(const Instruction& instruction) const {
    if (instruction.words) return {*instruction.words, "", {}};
    std::string script = instruction.text;
    if (!instruction.documents.empty() && instruction.name == "RUN") script += "\n" + instruction.documents[0].text;
    // "RUN <<EOF" alone: the document is the script.
    if (instruction.name == "RUN" && instruction.documents.size() == 1 && instruction.text.starts_with("<<") &&
        raw_words(instruction.text, file_.escape).size() == 1) {
      script = instruction.documents[0].text;
    }
    return {{}, std::move(script), shell_};
  }

  void take(const Instruction& instruction, StageFacts& facts) {
    const std::string& name = instruction.name;
    if (name == "ARG") {
      put_arguments(instruction, arguments_, lookup(facts));
    } else if (name == "ENV") {
      take_environment(instruction, facts);
    } else if (name == "WORKDIR") {
      if (const auto folder = word(instruction, facts)) {
        const std::string path = joined(facts.workdir ? facts.workdir->value : "/", *folder);
        facts.workdir = {without_last_slash(path), instruction.line};
      }
    } else if (name == "USER") {
      if (auto user = word(instruction, facts)) facts.user = {std::move(*user), instruction.line};
    } else if (name == "EXPOSE") {
      for (const Expanded& port : expand_words(instruction.text, file_.escape, lookup(facts))) {
        if (auto text = known(port, instruction, facts)) facts.expose.push_back({std::move(*text), instruction.line});
      }
    } else if (name == "SHELL") {
      if (instruction.words) shell_ = *instruction.words;
    } else if (name == "CMD") {
      facts.cmd = {invocation(instruction), instruction.line};
      inherited_cmd_ = false;
    } else if (name == "ENTRYPOINT") {
      facts.entrypoint = {invocation(instruction), instruction.line};
      if (inherited_cmd_) facts.cmd.reset();  // another entrypoint's words
      inherited_cmd_ = false;
    } else if (name == "HEALTHCHECK") {
      take_health(instruction, facts);
    } else if (name == "COPY" || name == "ADD") {
      take_copy(instruction, facts);
    } else if (name == "RUN") {
      facts.runs.push_back({invocation(instruction), instruction.line});
    }
  }

  void take_environment(const Instruction& instruction, StageFacts& facts) {
    const std::vector<std::string> words = raw_words(instruction.text, file_.escape);
    // All values of one instruction see the variables as they were before it.
    std::vector<std::pair<std::string, std::optional<std::string>>> values;
    const auto read = [&](std::string_view name, std::string_view value) {
      values.emplace_back(name, known(expand_word(value, file_.escape, lookup(facts)), instruction, facts));
    };
    if (words.empty()) return;
    if (words[0].find('=') == std::string::npos) {  // "ENV NAME the rest"
      read(words[0], trimmed(std::string_view(instruction.text).substr(words[0].size())));
    } else {
      for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) throw Error(ErrorKind::refused, fmt::format("{} has no =", printable(word)));
        read(std::string_view(word).substr(0, equals), std::string_view(word).substr(equals + 1));
      }
    }
    for (auto& [name, value] : values) {
      if (value) {
        facts.environment[name] = {std::move(*value), instruction.line};
      } else {
        facts.environment.erase(name);
      }
    }
  }

  void take_health(const Instruction& instruction, StageFacts& facts) {
    std::string_view text = instruction.text;
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string kind(text.substr(0, end));
    for (char& c : kind) c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
    text = trimmed(text.substr(end));
    HealthCheck health;
    if (kind == "CMD") {
      Instruction command{"CMD", instruction.line, {}, std::string(text), std::nullopt, {}};
      if (text.starts_with('[')) {
        try {
          const Value list = parse_json(text);
          command.words.emplace();
          for (const Value& word : list.array()) command.words->push_back(word.string());
        } catch (const Error&) {
          command.words.reset();
        }
      }
      health.command = invocation(command);
      for (const std::string& flag : instruction.flags) {
        const std::size_t equals = std::min(flag.find('='), flag.size());
        health.options[flag.substr(2, equals - 2)] = flag.substr(std::min(equals + 1, flag.size()));
      }
    } else if (kind != "NONE") {
      throw Error(ErrorKind::refused, "it is neither CMD nor NONE");
    }
    facts.health = {std::move(health), instruction.line};
  }

  void take_copy(const Instruction& instruction, StageFacts& facts) {
    std::vector<std::string> words;
    if (instruction.words) {
      words = *instruction.words;
    } else {
      for (const Expanded& item : expand_words(instruction.text, file_.escape, lookup(facts))) {
        const auto text = known(item, instruction, facts);
        if (!text) return;
        words.push_back(*text);
      }
    }
    if (words.size() < 2) throw Error(ErrorKind::refused, "it has no destination");
    FileCopy copy;
    const std::string folder = facts.workdir ? facts.workdir->value : "/";
    copy.to = joined(folder, words.back());
    words.pop_back();
    for (std::string& source : words) {
      if (!source.starts_with("<<")) {
        copy.sources.push_back(std::move(source));
      } else {
        facts.unread.push_back(
            {fmt::format("{} {}: a here-document is no file of the project", instruction.name, printable(copy.to)),
             instruction.line});
      }
    }
    copy.from = instruction.flag("from").value_or("");
    copy.mode = instruction.flag("chmod").value_or("");
    copy.line = instruction.line;
    if (!copy.sources.empty()) facts.copies.push_back(std::move(copy));
  }

  /// Variables made of variables grow fast.
  void spend(std::size_t bytes) {
    spent_ += bytes;
    if (spent_ > most_bytes) throw Error(ErrorKind::refused, "its variables grow too large");
  }

  const Dockerfile& file_;
  std::size_t spent_ = 0;
  Variables global_;
  Variables arguments_;  // of the stage, and of those that it stands on
  std::vector<std::string> shell_;
  bool inherited_cmd_ = false;
};

bool is_minor(std::string_view text) { return text.starts_with("3.") && text.size() > 2 && text.size() <= 5; }

/// "3.12" where `text` begins with it, be it "3.12.4" or "3.12-slim".
std::optional<std::string> leading_minor(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() &&
         (is_digit(text[end]) || (text[end] == '.' && text.substr(0, end).find('.') == std::string_view::npos)))
    ++end;
  const std::string_view minor = text.substr(0, end);
  if (!is_minor(minor) || minor.ends_with('.')) return std::nullopt;
  if (end < text.size() && text[end] != '.' && text[end] != '-' && text[end] != '@') return std::nullopt;
  return std::string(minor);
}

std::optional<std::string> minor_in_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view name = image.substr(0, colon);
  name = name.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const std::string_view tag = image.substr(colon + 1);
  if (name == "python" || name == "pypy") return name == "pypy" ? std::nullopt : leading_minor(tag);
  // "python3.12-bookworm", "0.9-python3.12-trixie", "debug-nonroot" of others says nothing.
  for (std::size_t at = tag.find("python"); at != std::string_view::npos; at = tag.find("python", at + 1)) {
    std::string_view rest = tag.substr(at + 6);
    if (rest.starts_with('-')) rest.remove_prefix(1);
    if (auto minor = leading_minor(rest)) return minor;
  }
  return name.starts_with("python") ? leading_minor(tag) : std::nullopt;
}

bool takes_a_value(std::string_view option) {
  return option == "-o" || option == "-t" || option == "-c" || option == "-a" || option == "--option" ||
         option == "--target-release" || option == "--config-file" || option == "--host-architecture";
}

bool is_package_name(std::string_view name) {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  return name.size() > 1 && (is_lower(name[0]) || is_digit(name[0])) && std::all_of(name.begin(), name.end(), fits);
}

void take_installed(const ShellCommand& command, std::size_t line, std::set<std::string>& seen,
                    std::vector<Located<std::string>>& packages) {
  auto word = command.words.begin();
  const auto is_before = [](std::string_view text) { return text == "sudo" || text == "env" || text == "exec"; };
  while (word != command.words.end() && (is_before(word->text) || word->text.find('=') != std::string::npos)) ++word;
  if (word == command.words.end()) return;
  const std::string program = word->text.substr(word->text.rfind('/') + 1);
  if (program != "apt-get" && program != "apt" && program != "aptitude") return;
  bool installs = false;
  for (++word; word != command.words.end(); ++word) {
    if (word->text.starts_with('-')) {
      if (takes_a_value(word->text) && word + 1 != command.words.end()) ++word;
    } else if (!installs) {
      if (word->text != "install") return;
      installs = true;
    } else if (word->is_plain) {
      const std::string name = word->text.substr(0, word->text.find_first_of("=/:"));
      if (is_package_name(name) && !name.ends_with('-') && seen.insert(name).second) packages.push_back({name, line});
    }
  }
}

}  // namespace

StageFacts evaluate(const Dockerfile& file, std::string_view target) {
  const Stage* stage = file.find(target);
  if (stage == nullptr) {
    throw Error(ErrorKind::not_found, fmt::format("{} has no stage '{}'", printable(file.file), printable(target)));
  }
  return Evaluation(file).stage(*stage, 0);
}

std::optional<Located<std::string>> python_minor_of(const Dockerfile& file, std::string_view target) {
  const StageFacts facts = evaluate(file, target);
  if (auto minor = minor_in_name(facts.base.value)) return Located<std::string>{std::move(*minor), facts.base.line};
  return std::nullopt;
}

std::vector<Located<std::string>> apt_packages_of(const Dockerfile& file, std::string_view target) {
  std::vector<Located<std::string>> packages;
  std::set<std::string> seen;
  for (const Located<Invocation>& run : evaluate(file, target).runs) {
    try {
      const Invocation& said = run.value;
      const std::string text = said.words.empty() ? said.script : shell_line(said.words);
      for (const ShellCommand& command : read_shell(text).commands) take_installed(command, run.line, seen, packages);
    } catch (const Error&) {
      continue;  // no shell text; nothing is known of it
    }
  }
  return packages;
}

}  // namespace veneer::owners
