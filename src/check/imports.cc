#include "check/imports.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/known_libraries.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "foundation/text.hh"
#include "foundation/value.hh"
#include "python/name.hh"

namespace veneer::check {

namespace {

/// Takes on the image's environment, which must not reach the programs outside the root, and starts the next one.
constexpr std::string_view enter = R"python(
import json, os, sys
asked = json.loads(sys.argv[1])
try:
    os.chdir(asked["folder"])
except OSError:
    os.chdir("/")
os.execve(sys.executable, [sys.executable, "-c", sys.argv[2]], asked["environment"])
)python";

constexpr std::string_view try_imports =
#include <try_imports.inc>
    ;

/// Whose module it is: the nearer to what the image does, the more its failure matters.
enum class Role { start, own, inner, dependency };

struct Attempt {
  std::vector<std::string> words;  // as try_imports.py takes them
  std::string id;                  // of the finding
  std::string what;                // "module shop cannot be imported"
  Role role = Role::dependency;
  const Distribution* distribution = nullptr;
};

using Group = std::vector<Attempt>;

struct Answer {
  std::string error;  // empty: all is well
  std::string cause;
  std::string missing;
  std::vector<std::string> variables;
};

class Answers : public ByteSink {
 public:
  Answers(std::size_t count, const std::function<void(const std::string&)>& progress)
      : count_(count), progress_(progress) {}

  void write(ByteView bytes) override {
    rest_ += as_text(bytes);
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      take(std::string_view(rest_).substr(0, end));
      rest_.erase(0, end + 1);
    }
    if (rest_.size() > 1 << 20)
      throw Error(ErrorKind::refused, "the image's interpreter answers with a line that is too long");
  }
  void commit() override {}
  const std::vector<Answer>& all() const { return answers_; }

 private:
  void take(std::string_view line) {
    const Value value = parse_json(line);
    if (answers_.size() == count_) throw Error(ErrorKind::refused, "the image's interpreter answers something else");
    Answer answer;
    answer.error = value.at("error").string();
    answer.cause = value.at("cause").string();
    answer.missing = value.at("missing").string();
    for (const Value& name : value.at("variables").array()) answer.variables.push_back(name.string());
    answers_.push_back(std::move(answer));
    if (progress_)
      progress_(fmt::format("importing: {} of {}, {}", answers_.size(), count_, printable(value.at("name").string())));
  }

  std::size_t count_;
  const std::function<void(const std::string&)>& progress_;
  std::string rest_;
  std::vector<Answer> answers_;
};

std::string root_of(std::string_view module) { return std::string(module.substr(0, module.find('.'))); }

class Judge {
 public:
  Judge(const Environment& environment, const std::string& suite) : suite_(suite) {
    for (const Distribution& distribution : environment.distributions) installed_.insert(distribution.name);
  }

  /// A public module of the distribution can be imported, so the others are parts that it can do without.
  void note_success(const Attempt& attempt) {
    const bool is_public_module = attempt.words[0] == "module" && !attempt.words[1].starts_with('_');
    if (attempt.distribution != nullptr && is_public_module) works_.insert(attempt.distribution->name);
  }
  bool works(const std::string& distribution) const { return works_.contains(distribution); }

  Severity severity(const Attempt& attempt, const Answer& answer) const {
    const std::string& cause = answer.cause;
    const auto is = [&](std::initializer_list<std::string_view> causes) {
      return std::find(causes.begin(), causes.end(), cause) != causes.end();
    };
    if (cause == "surroundings") return attempt.role == Role::dependency ? Severity::detail : Severity::note;
    if (attempt.role == Role::start || attempt.role == Role::own) return Severity::problem;
    if (is({"library", "permission"})) return Severity::problem;
    if (cause == "module" && is_excused(*attempt.distribution, answer.missing)) return Severity::detail;
    if (attempt.role == Role::inner) {
      if (cause == "module" && is_for_tests(answer.missing)) return Severity::detail;
      return is({"module", "import", "syntax"}) ? Severity::problem : Severity::note;
    }
    if (cause == "crash") return Severity::problem;
    return works(attempt.distribution->name) ? Severity::detail : Severity::problem;
  }

  std::string message(const Attempt& attempt, const Answer& answer) const {
    if (!answer.variables.empty()) {
      return fmt::format("{}: it wants variables that the image does not set: {} ({})", attempt.what,
                         printable(fmt::format("{}", fmt::join(answer.variables, ", "))), printable(answer.error, 500));
    }
    std::string text = fmt::format("{}: {}", attempt.what, printable(answer.error, 500));
    if (answer.cause != "library") return text;
    auto package = base::package_of_library(suite_, answer.missing);
    if (!package) {
      if (const auto soname = base::soname_asked_for(suite_, answer.missing))
        package = base::package_of_library(suite_, *soname);
    }
    return package ? text + fmt::format("; Debian's {} has it", *package) : text;
  }

 private:
  /// The module may belong to an extra of the distribution that was not selected.
  bool is_excused(const Distribution& distribution, const std::string& missing) const {
    constexpr std::array<std::string_view, 3> forgotten = {"pkg_resources", "setuptools", "distutils"};
    const std::string root = root_of(missing);
    if (std::find(forgotten.begin(), forgotten.end(), root) != forgotten.end()) return false;
    const std::vector<std::string>& own = distribution.modules;
    if (std::find(own.begin(), own.end(), root) != own.end()) return false;
    return std::any_of(distribution.requirements.begin(), distribution.requirements.end(),
                       [&](const python::Requirement& requirement) {
                         return !requirement.marker.texts_compared_with(python::MarkerVariable::extra).empty() &&
                                !installed_.contains(python::normalised_name(requirement.name));
                       });
  }

