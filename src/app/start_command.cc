#include "app/start_command.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/unpack.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/sandbox.hh"
#include "owners/shell.hh"
#include "setup/docker_files.hh"
#include "start/read_python.hh"

namespace veneer::app {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_script = 1 << 20;  // of a file that somebody wrote
constexpr std::uint64_t most_source = 32 << 20;    // of all Python files together
constexpr unsigned oldest_reader = 9;              // the program that reads Python files runs since 3.9
constexpr unsigned newest_reader = 20;

/// Those that somebody wrote, as far as their names tell; a repository tells it better.
std::vector<std::string> written_files(const build::ProjectFiles& files) {
  std::vector<std::string> names;
  for (const std::string& name : files.listed) {
    const fs::path path(name);
    const bool is_strange = !files.in_repository && std::any_of(path.begin(), path.end(), [](const fs::path& part) {
      return part.native().starts_with('.') || part == "node_modules";
    });
    if (!is_strange) names.push_back(name);
  }
  return names;
}

/// The text of a file of the project; what is none (a link to elsewhere, say) is not there.
std::optional<std::string> read_own_file(const fs::path& folder, const std::string& name) {
  const fs::path path = (folder / name).lexically_normal();
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error || !fs::is_regular_file(real) || !real.native().starts_with(folder.native() + "/")) return std::nullopt;
  if (fs::file_size(real) > largest_script) return std::nullopt;
  return read_text_file_if_exists(path, largest_script);
}

/// Nothing for a file that veneer generated: that says what it was told.
std::optional<std::string> read_owners_file(const fs::path& folder, const std::string& name) {
  auto text = read_own_file(folder, name);
  return text && setup::read_stamp(*text) ? std::nullopt : std::move(text);
}

class Question {
 public:
  Question(const StartQuestion& asked, Surroundings& surroundings) : asked_(asked), surroundings_(surroundings) {}

  start::Inputs inputs() {
    const build::BuildInputs& build = asked_.inputs;
    start::Inputs inputs = files_to_read(build);
    inputs.is_executable = [this](const std::string& name) {
      struct stat status {};
      return ::stat((folder() / name).c_str(), &status) == 0 && (status.st_mode & 0100) != 0;
    };
    for (const python::SelectedPackage& package : build.selection.packages) {
      if (!package.is_project) inputs.distributions.insert(package.name);
    }
    inputs.has_program = asked_.has_program;
    if (build.target.minor > 0) inputs.python = fmt::format("3.{}", build.target.minor);
    inputs.parse = [this](const std::vector<std::string>& paths) { return parse(paths); };
    return inputs;
  }

 private:
  const fs::path& folder() const { return asked_.inputs.project.folder; }

  std::optional<std::vector<start::ModuleFacts>> parse(const std::vector<std::string>& paths) {
    std::vector<start::PythonSource> sources;
    std::uint64_t size = 0;
    Sha256 hash;
    hash.update(start::python_facts_program());
    hash.update(fmt::format("\nread for 3.{}\n", asked_.inputs.target.minor));
    for (const std::string& path : paths) {
      auto text = read_own_file(folder(), path);
      if (!text || size + text->size() > most_source) continue;
      size += text->size();
      hash.update(fmt::format("{} {}\n", path, text->size()));
      hash.update(*text);
      sources.push_back({path, std::move(*text)});
    }
    const LayerKey key{hash.finish()};
    if (const auto known = asked_.cache.note("python facts", key)) return start::module_facts_from_text(*known);
    const auto text = facts_text(sources);
    if (!text) return std::nullopt;
    asked_.cache.set_note("python facts", key, *text);
    return start::module_facts_from_text(*text);
  }

  static bool has_error(const std::string& text) {
    const std::vector<start::ModuleFacts> all = start::module_facts_from_text(text);
    return std::any_of(all.begin(), all.end(), [](const start::ModuleFacts& facts) { return !facts.error.empty(); });
  }

