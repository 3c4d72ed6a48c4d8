#include "start/prepare_proposals.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/shell.hh"
#include "start/code.hh"
#include "start/rules.hh"

namespace veneer::start {

namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

bool has_word(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Text as TOML has it.
std::string toml_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

std::string lines(const Words& command, const std::string& output, const Variables& environment) {
  std::string text = "\n  [[tool.veneer.prepare]]\n  " + line_of(command).replace(0, 3, "command");
  text += fmt::format("\n  outputs = [{}]", toml_text(output));
  std::string table;
  for (const auto& [name, value] : environment)
    table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", name, toml_text(value));
  return table.empty() ? text : text + fmt::format("\n  env = {{ {} }}", table);
}

class Proposals {
 public:
  Proposals(const Inputs& inputs, const Places& places) : inputs_(inputs), places_(places) {}

  void of_runs(const owners::StageFacts& facts, const std::string& dockerfile) {
    for (const auto& run : facts.runs) {
      const std::string place = fmt::format("{}:{}", printable(dockerfile), run.line);
      if (!run.value.words.empty()) of_command(run.value.words, {}, place);
      if (run.value.words.empty()) of_shell(run.value.script, place);
    }
  }

  /// Django collects its static files where its settings say, which only a finished image can.
  void of_django() {
    if (is_collected_ || !inputs_.distributions.contains("django") || !find_django()) return;
    notes_.push_back(
        fmt::format("{} sets STATIC_ROOT, so Django's static files are to be collected when the image is "
                    "built; nothing says it yet:{}",
                    printable(settings_->path),
                    lines({"python", manage_, "collectstatic", "--noinput"}, static_root_, wanted({}))));
  }

  Notes notes() && { return std::move(notes_); }

 private:
  void of_shell(const std::string& script, const std::string& place) {
    try {
      for (const owners::ShellCommand& command : owners::read_shell(script).commands) {
        Words words;
        for (const owners::ShellWord& word : command.words) words.push_back(word.text);
        Variables variables;
        for (const owners::ShellWord& word : command.assignments) {
          const std::size_t equals = word.text.find('=');
          if (word.is_plain && equals != std::string::npos)
            variables[word.text.substr(0, equals)] = word.text.substr(equals + 1);
        }
        if (!words.empty()) of_command(words, std::move(variables), place);
      }
    } catch (const Error&) {  // no text that could be read
    }
  }

  void of_command(const Words& said, Variables variables, const std::string& place) {
    const Judged judged = judge(inputs_, places_, {said, "", {}});
    const Words& words = judged.words;
    if (words.empty() || words[0].starts_with("/bin/")) return;
    const bool is_alembic = words[0] == "alembic" && has_word(words, "upgrade");
    const bool is_python = words[0].starts_with("python");
    const bool is_django = words[0] == "django-admin" || (words.size() > 1 && words[1].ends_with("manage.py"));
    if (is_alembic || (is_django && has_word(words, "migrate")) ||
        (words[0] == "flask" && has_word(words, "upgrade"))) {
      notes_.push_back(fmt::format("{}: {} changes a database, which is no part of an image: veneer deploy --before {}",
                                   place, printable(owners::shell_line(words), 200),
                                   owners::shell_quoted(owners::shell_line(words))));
      return;
    }
    if (!is_python && !is_django) return;
    constexpr std::array<std::string_view, 6> tools = {"pip", "venv", "virtualenv", "ensurepip", "uv", "compileall"};
    if (words.size() < 2 ||
        (words[1] == "-m" && words.size() > 2 && std::find(tools.begin(), tools.end(), words[2]) != tools.end()))
      return;
    std::string output = "/app/what-it-makes";
    if (is_django && has_word(words, "collectstatic")) {
      is_collected_ = true;
      if (find_django()) output = static_root_;
      variables = wanted(std::move(variables));
    }
    notes_.push_back(fmt::format("{}: {} makes files when the image is built, without network; here that is{}", place,
                                 printable(owners::shell_line(words), 200), lines(words, output, variables)));
  }

  /// The variables that the settings ask for, beside those that are known, with what is good enough to prepare files.
  Variables wanted(Variables known) const {
    if (settings_ == nullptr) return known;
    for (const ModuleFacts& module : code_->modules()) {
      if (&module != settings_ && module.path.find("settings") == std::string::npos) continue;
      for (const std::string& name : module.variables) {
        if (places_.environment.contains(name)) continue;
        known.try_emplace(name, name == "DATABASE_URL" ? "sqlite:///:memory:" : "only-to-prepare");
      }
    }
    return known;
  }

  bool find_django() {
    if (settings_ != nullptr) return true;
    if (!code_) code_.emplace(inputs_, places_);
    const ModuleFacts* manage = nullptr;
    for (const ModuleFacts& module : code_->modules()) {
      if (stem_of(module.path) == "manage" && (manage == nullptr || depth_of(module.path) < depth_of(manage->path)))
        manage = &module;
    }
    if (manage == nullptr) return false;
    for (const ModuleFacts& module : code_->modules()) {
      const auto root = module.strings.find("STATIC_ROOT");
      if (root == module.strings.end() || root->second.empty() || !module.path.starts_with(folder_of(manage->path)))
        continue;
      settings_ = &module;
      manage_ = code_->in_image(manage->path);
      static_root_ = root->second;
      while (static_root_.ends_with('/')) static_root_.pop_back();
      if (static_root_.starts_with('/')) return true;
      const std::string folder = folder_of(manage_);
      static_root_ = (folder.empty() ? "" : folder + "/") + static_root_;
      if (!static_root_.starts_with('/'))
        static_root_ = (places_.workdir == "/" ? "" : places_.workdir) + "/" + static_root_;
      return true;
    }
    return false;
  }

  const Inputs& inputs_;
  const Places& places_;
  Notes notes_;
  bool is_collected_ = false;
  std::optional<Code> code_;
  const ModuleFacts* settings_ = nullptr;
  std::string manage_;       // as it is called in the image
  std::string static_root_;  // absolute
};

}  // namespace

Notes prepare_proposals(const Inputs& inputs, const Places& places, const owners::StageFacts* facts,
                        const std::string& dockerfile) {
  if (!inputs.project.prepare.empty()) return {};
  Proposals proposals(inputs, places);
  if (facts != nullptr) proposals.of_runs(*facts, dockerfile);
  proposals.of_django();
  return std::move(proposals).notes();
}

}  // namespace veneer::start