  static bool is_for_tests(const std::string& missing) {
    constexpr std::array<std::string_view, 10> tools = {"pytest", "hypothesis", "nox",    "tox",       "factory",
                                                        "faker",  "freezegun",  "locust", "responses", "moto"};
    return std::find(tools.begin(), tools.end(), root_of(missing)) != tools.end();
  }

  const std::string& suite_;
  std::set<std::string> installed_;
  std::set<std::string> works_;
};

Attempt module_attempt(const std::string& name, Role role, const Distribution* distribution, std::string folder = {}) {
  return {{"module", name, std::move(folder)},
          "import:" + name,
          fmt::format("module {} cannot be imported", printable(name)),
          role,
          distribution};
}

std::vector<Group> attempts(const Environment& environment, const OwnCode& own, const std::string& folder) {
  std::vector<Group> groups;
  for (const StartTarget& target : own.starts) {
    Attempt attempt;
    attempt.id = "start:" + target.name;
    attempt.what = fmt::format("what the image starts, {}, cannot be imported", printable(target.name));
    attempt.role = Role::start;
    switch (target.kind) {
      case StartTarget::Kind::object:
        attempt.words = {"object", target.name, target.module, target.attribute, target.folder};
        break;
      case StartTarget::Kind::file: attempt.words = {"file", target.name, target.path, ""}; break;
      case StartTarget::Kind::program: attempt.words = {"file", target.name, target.folder, target.module}; break;
    }
    groups.push_back({std::move(attempt)});
  }
  for (const std::string& file : own.files) {
    const std::string name = file.substr(file.rfind('/') + 1);
    groups.push_back({{{"file", name, file, ""},
                       "import:" + name,
                       fmt::format("what {} imports is not all there", printable(name)),
                       Role::own,
                       nullptr}});
  }
  Group folders;
  for (const std::string& module : own.modules) folders.push_back(module_attempt(module, Role::own, nullptr, folder));
  if (!folders.empty()) groups.push_back(std::move(folders));
  std::vector<const Distribution*> distributions;
  for (const Distribution& distribution : environment.distributions) distributions.push_back(&distribution);
  std::stable_partition(distributions.begin(), distributions.end(),
                        [](const Distribution* distribution) { return distribution->is_own; });
  for (const Distribution* distribution : distributions) {
    const Role role = distribution->is_own ? Role::own : Role::dependency;
    Group group;
    for (const std::string& module : distribution->modules) group.push_back(module_attempt(module, role, distribution));
    for (const python::EntryPoint& entry : distribution->commands) {
      group.push_back({{"object", entry.name, entry.module, entry.attribute, ""},
                       "command:" + entry.name,
                       fmt::format("command {} cannot be loaded", printable(entry.name)),
                       entry.name == own.program ? Role::start : role,
                       distribution});
    }
    for (const std::string& module : distribution->inner_modules)
      group.push_back(module_attempt(module, Role::inner, distribution));
    if (!group.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

std::size_t check_imports(const Environment& environment, const OwnCode& own, const ImportRun& asked,
                          Findings& findings, const std::function<void(const std::string&)>& progress) {
  Command command;
  std::vector<Attempt> all;
  for (Group& group : attempts(environment, own, asked.folder)) {
    Value::Array line;
    for (Attempt& attempt : group) {
      Value::Array words;
      for (const std::string& word : attempt.words) words.emplace_back(word);
      line.emplace_back(std::move(words));
      all.push_back(std::move(attempt));
    }
    command.input += to_json(Value(std::move(line))) + "\n";
  }
  if (all.empty()) return 0;
  Value variables{Value::Table{}};
  for (const auto& [name, value] : asked.environment) {
    if (name != "PYTHONDONTWRITEBYTECODE" && name != "PYTHONPYCACHEPREFIX") variables.set(name, value);
  }
  // What one process compiled, the others need not; it is gone with the sandbox.
  if (asked.sandbox.is_furnished) variables.set("PYTHONPYCACHEPREFIX", "/tmp/.veneer-byte-code");
  Value frame;
  frame.set("folder", asked.folder);
  frame.set("environment", std::move(variables));
  command.arguments = asked.sandbox.words;
  command.arguments.insert(command.arguments.end(),
                           {asked.root.native(), "/" + environment.interpreter, "-s", "-B", "-c", std::string(enter),
                            to_json(frame), std::string(try_imports)});
  Answers answers(all.size(), progress);
  const CommandResult result = run_into(command, answers);
  if (result.exit_code != 0 || answers.all().size() != all.size()) {
    throw Error(ErrorKind::failed, fmt::format("/{} of the image failed after {} of {} imports with exit code {}: {}",
                                               printable(environment.interpreter), answers.all().size(), all.size(),
                                               result.exit_code, printable(result.errors, 1000)));
  }
  Judge judge(environment, asked.suite);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (answers.all()[i].error.empty()) judge.note_success(all[i]);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Answer& answer = answers.all()[i];
    if (answer.error.empty()) continue;
    findings.push_back({all[i].id, judge.severity(all[i], answer), judge.message(all[i], answer)});
  }
  // What an owner's override left out or changed, and works.
  for (Finding& finding : findings) {
    const std::vector<std::string> parts = split_fields(finding.id, ':');
    if (parts.size() == 3 && parts[0] == "requires" && finding.severity == Severity::problem && judge.works(parts[1]))
      finding.severity = Severity::note;
  }
  return all.size();
}

}  // namespace veneer::check
