#include "start/command.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/standard_path.hh"
#include "foundation/text.hh"
#include "owners/shell.hh"
#include "python/name.hh"
#include "start/modules.hh"
#include "start/runners.hh"

namespace veneer::start {

namespace {

using owners::Invocation;
using owners::shell_line;
using owners::ShellCommand;
using owners::ShellScript;
using owners::ShellWord;
using Words = std::vector<std::string>;

constexpr int deepest_script = 4;  // a script that runs a script

bool is_shell(std::string_view program) {
  constexpr std::array<std::string_view, 6> names = {"sh", "bash", "/bin/sh", "/bin/bash", "/usr/bin/bash", "dash"};
  return contains(names, program);
}

bool is_builtin(std::string_view program) {
  constexpr std::array<std::string_view, 42> names = {
      "cd",   "echo",  "exec",   "set",    "export", "test",    "[",        "[[",    ":",      ".",     "source",
      "trap", "shift", "exit",   "return", "local",  "read",    "wait",     "kill",  "true",   "false", "printf",
      "eval", "umask", "ulimit", "unset",  "type",   "command", "getopts",  "hash",  "alias",  "break", "continue",
      "let",  "pwd",   "times",  "jobs",   "fg",     "bg",      "readonly", "shopt", "declare"};
  return contains(names, program);
}

class Judge {
 public:
  Judge(const Inputs& inputs, const Places& places) : inputs_(inputs), places_(places) {}

  Judged invocation(const Invocation& said) {
    Judged judged = !said.words.empty()   ? words(said.words, 0)
                    : said.script.empty() ? trouble("it is empty")
                                          : shell_text(said.script, said.shell, {}, 0);
    judged.left_out.assign(left_out_.begin(), left_out_.end());
    return judged;
  }

 private:
  static Judged trouble(std::string why) { return {{}, std::move(why), 0, {}, {}}; }

  Judged words(Words words, int depth) {
    if (depth > deepest_script) return trouble("scripts run one another");
    Stripped bare = stripped(std::move(words), inputs_, places_);
    if (!bare.trouble.empty()) return trouble(std::move(bare.trouble));
    words = std::move(bare.words);
    left_out_.insert(bare.left_out.begin(), bare.left_out.end());
    if (words.empty()) return trouble("it names no program");
    const std::string& program = words[0];
    if (is_shell(program) && words.size() > 2 && words[1].starts_with('-') && words[1].ends_with('c')) {
      return shell_text(words[2], {program, words[1]}, Words(words.begin() + 3, words.end()), depth);
    }
    if (is_shell(program) && words.size() > 1 && !words[1].starts_with('-')) {
      return project_script(words, 1, depth);
    }
    if (program.find('/') != std::string::npos) {
      if (places_.in_project(inputs_, program)) return project_script(words, 0, depth);
      if (program[0] == '/' && inputs_.has_program(program)) return {words, "", 0, "", {}};
      return trouble(fmt::format("{} is not in the image", printable(program)));
    }
    if (auto copied = copied_program(program, depth)) {
      words[0] = std::move(*copied);
      return project_script(words, 0, depth);
    }
    if (const std::string missing = missing_part(words); !missing.empty()) return trouble(missing);
    return {words, "", 0, "", {}};
  }

  /// "docker-entrypoint.sh" that COPY brings into /usr/local/bin. Folders that only the Dockerfile's PATH names are not
  /// on the image's: they help where the whole command is ours to write, not within a script.
  std::optional<std::string> copied_program(const std::string& program, int depth) const {
    if (program == "python" || is_own_program(program)) return std::nullopt;
    const auto theirs = places_.environment.find("PATH");
    if (depth == 0 && theirs != places_.environment.end()) {
      if (auto found = places_.on_path(inputs_, program, theirs->second)) return found;
    }
    return places_.on_path(inputs_, program, standard_path);
  }

  /// A script that the project's own package brings into the virtual environment, whose folder is first on PATH.
  bool is_own_program(const std::string& program) const {
    const auto& scripts = inputs_.project.scripts;
    return inputs_.project.is_package && std::find(scripts.begin(), scripts.end(), program) != scripts.end();
  }

  /// Empty when the program and what it is told to start are there.
  std::string missing_part(const Words& words) {
    const std::string& program = words[0];
    if (program == "python") return missing_of_python(words);
    if (is_own_program(program)) return "";
    if (!inputs_.has_program(program)) return fmt::format("{} is not in the image", printable(program));
    return missing_target(words);
  }

