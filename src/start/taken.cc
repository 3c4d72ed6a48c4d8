#include "start/taken.hh"

#include <fmt/format.h>

#include <fnmatch.h>
#include <algorithm>
#include <array>
#include <filesystem>

#include "debian/package_need.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/shell.hh"
#include "start/copied_files.hh"

namespace veneer::start {

namespace {

namespace fs = std::filesystem;

using owners::Invocation;
using owners::Located;
using owners::StageFacts;
using Words = std::vector<std::string>;

/// Why a variable is not taken; empty when it is.
std::string reason_to_leave(const std::string& name) {
  constexpr std::array<std::string_view, 5> ours = {"PATH", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE",
                                                    "HOME"};
  if (std::find(ours.begin(), ours.end(), name) != ours.end()) return std::string(own_variable);
  for (const char* start : {"UV_", "PIP_", "POETRY_"}) {
    if (name.starts_with(start)) return std::string(tool_variable);
  }
  if (name == "DEBIAN_FRONTEND") return std::string(tool_variable);
  std::string upper = name;
  for (char& c : upper) c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  for (const char* part : {"KEY", "TOKEN", "SECRET", "PASSWORD"}) {
    if (upper.find(part) != std::string::npos) return "it looks like a secret; give it to the container";
  }
  return "";
}

/// "1m30s" as Go writes durations; nothing for another text.
std::optional<std::int64_t> nanoseconds_of(std::string_view text) {
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    const auto number = read_number<double>(text.substr(0, end));
    text.remove_prefix(end);
    std::size_t unit_end = 0;
    while (unit_end < text.size() && !is_digit(text[unit_end]) && text[unit_end] != '.') ++unit_end;
    const std::string_view unit = text.substr(0, unit_end);
    text.remove_prefix(unit_end);
    const double scale = unit == "h" ? 3600e9 : unit == "m" ? 60e9 : unit == "s" ? 1e9 : unit == "ms" ? 1e6 : 0;
    if (!number || scale == 0) return std::nullopt;
    total += *number * scale;
  }
  return total < 1e18 ? std::optional(static_cast<std::int64_t>(total)) : std::nullopt;
}

class Taking {
 public:
  Taking(const Inputs& inputs, const owners::Dockerfile& file, std::string_view target,
         const std::vector<python::FileRule>& own_files, std::string above)
      : inputs_(inputs),
        file_(file),
        facts_(owners::evaluate(file, target)),
        target_(target),
        own_files_(own_files),
        above_(std::move(above)) {}

  Taken take() {
    for (const auto& item : facts_.unread) leave(item.value, item.line, "it cannot be read");
    take_workdir();
    take_environment();
    take_expose();
    take_user();
    take_files();
    places_.workdir = result_.workdir.value_or(inputs_.project.image.workdir);
    places_.environment = inputs_.project.image.environment;
    for (const auto& [name, value] : facts_.environment) places_.environment.emplace(name, value.value);
    places_.files = inputs_.project.image.files;
    if (!inputs_.project.image.has_files) {
      places_.files = result_.files.empty() ? at_workdir(own_files_, places_.workdir) : result_.files;
    }
    result_.start = start_of(inputs_, places_, facts_.entrypoint, facts_.cmd, file_.file, result_.left);
    if (result_.start) take_script();
    take_health();
    take_packages();
    return std::move(result_);
  }

 private:
  void take(std::string what, std::size_t line, std::string why = {}) {
    result_.taken.push_back({std::move(what), place_of(file_.file, line), std::move(why)});
  }
  void leave(std::string what, std::size_t line, std::string why) {
    result_.left.push_back({std::move(what), place_of(file_.file, line), std::move(why)});
  }
  bool is_given(const char* key) const { return inputs_.project.image.given.contains(key); }

  void take_workdir() {
    if (!facts_.workdir || is_given("workdir")) return;
    result_.workdir = facts_.workdir->value;
    take("WORKDIR " + printable(*result_.workdir), facts_.workdir->line);
  }

  void take_environment() {
    for (const auto& [name, value] : facts_.environment) {
      if (inputs_.project.image.environment.contains(name)) continue;
      if (const std::string why = reason_to_leave(name); !why.empty()) {
        leave("ENV " + printable(name), value.line, why);
        continue;
      }
      result_.environment[name] = value.value;
      take(fmt::format("ENV {}={}", printable(name), printable(value.value, 100)), value.line);
    }
  }

  void take_expose() {
    if (is_given("expose")) return;
    for (const auto& port : facts_.expose) {
      const std::size_t slash = std::min(port.value.find('/'), port.value.size());
      const auto number = read_number<std::uint16_t>(std::string_view(port.value).substr(0, slash));
      const std::string protocol = port.value.substr(slash);
      if (!number || *number == 0 || (!protocol.empty() && protocol != "/tcp" && protocol != "/udp")) {
        leave("EXPOSE " + printable(port.value), port.line, "it is no port");
        continue;
      }
      result_.expose.push_back(port.value);
      take("EXPOSE " + port.value, port.line);
    }
  }

