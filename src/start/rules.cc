#include "start/rules.hh"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/compose.hh"
#include "owners/procfile.hh"
#include "owners/shell.hh"
#include "start/code_rules.hh"
#include "start/prepare_proposals.hh"

namespace veneer::start {

namespace {

using Words = std::vector<std::string>;

class Rules {
 public:
  Rules(const Inputs& inputs, const std::vector<python::FileRule>& own_files)
      : inputs_(inputs), own_files_(own_files) {}

  Decision decide() {
    read_compose();
    read_dockerfile();
    make_places();
    choose();
    if (decision_.start) finish();
    for (std::string& text : prepare_proposals(inputs_, places_, facts_ ? &*facts_ : nullptr, decision_.dockerfile))
      note(std::move(text));
    return std::move(decision_);
  }

  std::string dockerfile() {
    read_compose();
    return choose_dockerfile(inputs_, compose_).name;
  }

  IgnoreFiles ignore_files() {
    read_compose();
    const DockerfileChoice choice = choose_dockerfile(inputs_, compose_);
    IgnoreFiles files{{}, choice.above};
    if (!choice.name.empty()) files.names.push_back(choice.name + ".dockerignore");
    files.names.push_back(choice.above.empty() ? ".dockerignore" : from_member(inputs_, ".dockerignore"));
    return files;
  }

  /// "3.12" and "Dockerfile:1".
  std::optional<std::pair<std::string, std::string>> python() {
    std::optional<std::pair<std::string, std::string>> found;
    with_dockerfile([&](const owners::Dockerfile& file) {
      const auto minor = owners::python_minor_of(file, target_in(file));
      if (minor) found = std::pair(minor->value, fmt::format("{}:{}", file.file, minor->line));
    });
    return found;
  }

  std::optional<InstalledByDockerfile> installed() {
    std::optional<InstalledByDockerfile> found;
    with_dockerfile([&](const owners::Dockerfile& file) {
      found = InstalledByDockerfile{file.file, owners::installed_of(file, target_in(file))};
    });
    return found;
  }

  std::optional<std::pair<std::string, std::string>> base() {
    const std::string name = dockerfile();
    const auto text = name.empty() ? std::nullopt : inputs_.read(name);
    if (!text) return std::nullopt;
    const owners::Dockerfile file = owners::parse_dockerfile(*text, name);
    const owners::Located<std::string> base = owners::evaluate(file, target_in(file)).base;
    return std::pair(base.value, fmt::format("{}:{}", name, base.line));
  }

 private:
  void note(std::string text) { decision_.notes.push_back(std::move(text)); }

  // What the owners wrote.

  void read_compose() {
    compose_ = choose_compose(inputs_);
    if (!compose_.trouble.empty()) note(compose_.trouble);
  }

  /// The service that counts; nullptr when none or several build here.
  const owners::BuiltService* service() const {
    return compose_.services.size() == 1 ? compose_.services.data() : nullptr;
  }

  std::string target_in(const owners::Dockerfile& file) {
    std::string target = service() == nullptr ? "" : service()->target;
    if (file.find(target) != nullptr) return target;
    note(fmt::format("{} has no stage {}, which {} names; its last stage counts", printable(file.file),
                     printable(target), compose_.file));
    return "";
  }

  void read_dockerfile() {
    DockerfileChoice choice = choose_dockerfile(inputs_, compose_);
    equal_dockerfiles_ = std::move(choice.equal);
    const std::string& name = choice.name;
    if (name.empty()) return;
    decision_.dockerfile = name;
    try {
      const owners::Dockerfile file = owners::parse_dockerfile(choice.text, name);
      const std::string target = target_in(file);
      facts_ = owners::evaluate(file, target);
      decision_.taken = taken_from(inputs_, file, target, own_files_, choice.above);
    } catch (const Error& error) {
      note(fmt::format("{} is not read, so nothing of it counts: {}", printable(name), error.what()));
    }
  }