  std::string missing_of_python(const Words& words) {
    std::size_t at = 1;
    while (at < words.size() && words[at].starts_with('-') && words[at] != "-m" && words[at] != "-c" &&
           words[at] != "-") {
      at += words[at] == "-X" || words[at] == "-W" ? 2 : 1;
    }
    if (at >= words.size()) return "python alone waits for input and ends";
    if (words[at] == "-c") return at + 1 < words.size() ? "" : "python -c is given nothing";
    if (words[at] == "-m") {
      if (at + 1 >= words.size()) return "python -m is given no module";
      const std::string& module = words[at + 1];
      if (module == "http.server") return "";
      const Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
      if (inputs_.has_program(module) || inputs_.distributions.contains(python::normalised_name(top_of(module)))) {
        return missing_target(rest);
      }
      const auto file = module_file(module);
      if (file && file->ends_with(".py") && !file->ends_with("__init__.py")) return "";
      if (module_file(module + ".__main__")) return "";
      if (file) return fmt::format("the package {} has no __main__.py", printable(module));
      return fmt::format("the module {} is neither in the project nor in the lock", printable(module));
    }
    if (places_.in_project(inputs_, words[at])) return "";
    return fmt::format("{} is not in the image", printable(words[at]));
  }

  /// The project's path of a module, or of its package's folder, that imports find: in the image's folder `first`, in
  /// the working directory, by PYTHONPATH, or installed.
  std::optional<std::string> module_file(const std::string& module, const std::string& first = {}) const {
    std::vector<std::string> folders = {first.empty() ? "." : first, "."};
    if (const auto path = places_.environment.find("PYTHONPATH"); path != places_.environment.end()) {
      for (std::string& part : split_words(path->second, ":")) folders.push_back(std::move(part));
    }
    for (const std::string& folder : folders) {
      if (auto found = places_.module_in(inputs_, folder, module)) return found;
    }
    return inputs_.project.is_package ? find_module(inputs_, {"src", ""}, module) : std::nullopt;
  }

  static std::string value_of(const Words& words, std::initializer_list<std::string_view> options) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      for (const std::string_view option : options) {
        if (words[i] == option && i + 1 < words.size()) return words[i + 1];
        if (words[i].starts_with(option) && option.starts_with("--") && words[i].size() > option.size() &&
            words[i][option.size()] == '=') {
          return words[i].substr(option.size() + 1);
        }
      }
    }
    return "";
  }