  void take_user() {
    if (!facts_.user || is_given("user")) return;
    const std::string& text = facts_.user->value;
    const std::size_t colon = std::min(text.find(':'), text.size());
    const auto user = read_number<std::uint32_t>(std::string_view(text).substr(0, colon));
    const auto group =
        colon == text.size() ? user : read_number<std::uint32_t>(std::string_view(text).substr(colon + 1));
    if (!user || !group) {
      leave("USER " + printable(text), facts_.user->line,
            fmt::format("a name is not known before the image exists; it is {}:{}", inputs_.project.image.user,
                        inputs_.project.image.group));
      return;
    }
    result_.user = {*user, *group};
    take("USER " + text, facts_.user->line);
  }

  void take_files() {
    if (inputs_.project.image.has_files) return;
    auto rules = copied_files(inputs_, file_, facts_, above_, result_.left);
    std::erase_if(rules, [](const auto& located) {
      const python::FileRule& rule = located.value;
      return rule.to == "/" || rule.to.starts_with("/tmp/") || rule.to.starts_with("/var/cache/");
    });
    // What `uv sync` needs of a package is no application.
    if (inputs_.project.is_package) {
      std::erase_if(rules, [](const auto& located) {
        const python::FileRule& rule = located.value;
        return rule.from == "pyproject.toml" || rule.from.starts_with("README") || rule.from.starts_with("LICENSE");
      });
    }
    for (auto& [rule, line] : rules) {
      take(fmt::format("COPY {} {}", printable(rule.from), printable(rule.to)), line);
      result_.files.push_back(std::move(rule));
    }
  }

  /// `RUN chmod +x entrypoint.sh` and its like.
  bool made_executable(const std::string& image_path) const {
    for (const auto& run : facts_.runs) {
      try {
        const std::string text = run.value.words.empty() ? run.value.script : owners::shell_line(run.value.words);
        for (const owners::ShellCommand& command : owners::read_shell(text).commands) {
          if (command.words.size() < 3 || command.words[0].text != "chmod") continue;
          const std::string& mode = command.words[1].text;
          if (mode.find('x') == std::string::npos && mode.find_first_of("1357") == std::string::npos) continue;
          for (std::size_t i = 2; i < command.words.size(); ++i) {
            const std::string& name = command.words[i].text;
            const fs::path full = name.starts_with('/') ? fs::path(name) : fs::path(places_.workdir) / name;
            if (::fnmatch(full.lexically_normal().c_str(), image_path.c_str(), 0) == 0) return true;
          }
        }
      } catch (const Error&) {
        continue;
      }
    }
    return false;
  }

  void take_script() {
    const StartCommand& start = *result_.start;
    if (start.script.empty()) return;
    const std::string program = start.words().front();
    const std::string path = (program.starts_with('/') ? fs::path(program) : fs::path(places_.workdir) / program)
                                 .lexically_normal()
                                 .native();
    std::optional<std::uint32_t> mode;
    for (const python::FileRule& rule : result_.files) {
      if (rule.to == path && rule.mode) mode = rule.mode;
    }
    if (!mode && (inputs_.is_executable(start.script) || made_executable(path))) mode = 0755;
    if (!mode || (*mode & 0111) == 0) {
      result_.left.push_back({start.rule, start.place, fmt::format("{} is not executable", printable(start.script))});
      result_.start.reset();
      return;
    }
    std::erase_if(result_.files, [&](const python::FileRule& rule) { return rule.to == path; });
    result_.files.push_back({start.script, path, mode});
  }

  void take_health() {
    if (!facts_.health || is_given("health")) return;
    const owners::HealthCheck& said = facts_.health->value;
    Health health;
    if (said.command.words.empty() && said.command.script.empty()) {
      health.test = {"NONE"};
    } else {
      const Judged judged = judge(inputs_, places_, said.command);
      if (!judged.trouble.empty()) {
        leave("HEALTHCHECK", facts_.health->line, judged.trouble);
        return;
      }
      health.test = {"CMD"};
      health.test.insert(health.test.end(), judged.words.begin(), judged.words.end());
    }
    const std::array<std::pair<const char*, const char*>, 4> names = {{{"interval", "Interval"},
                                                                       {"timeout", "Timeout"},
                                                                       {"start-period", "StartPeriod"},
                                                                       {"start-interval", "StartInterval"}}};
    for (const auto& [option, key] : names) {
      const auto found = said.options.find(option);
      if (found == said.options.end()) continue;
      if (const auto time = nanoseconds_of(found->second)) health.nanoseconds[key] = *time;
    }
    if (const auto found = said.options.find("retries"); found != said.options.end())
      health.retries = read_number<std::int64_t>(found->second);
    take("HEALTHCHECK " + printable(owners::shell_line(Words(health.test.begin() + 1, health.test.end())), 100),
         facts_.health->line);
    result_.health = std::move(health);
  }