  /// Not where none counts or it cannot be read, which read_dockerfile() says.
  template <typename Action>
  void with_dockerfile(const Action& action) {
    read_compose();
    const DockerfileChoice choice = choose_dockerfile(inputs_, compose_);
    if (choice.name.empty()) return;
    try {
      action(owners::parse_dockerfile(choice.text, choice.name));
    } catch (const Error&) {
      return;
    }
  }

  void make_places() {
    const python::ImageOptions& image = inputs_.project.image;
    places_.workdir = decision_.taken.workdir.value_or(image.workdir);
    places_.environment = image.environment;
    for (const auto& [name, value] : decision_.taken.environment) places_.environment.emplace(name, value);
    places_.files = image.files;
    if (image.has_files) return;
    places_.files = decision_.taken.files.empty() ? at_workdir(own_files_, places_.workdir) : decision_.taken.files;
  }

  // The order of belief.

  void choose() {
    const python::ImageOptions& image = inputs_.project.image;
    if (!image.entrypoint.empty() || !image.cmd.empty()) {
      decision_.start = StartCommand{image.entrypoint, image.cmd, "[tool.veneer.image]", "pyproject.toml", "", {}};
      decision_.taken.start.reset();
      return;
    }
    if (by_procfile() || by_dockerfile()) return;
    if (!equal_dockerfiles_.empty()) {
      decision_.dockerfiles = std::move(equal_dockerfiles_);
      return;
    }
    if (by_compose()) return;
    code_ = std::make_unique<CodeRules>(inputs_, places_, decision_);
    code_->run();
  }

  void take(Words cmd, std::string rule, std::string place, std::optional<std::uint16_t> port = {}) {
    decision_.start = StartCommand{{}, std::move(cmd), std::move(rule), std::move(place), "", port};
  }

  void offer(Words words, std::string why) {
    const auto is_same = [&](const Candidate& other) { return other.words == words; };
    if (std::any_of(decision_.candidates.begin(), decision_.candidates.end(), is_same)) return;
    decision_.candidates.push_back({std::move(words), std::move(why)});
  }

  bool by_procfile() {
    const auto text = inputs_.read("Procfile");
    if (!text) return false;
    const std::vector<owners::Process> processes = owners::parse_procfile(*text);
    auto web =
        std::find_if(processes.begin(), processes.end(), [](const auto& process) { return process.kind == "web"; });
    if (web == processes.end() && processes.size() == 1 && processes[0].kind != "release") web = processes.begin();
    if (web == processes.end()) return false;
    const Judged judged = judge(inputs_, places_, {{}, web->command.value, {"/bin/sh", "-c"}});
    if (!judged.trouble.empty()) {
      note(fmt::format("{}: {} is not taken: {}", place_in("Procfile", web->command.line), web->kind, judged.trouble));
      return false;
    }
    take(judged.words, fmt::format("Procfile {}", web->kind), place_in("Procfile", web->command.line));
    decision_.start->script = judged.script;
    for (const auto& [what, why] : judged.left_out)
      note(fmt::format("{}: {} is not taken: {}", place_in("Procfile", web->command.line), what, why));
    return true;
  }

  bool by_dockerfile() {
    if (!decision_.taken.start) return false;
    decision_.start = decision_.taken.start;
    if (service() != nullptr && service()->command &&
        service()->command->value.words != facts_->cmd.value_or(owners::Located<owners::Invocation>{}).value.words) {
      note(fmt::format("{}: the command of {} is another one, which is not taken: {}",
                       place_in(compose_.file, service()->command->line), printable(service()->name),
                       printable(owners::shell_line(service()->command->value.words), 200)));
    }
    return true;
  }

  bool by_compose() {
    for (const owners::BuiltService& built : compose_.services) {
      for (const auto& unread : built.unread)
        note(fmt::format("{}: {}", place_in(compose_.file, unread.line), unread.value));
      if (compose_.services.size() > 1 && built.command) {
        offer(
            built.command->value.words,
            fmt::format("{}: the command of {}", place_in(compose_.file, built.command->line), printable(built.name)));
      }
    }
    if (service() == nullptr || (!service()->command && !service()->entrypoint)) return false;
    std::vector<TakenItem> left;
    auto entrypoint = service()->entrypoint;
    if (!entrypoint && facts_) entrypoint = facts_->entrypoint;
    auto start = start_of(inputs_, places_, entrypoint, service()->command, compose_.file, left);
    for (const TakenItem& item : left) {
      const bool is_all = item.what == "CMD" || item.what == "ENTRYPOINT";
      note(fmt::format("{}: {} is not taken: {}", item.place,
                       is_all ? fmt::format("what {} runs", printable(service()->name)) : item.what, item.why));
    }
    if (!start || start->words().empty()) return false;
    start->rule = "command of " + service()->name;
    decision_.start = std::move(start);
    return true;
  }