  /// Servers and runners whose first word names a module or a file.
  std::string missing_target(const Words& words) {
    const std::string& program = words[0];
    constexpr std::array<std::string_view, 6> servers = {"uvicorn", "gunicorn", "hypercorn",
                                                         "granian", "daphne",   "waitress-serve"};
    if (contains(servers, program)) {
      const std::string folder = value_of(words, {"--app-dir", "--chdir", "--pythonpath", "--working-dir"});
      for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.starts_with('-') || word.find('$') != std::string::npos) continue;
        const std::size_t colon = word.find(':');
        if (colon == 0 || colon == std::string::npos) continue;
        const std::string module = word.substr(0, colon);
        if (!is_dotted_name(module) || is_digit(word[colon + 1])) continue;
        if (module_file(module, folder)) return "";
        if (inputs_.distributions.contains(python::normalised_name(top_of(module)))) return "";
        return fmt::format("{} starts {}, which is no module of the project", program, printable(module));
      }
      return "";
    }
    if ((program == "streamlit" || program == "fastapi" || program == "chainlit" || program == "fastmcp" ||
         program == "mcp") &&
        words.size() > 2 && words[1] == "run") {
      for (std::size_t i = 2; i < words.size(); ++i) {
        const std::string file = words[i].substr(0, words[i].find(':'));
        if (!file.ends_with(".py")) continue;
        return places_.in_project(inputs_, file) ? "" : fmt::format("{} is not in the image", printable(file));
      }
    }
    if (program == "celery") {
      const std::string module = value_of(words, {"-A", "--app"});
      const std::string name = module.substr(0, module.find(':'));
      if (!name.empty() && is_dotted_name(name) && !module_file(name) &&
          !module_file(name.substr(0, name.rfind('.')))) {
        return fmt::format("celery starts {}, which is no module of the project", printable(name));
      }
    }
    return "";
  }

  /// A script with the words behind it. What it hands over to ("$@") must be there, unless it looks at its words
  /// itself.
  Judged handed_over(const Words& given, std::size_t at, const ShellScript& script, int depth) {
    bool hands_over = false;
    bool looks = false;
    for (const ShellCommand& command : script.commands) {
      for (const ShellWord& word : command.words) {
        const bool is_given = word.text == "$@" || word.text == "${@}";
        const std::size_t first = command.words[0].text == "exec" && command.words.size() > 1 ? 1 : 0;
        if (is_given && (&word == &command.words[first] || runs_its_words(command.words[first].text)))
          hands_over = true;
        if (word.text.find("$1") != std::string::npos || word.text.find("${1") != std::string::npos) looks = true;
      }
    }
    Judged result{given, "", at + 1, "", {}};
    const Words rest(given.begin() + static_cast<std::ptrdiff_t>(at) + 1, given.end());
    if (!hands_over || looks) return result;
    if (rest.empty()) return trouble("it runs the words that are given, and none are");
    const Judged other = words(rest, depth + 1);
    if (!other.trouble.empty()) return trouble(other.trouble);
    result.words.resize(at + 1);
    result.words.insert(result.words.end(), other.words.begin(), other.words.end());
    return result;
  }

  /// `words[at]` is a script of the project.
  Judged project_script(const Words& words, std::size_t at, int depth) {
    const auto file = places_.in_project(inputs_, words[at]);
    if (!file || !inputs_.has_file(*file)) return trouble(fmt::format("{} is not in the image", printable(words[at])));
    const auto text = inputs_.read(*file);
    if (!text) return trouble(fmt::format("{} cannot be read", printable(*file)));
    const std::string first = text->substr(0, text->find('\n'));
    if (first.ends_with('\r')) return trouble(fmt::format("{} has line ends of Windows", printable(*file)));
    std::string interpreter = at == 1 ? words[0] : "";
    if (at == 0) {
      if (!first.starts_with("#!")) return trouble(fmt::format("{} does not begin with #!", printable(*file)));
      const Words said = split_words(std::string_view(first).substr(2), " \t");
      if (said.empty()) return trouble(fmt::format("{} does not begin with #!", printable(*file)));
      interpreter = said[0].ends_with("/env") && said.size() > 1 ? said.back() : said[0];
      if (is_python(interpreter)) return {words, "", at + 1, *file, {}};
      if (interpreter == "uv" || !inputs_.has_program(interpreter)) {
        return trouble(fmt::format("{}:1: {} is not in the image", printable(*file), printable(interpreter)));
      }
    }
    if (!is_shell(interpreter)) return {words, "", at + 1, at == 0 ? *file : "", {}};
    try {
      const ShellScript script = owners::read_shell(*text);
      Judged run = handed_over(words, at, script, depth);
      if (!run.trouble.empty()) return run;
      run.script = at == 0 ? *file : "";
      const std::string missing = missing_in(script, *file, depth);
      if (missing.empty()) return run;
      // Without uv and its like it may be what it was meant to be.
      const Words arguments(run.words.begin() + static_cast<std::ptrdiff_t>(at), run.words.end());
      if (!script.has_structure) {
        Judged rewritten =
            shell_text(*text, {interpreter.find('/') == std::string::npos ? "/bin/" + interpreter : interpreter, "-c"},
                       arguments, depth + 1);
        rewritten.head = rewritten.words.size() - std::min(rewritten.words.size(), arguments.size() - 1);
        if (rewritten.trouble.empty()) return rewritten;
      }
      return trouble(missing);
    } catch (const Error& error) {
      return trouble(fmt::format("{}: {}", printable(*file), error.message()));
    }
  }

  static std::set<std::string> functions_of(const ShellScript& script) {
    std::set<std::string> functions;
    for (const ShellCommand& command : script.commands) {
      if (command.end == "(" && command.words.size() == 1) functions.insert(command.words[0].text);
    }
    return functions;
  }

  static Words texts_of(const std::vector<ShellWord>& words, std::size_t from = 0) {
    Words texts;
    for (std::size_t i = from; i < words.size(); ++i) texts.push_back(words[i].text);
    return texts;
  }

  /// Why a command of the script cannot run; empty when all can. Names that the shell makes up are not known.
  std::string missing_in(const ShellScript& script, const std::string& file, int depth) {
    const std::set<std::string> functions = functions_of(script);
    for (const ShellCommand& command : script.commands) {
      std::size_t at = 0;
      while (at < command.words.size() && (command.words[at].text == "exec" || command.words[at].text == "command"))
        ++at;
      if (at == command.words.size()) continue;
      const ShellWord& program = command.words[at];
      if (!program.is_plain || is_builtin(program.text) || functions.contains(program.text)) continue;
      if (command.words[0].text == "command" && program.text.starts_with('-')) continue;
      const Words said = texts_of(command.words, at);
      std::string why;
      const Words bare = stripped(said, inputs_, places_).words;
      if (bare != said && !(said[0] != "python" && is_python(said[0]) && said[0].find('/') == std::string::npos)) {
        why = fmt::format("{} is not in the image", printable(said[0]));
      } else {
        why = words(said, depth + 1).trouble;
      }
      if (!why.empty()) return fmt::format("{}:{}: {}", printable(file), program.line, why);
    }
    return "";
  }

  /// `text` for `shell`; what is stripped of a command in it is stripped here, too.
  Judged shell_text(const std::string& text, const Words& shell, const Words& arguments, int depth) {
    try {
      const ShellScript script = owners::read_shell(text);
      if (!shell.empty() && shell[0] != "/bin/sh" && !inputs_.has_program(shell[0])) {
        return trouble(fmt::format("{} is not in the image", printable(shell[0])));
      }
      if (script.commands.empty()) return trouble("it runs nothing");
      if (script.commands.size() == 1 && is_simple(script.commands[0]) && arguments.empty()) {
        return words(texts_of(script.commands[0].words), depth + 1);
      }
      if (script.has_structure) {
        const std::string missing = missing_in(script, "its shell text", depth);
        if (!missing.empty()) return trouble(missing);
        return with_shell(shell, text, arguments);
      }
      return rewritten(script, shell, arguments, depth);
    } catch (const Error& error) {
      return trouble(error.message());
    }
  }

  static bool is_simple(const ShellCommand& command) {
    return command.assignments.empty() && !command.has_redirection && !command.words.empty() && command.end != "&" &&
           std::all_of(command.words.begin(), command.words.end(), [](const ShellWord& word) { return word.is_plain; });
  }

  static Judged with_shell(const Words& shell, const std::string& text, const Words& arguments) {
    Judged judged;
    judged.words = shell.empty() ? Words{"/bin/sh", "-c"} : shell;
    judged.words.push_back(text);
    judged.words.insert(judged.words.end(), arguments.begin(), arguments.end());
    return judged;
  }

  /// What a shell replaces is no name that can be looked up, but for the words that are given.
  static std::string unknown_program(const ShellCommand& command, const Words& arguments) {
    const std::size_t at = !command.words.empty() && command.words[0].text == "exec" ? 1 : 0;
    if (at >= command.words.size() || command.words[at].is_plain) return "";
    const std::string& text = command.words[at].text;
    if (text == "$@" || text == "${@}" || text == "$*") {
      return arguments.empty() ? "it runs the words that are given, and none are" : "";
    }
    return fmt::format("which program {} is cannot be known", printable(command.words[at].raw));
  }

  Judged rewritten(const ShellScript& script, const Words& shell, const Words& arguments, int depth) {
    std::string text;
    for (std::size_t i = 0; i < script.commands.size(); ++i) {
      const ShellCommand& command = script.commands[i];
      const bool is_last = i + 1 == script.commands.size();
      std::string line = command.raw;
      if (const std::string why = unknown_program(command, arguments); !why.empty()) return trouble(why);
      if (!command.words.empty() && command.words[0].is_plain) {
        const Words said = texts_of(command.words);
        const bool has_exec = said[0] == "exec";
        const std::size_t first = has_exec ? 1 : 0;
        if (said.size() > first && command.words[first].is_plain && !is_builtin(said[first])) {
          const Stripped known =
              stripped(Words(said.begin() + static_cast<std::ptrdiff_t>(first), said.end()), inputs_, places_);
          if (!known.trouble.empty()) return trouble(known.trouble);
          left_out_.insert(known.left_out.begin(), known.left_out.end());
          const Words& bare = known.words;
          const Judged part = words(bare, depth + 1);
          if (!part.trouble.empty()) return trouble(part.trouble);
          if (command.has_redirection && bare.size() + first != said.size()) {
            return trouble(fmt::format("{} is not in the image", printable(said[first])));
          }
          if (!command.has_redirection) line = line_of(command, bare, first);
          if ((has_exec || is_last) && command.end != "&" && command.assignments.empty() && !command.has_redirection)
            line = "exec " + line;
          if (has_exec && !line.starts_with("exec ")) line = "exec " + line;
        }
      }
      text += line;
      if (!is_last) text += command.end == ";" ? "; " : fmt::format(" {} ", command.end.empty() ? ";" : command.end);
    }
    return with_shell(shell, text, arguments);
  }

  /// The command with `bare` for its words; what the shell replaces stays as it was written.
  static std::string line_of(const ShellCommand& command, const Words& bare, std::size_t first) {
    std::string line;
    for (const ShellWord& word : command.assignments) line += (line.empty() ? "" : " ") + word.raw;
    const std::size_t skipped = command.words.size() - std::min(bare.size(), command.words.size());
    for (std::size_t i = 0; i < bare.size(); ++i) {
      const std::size_t at = i + skipped;
      const bool is_same = at >= first && at < command.words.size() && command.words[at].text == bare[i];
      line += (line.empty() ? "" : " ") + (is_same ? command.words[at].raw : owners::shell_quoted(bare[i]));
    }
    return line;
  }

  const Inputs& inputs_;
  const Places& places_;
  std::set<LeftOut> left_out_;
};

}  // namespace

Judged judge(const Inputs& inputs, const Places& places, const Invocation& invocation) {
  return Judge(inputs, places).invocation(invocation);
}

}  // namespace veneer::start