  /// An interpreter of this machine says the same as the base's, where it understands all files; what it does not
  /// understand may be newer than it is, and then only one of at least the base's version is believed.
  std::optional<std::string> facts_text(const std::vector<start::PythonSource>& sources) const {
    const unsigned wanted = asked_.inputs.target.minor;
    const std::string path = surroundings_.environment("PATH").value_or("");
    std::vector<std::string> names = {"python3"};
    for (unsigned minor = newest_reader; minor >= std::max(wanted, oldest_reader); --minor)
      names.push_back(fmt::format("python3.{}", minor));
    for (const std::string& name : names) {
      const auto program = find_program(name, path);
      if (!program) continue;
      auto text = start::python_facts_text({program->native()}, oldest_reader, sources);
      if (text && !has_error(*text)) return text;
      if (text && start::python_facts_text({program->native()}, wanted, {})) return text;
    }
    return facts_text_by_base(sources);
  }

  std::optional<std::string> facts_text_by_base(const std::vector<start::PythonSource>& sources) const {
    const python::Target& target = asked_.inputs.target;
    if (target.machine != native_machine()) return std::nullopt;
    auto sandbox = find_sandbox();
    if (!sandbox) return std::nullopt;
    const fs::path root = base::unpacked_root(asked_.inputs.base, surroundings_.cache_folder(), *asked_.cache.files());
    std::vector<std::string> words = sandbox->words;
    words.push_back(root.native());
    words.push_back(target.interpreter);
    return start::python_facts_text(std::move(words), oldest_reader, sources);
  }

  const StartQuestion& asked_;
  Surroundings& surroundings_;
};

/// "." of a COPY is what the image would have of the project's folder anyway.
std::vector<python::FileRule> expanded(const build::BuildInputs& inputs, const std::vector<python::FileRule>& rules) {
  std::vector<python::FileRule> result;
  for (const python::FileRule& rule : rules) {
    if (rule.from != ".") {
      result.push_back(rule);
      continue;
    }
    for (python::FileRule& file : build::default_files(inputs, rule.to)) result.push_back(std::move(file));
  }
  return result;
}

Value health_value(const start::Health& health) {
  Value value;
  Value::Array test;
  for (const std::string& word : health.test) test.emplace_back(word);
  value.set("Test", std::move(test));
  for (const auto& [key, time] : health.nanoseconds) value.set(key, time);
  if (health.retries) value.set("Retries", *health.retries);
  return value;
}

/// The interpreter and the project's scripts by their paths; other programs are found in PATH, where the environment is
/// the first.
std::vector<std::string> with_path(std::vector<std::string> words, const build::BuildInputs& inputs) {
  const std::vector<std::string>& scripts = inputs.project.scripts;
  const bool is_ours =
      !words.empty() && (words[0] == "python" || std::find(scripts.begin(), scripts.end(), words[0]) != scripts.end());
  if (is_ours) words[0].insert(0, inputs.prefix + "/bin/");
  return words;
}