  void take_packages() {
    const auto& ours = inputs_.project.system.packages;
    std::string names;
    std::size_t line = 0;
    for (const auto& package : owners::apt_packages_of(file_, target_)) {
      const std::string& name = package.value;
      const bool is_known = std::find(ours.begin(), ours.end(), name) != ours.end();
      if (is_known || debian::need_of(name).need != debian::Need::perhaps_to_run) continue;
      if (line == 0) line = package.line;
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
      result_.packages.push_back(name);
    }
    if (line != 0)
      leave("apt-get install", line,
            fmt::format("what is needed of it: packages = [{}] in [tool.veneer.system]", names));
  }

  const Inputs& inputs_;
  const owners::Dockerfile& file_;
  StageFacts facts_;
  std::string target_;
  const std::vector<python::FileRule>& own_files_;
  std::string above_;
  Places places_;
  Taken result_;
};

/// ENTRYPOINT and CMD as one command, as an engine joins them; nothing when the shell form swallows CMD.
Invocation combined(const Invocation& entrypoint, const std::optional<Located<Invocation>>& cmd) {
  if (entrypoint.words.empty() || !cmd) return entrypoint;
  Invocation all = entrypoint;
  if (!cmd->value.words.empty()) {
    all.words.insert(all.words.end(), cmd->value.words.begin(), cmd->value.words.end());
  } else if (!cmd->value.script.empty()) {  // else it is `CMD []`
    all.words.insert(all.words.end(), cmd->value.shell.begin(), cmd->value.shell.end());
    all.words.push_back(cmd->value.script);
  }
  return all;
}

}  // namespace

std::string place_of(const std::string& file, std::size_t line) { return fmt::format("{}:{}", printable(file), line); }

std::vector<std::string> StartCommand::words() const {
  std::vector<std::string> all = entrypoint;
  all.insert(all.end(), cmd.begin(), cmd.end());
  return all;
}

std::optional<StartCommand> start_of(const Inputs& inputs, const Places& places,
                                     const std::optional<Located<Invocation>>& entrypoint,
                                     const std::optional<Located<Invocation>>& cmd, const std::string& file,
                                     std::vector<TakenItem>& left) {
  StartCommand start;
  const auto take_notes = [&](const Judged& judged, std::size_t line) {
    for (const auto& [what, why] : judged.left_out) left.push_back({what, place_of(file, line), why});
  };
  if (entrypoint && (!entrypoint->value.words.empty() || !entrypoint->value.script.empty())) {
    const Judged judged = judge(inputs, places, combined(entrypoint->value, cmd));
    if (judged.trouble.empty()) {
      const bool has_cmd = cmd && (!cmd->value.words.empty() || !cmd->value.script.empty());
      start.rule = has_cmd && !entrypoint->value.words.empty() ? "ENTRYPOINT and CMD" : "ENTRYPOINT";
      start.place = place_of(file, entrypoint->line);
      start.script = judged.script;
      take_notes(judged, entrypoint->line);
      // What CMD says stays what can be replaced at the start of a container.
      const Words tail = cmd && !entrypoint->value.words.empty() ? cmd->value.words : Words{};
      const bool splits = !tail.empty() && judged.words.size() > tail.size() &&
                          std::equal(tail.rbegin(), tail.rend(), judged.words.rbegin());
      const auto head = judged.head > 0 && judged.head < judged.words.size()
                            ? judged.words.begin() + static_cast<std::ptrdiff_t>(judged.head)
                        : splits       ? judged.words.end() - static_cast<std::ptrdiff_t>(tail.size())
                        : tail.empty() ? judged.words.end()
                                       : judged.words.begin();
      start.entrypoint.assign(judged.words.begin(), head);
      start.cmd.assign(head, judged.words.end());
      return start;
    }
    left.push_back({"ENTRYPOINT", place_of(file, entrypoint->line), judged.trouble});
  }
  if (!cmd || (cmd->value.words.empty() && cmd->value.script.empty())) return std::nullopt;
  const Judged judged = judge(inputs, places, cmd->value);
  if (!judged.trouble.empty()) {
    left.push_back({"CMD", place_of(file, cmd->line), judged.trouble});
    return std::nullopt;
  }
  start.cmd = judged.words;
  start.rule = "CMD";
  start.place = place_of(file, cmd->line);
  start.script = judged.script;
  take_notes(judged, cmd->line);
  return start;
}

Taken taken_from(const Inputs& inputs, const owners::Dockerfile& file, std::string_view target,
                 const std::vector<python::FileRule>& own_files, const std::string& above) {
  return Taking(inputs, file, target, own_files, above).take();
}

}  // namespace veneer::start