  // What is said of the command that was chosen.

  void finish() {
    StartCommand& start = *decision_.start;
    const Words words = start.words();
    if (const std::string text = loopback_note(inputs_, words, places_); !text.empty())
      note(fmt::format("{}: {}", start.place, text));
    if (code_) code_->note_loopback();
    const bool asks_port = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      for (std::size_t at = word.find("PORT"); at != std::string::npos; at = word.find("PORT", at + 1)) {
        const bool is_plain = at > 0 && word[at - 1] == '$' &&
                              (at + 4 == word.size() || (!is_letter(word[at + 4]) && word[at + 4] != '_'));
        const bool is_braced =
            at > 1 && word.compare(at - 2, 2, "${") == 0 && at + 4 < word.size() && word[at + 4] == '}';
        if (is_plain || is_braced) return true;
      }
      return false;
    });
    if (asks_port && !places_.environment.contains("PORT")) {
      decision_.environment["PORT"] = std::to_string(port_or(inputs_, decision_, places_, 8000));
      note(fmt::format("{}: the command asks for PORT, which is {} unless the container is given another", start.place,
                       decision_.environment["PORT"]));
    }
  }

  const Inputs& inputs_;
  const std::vector<python::FileRule>& own_files_;
  Decision decision_;
  ComposeChoice compose_;
  std::optional<owners::StageFacts> facts_;
  std::vector<EqualDockerfile> equal_dockerfiles_;
  Places places_;
  std::unique_ptr<CodeRules> code_;
};

}  // namespace

std::string place_in(const std::string& file, std::size_t line) { return fmt::format("{}:{}", printable(file), line); }

std::size_t rank_in(std::string_view name, std::initializer_list<std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<std::size_t>(found - names.begin());
}

std::uint16_t port_or(const Inputs& inputs, const Decision& decision, const Places& places, std::uint16_t usual) {
  Words ports = inputs.project.image.expose;
  if (ports.empty()) ports = decision.taken.expose;
  for (const std::string& port : ports) {
    if (port.ends_with("/udp")) continue;
    if (const auto number = read_number<std::uint16_t>(std::string_view(port).substr(0, port.find('/'))))
      return *number;
  }
  const auto variable = places.environment.find("PORT");
  if (variable == places.environment.end()) return usual;
  return read_number<std::uint16_t>(variable->second).value_or(usual);
}

std::string line_of(const std::vector<std::string>& words) {
  std::string line = "cmd = [";
  for (const std::string& word : words) {
    line += line.ends_with('[') ? "\"" : ", \"";
    for (const char c : word)
      line += c == '"' || c == '\\' ? std::string("\\") + c : c == '\n' ? std::string("\\n") : std::string(1, c);
    line += '"';
  }
  return line + "]";
}

std::optional<std::pair<std::string, std::string>> python_of_dockerfile(const Inputs& inputs) {
  return Rules(inputs, {}).python();
}

std::optional<std::pair<std::string, std::string>> base_of_dockerfile(const Inputs& inputs) {
  return Rules(inputs, {}).base();
}

std::optional<InstalledByDockerfile> installed_by_dockerfile(const Inputs& inputs) {
  return Rules(inputs, {}).installed();
}

std::string dockerfile_of(const Inputs& inputs) { return Rules(inputs, {}).dockerfile(); }

IgnoreFiles ignore_files_of(const Inputs& inputs) { return Rules(inputs, {}).ignore_files(); }

Decision decide(const Inputs& inputs, const std::vector<python::FileRule>& own_files) {
  return Rules(inputs, own_files).decide();
}

}  // namespace veneer::start