void take(const StartQuestion& question, const start::Decision& decision) {
  build::BuildInputs& inputs = question.inputs;
  python::ImageOptions& image = inputs.project.image;
  const start::Taken& taken = decision.taken;
  if (taken.workdir) image.workdir = *taken.workdir;
  for (const auto* more : {&taken.environment, &decision.environment}) {
    for (const auto& [name, value] : *more) image.environment.emplace(name, value);
  }
  if (image.expose.empty()) image.expose = taken.expose;
  if (taken.user) std::tie(image.user, image.group) = *taken.user;
  if (taken.health) image.health = health_value(*taken.health);
  if (!image.has_files) {
    if (!taken.files.empty()) {
      image.files = expanded(inputs, taken.files);
      image.later_files_win = true;
    } else {
      image.files.clear();
      if (!inputs.project.is_package || decision.needs_files) image.files = build::default_files(inputs, image.workdir);
    }
  }
  if (!decision.start) return;
  const start::StartCommand& start = *decision.start;
  image.entrypoint = with_path(start.entrypoint, inputs);
  image.cmd = image.entrypoint.empty() ? with_path(start.cmd, inputs) : start.cmd;
  if (!start.port) return;
  if (image.expose.empty()) image.expose = {std::to_string(*start.port)};
  if (image.wants_health && image.health.is_null()) {
    const std::string probe =
        fmt::format("import socket; socket.create_connection((\"127.0.0.1\", {}), 3).close()", *start.port);
    start::Health health;
    health.test = {"CMD", inputs.prefix + "/bin/python", "-c", probe};
    health.nanoseconds = {{"Interval", 30'000'000'000}, {"StartPeriod", 30'000'000'000}, {"Timeout", 5'000'000'000}};
    image.health = health_value(health);
  }
}

std::string dockerfiles_hint(const start::Decision& decision) {
  std::string hint = "say it in [tool.veneer]:";
  for (const start::EqualDockerfile& one : decision.dockerfiles) {
    hint += fmt::format("\n  dockerfile = \"{}\"", printable(one.name));
    if (!one.why.empty()) hint += fmt::format("    # {}", one.why);
  }
  return hint + "\n  dockerfile = false    # for what the code shows; --cmd goes before all of them";
}

std::string refusal_hint(const start::Decision& decision) {
  std::string hint = "say it in [tool.veneer.image], or by --cmd:";
  for (const start::Candidate& candidate : decision.candidates) {
    hint += fmt::format("\n  {}    # {}", start::line_of(candidate.words), candidate.why);
  }
  return hint + "\n  cmd = [\"python\"]    # for who wants a shell of Python";
}

/// Variables that nobody would miss.
bool is_of_other_tools(const start::TakenItem& item) {
  return item.why == start::own_variable || item.why == start::tool_variable;
}

std::vector<std::string> said_of(const start::Decision& decision) {
  std::vector<std::string> said = decision.notes;
  for (const start::TakenItem& item : decision.taken.left) {
    if (is_of_other_tools(item)) continue;
    said.push_back(fmt::format("{}: {} is not taken: {}", item.place, item.what, item.why));
  }
  return said;
}

}  // namespace

start::Inputs files_to_read(const build::BuildInputs& build) {
  start::Inputs inputs;
  inputs.project = build.project;
  inputs.files = written_files(build.files);
  inputs.left_out = build.files.left_out;
  const std::string member = build.project.folder.lexically_relative(build.workspace).generic_string();
  if (!build.workspace.empty() && member != "." && !member.starts_with("..")) {
    inputs.member = member;
    inputs.read_above = [folder = build.workspace](const std::string& name) { return read_owners_file(folder, name); };
  }
  inputs.read = [folder = build.project.folder](const std::string& name) { return read_owners_file(folder, name); };
  for (const std::string_view name : {setup::docker_name, setup::docker_base_name}) {
    if (inputs.read(std::string(name))) continue;
    std::erase(inputs.files, name);
    std::erase(inputs.left_out, name);
  }
  return inputs;
}

std::optional<python::PlacedRequest> python_of_dockerfile(const build::BuildInputs& inputs) {
  const auto found = start::python_of_dockerfile(files_to_read(inputs));
  if (!found) return std::nullopt;
  return python::PlacedRequest{python::parse_python_request(found->first), found->second};
}

std::optional<std::pair<std::string, std::string>> base_of_dockerfile(const build::BuildInputs& inputs) {
  return start::base_of_dockerfile(files_to_read(inputs));
}

std::optional<start::InstalledByDockerfile> installed_by_dockerfile(const build::BuildInputs& inputs) {
  return start::installed_by_dockerfile(files_to_read(inputs));
}

std::string dockerfile_of(const build::BuildInputs& inputs) { return start::dockerfile_of(files_to_read(inputs)); }

start::IgnoreFiles ignore_files_of(const build::BuildInputs& inputs) {
  return start::ignore_files_of(files_to_read(inputs));
}

void refuse_without_start(const build::BuildInputs& inputs, const start::Decision& decision,
                          Surroundings& surroundings) {
  for (const std::string& text : said_of(decision)) surroundings.messages().warning(text);
  if (!decision.dockerfiles.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("{} Dockerfiles could say what a container of {} starts", decision.dockerfiles.size(),
                            printable(inputs.project.name)),
                dockerfiles_hint(decision));
  }
  throw Error(ErrorKind::refused,
              fmt::format("nothing says what a container of {} starts", printable(inputs.project.name)),
              refusal_hint(decision));
}

std::string start_text(const start::StartCommand& start) {
  return fmt::format("{}  ({}{}{})", printable(owners::shell_line(start.words()), 1000), printable(start.rule),
                     start.place.empty() ? "" : ", ", start.place);
}

Value start_value(const start::Decision& decision) {
  const auto list = [](const std::vector<std::string>& words) {
    Value::Array all;
    for (const std::string& word : words) all.emplace_back(word);
    return Value(std::move(all));
  };
  const auto rows = [](const std::vector<start::TakenItem>& items) {
    Value::Array all;
    for (const start::TakenItem& item : items) {
      Value row;
      row.set("what", item.what);
      row.set("place", item.place);
      if (!item.why.empty()) row.set("why", item.why);
      all.push_back(std::move(row));
    }
    return Value(std::move(all));
  };
  Value value;
  value.set("entrypoint", list(decision.start->entrypoint));
  value.set("cmd", list(decision.start->cmd));
  value.set("rule", decision.start->rule);
  value.set("place", decision.start->place);
  value.set("taken", rows(decision.taken.taken));
  value.set("left", rows(decision.taken.left));
  return value;
}

start::Decision choose_start(const StartQuestion& question, Surroundings& surroundings) {
  build::BuildInputs& build = question.inputs;
  python::ImageOptions& image = build.project.image;
  if (!question.request.cmd.empty() || !question.request.entrypoint.empty()) {
    image.cmd = question.request.cmd;
    image.entrypoint = question.request.entrypoint;
  }
  Question asked(question, surroundings);
  const start::Inputs inputs = asked.inputs();
  std::vector<python::FileRule> own;
  if (!build.project.is_package) {
    own = build::default_files(build, "/");
    for (python::FileRule& rule : own) rule.to.erase(0, 1);
  }
  start::Decision decision = start::decide(inputs, own);
  if (decision.start && !question.request.cmd.empty()) decision.start->rule = "--cmd";
  if (decision.start && !question.request.entrypoint.empty()) decision.start->rule = "--entrypoint";
  if (decision.start && decision.start->rule.starts_with("--")) decision.start->place.clear();
  // An image of the dependencies alone starts nothing of the project.
  if (!decision.start && image.has_files && image.files.empty() && !build.project.is_package) {
    decision.start =
        start::StartCommand{{}, {"python"}, "files = [], the dependencies alone", "pyproject.toml", "", {}};
    decision.notes.clear();
  }
  take(question, decision);
  const std::vector<std::string> said = said_of(decision);
  build.findings.insert(build.findings.end(), said.begin(), said.end());
  std::string items;
  for (const start::TakenItem& item : decision.taken.taken) {
    items += (items.empty() ? "" : ", ") + item.what + " (" + item.place.substr(item.place.rfind(':')) + ")";
  }
  std::string others;
  for (const start::TakenItem& item : decision.taken.left) {
    if (is_of_other_tools(item)) others += (others.empty() ? "" : ", ") + item.what;
  }
  if (!others.empty()) items += fmt::format("{}not {}", items.empty() ? "" : "; ", others);
  if (!items.empty())
    surroundings.messages().note(fmt::format("taken from {}: {}", printable(decision.dockerfile), items));
  return decision;
}

}  // namespace veneer::app
