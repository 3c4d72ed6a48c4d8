#include "setup/from_dockerfile.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "debian/package_need.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/evaluate.hh"
#include "owners/shell.hh"
#include "setup/dockerfile_runs.hh"
#include "start/taken.hh"

namespace veneer::setup {

namespace {

using owners::Dockerfile;
using owners::Instruction;
using owners::Stage;
using Words = std::vector<std::string>;

constexpr std::size_t most_searched = 2000;  // files that are searched for names of programs
constexpr std::size_t longest_shown = 90;

std::string place_of(const Dockerfile& file, std::size_t line) {
  return fmt::format("{}:{}", printable(file.file), line);
}

/// Where `name` stands in `text` as a word.
bool has_word(const std::string& text, const std::string& name) {
  const auto is_part = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) return true;
  }
  return false;
}

bool is_called(const start::Inputs& inputs, const Dockerfile& file, const std::string& target,
               const std::string& name) {
  const owners::StageFacts facts = owners::evaluate(file, target);
  std::string said;
  const auto add = [&](const owners::Invocation& command) {
    said += command.script + "\n" + owners::shell_line(command.words) + "\n";
  };
  if (facts.health) add(facts.health->value.command);
  if (facts.entrypoint) add(facts.entrypoint->value);
  if (facts.cmd) add(facts.cmd->value);
  if (has_word(said, name)) return true;
  std::size_t searched = 0;
  for (const std::string& path : inputs.files) {
    const std::string base = path.substr(path.rfind('/') + 1);
    const bool is_python = base.ends_with(".py") && !path.starts_with("test");
    const bool is_shell = base.ends_with(".sh") || base.find("entrypoint") != std::string::npos;
    const bool is_compose = base.find("compose") != std::string::npos && (base.ends_with("ml"));
    if ((!is_python && !is_shell && !is_compose) || ++searched > most_searched) continue;
    const auto text = inputs.read(path);
    if (!text) continue;
    if (is_python &&
        (text->find("\"" + name + "\"") != std::string::npos || text->find("'" + name + "'") != std::string::npos))
      return true;
    if (!is_python && has_word(*text, name)) return true;
  }
  return false;
}

/// The stages that the image is made of, and no others: `target` and those that it stands on.
std::set<const Stage*> chain_of(const Dockerfile& file, const std::string& target) {
  std::set<const Stage*> chain;
  const Stage* stage = file.find(target);
  while (stage != nullptr && chain.insert(stage).second) {
    const Stage* below = nullptr;
    for (const Stage& other : file.stages) {
      if (&other == stage) break;
      if (!other.name.empty() && other.name == stage->image) below = &other;
    }
    stage = below;
  }
  return chain;
}

Value texts(const Words& words) {
  Value::Array array;
  for (const std::string& word : words) array.emplace_back(word);
  return Value(std::move(array));
}

/// "bookworm" of debian:bookworm-slim and python:3.12-slim-bookworm.
std::string suite_in(const std::string& image) {
  for (const char* suite : {"bookworm", "trixie"}) {
    if (image.find(suite) != std::string::npos) return suite;
  }
  if (image.starts_with("debian:12")) return "bookworm";
  if (image.starts_with("debian:13")) return "trixie";
  return "";
}

class Conversion {
 public:
  Conversion(const start::Inputs& inputs, const std::vector<Dockerfile>& files, const std::string& target,
             const start::Decision& decision, const start::Taken& base_taken, const PackageChoice& packages,
             bool python_is_chosen)
      : files_(files),
        target_(target),
        decision_(decision),
        base_taken_(base_taken),
        packages_(packages),
        python_is_chosen_(python_is_chosen),
        runs_(decision.taken.workdir.value_or(base_taken.workdir.value_or(inputs.project.image.workdir)), packages,
              decision.taken.files) {}

  FromDockerfile run() {
    for (const Dockerfile& file : files_) of_file(file);
    settings();
    return std::move(result_);
  }

 private:
  bool is_base(const Dockerfile& file) const { return files_.size() > 1 && &file == files_.data(); }

  void of_file(const Dockerfile& file) {
    const std::string target = is_base(file) ? "" : target_;
    const std::set<const Stage*> chain = chain_of(file, target);
    for (const Instruction& argument : file.arguments) line(file, argument, "", "its default counts where it is used");
    for (const Stage& stage : file.stages) {
      const bool is_taken = chain.contains(&stage);
      from(file, stage, is_taken, target);
      for (std::size_t i = 0; i < stage.instructions.size(); ++i) {
        const Instruction& instruction = stage.instructions[i];
        const std::size_t end =
            i + 1 < stage.instructions.size() ? stage.instructions[i + 1].line : next_line(file, stage);
        if (is_taken) {
          of_instruction(file, instruction, end);
        } else {
          line(file, instruction, "", "a stage that builds; veneer builds wheels by itself");
        }
      }
    }
  }

  static std::size_t next_line(const Dockerfile& file, const Stage& stage) {
    for (const Stage& other : file.stages) {
      if (other.line > stage.line) return other.line;
    }
    return static_cast<std::size_t>(-1);
  }

  void line(const Dockerfile& file, const Instruction& instruction, std::string becomes, std::string why) {
    std::string text = instruction.name;
    for (const std::string& flag : instruction.flags) text += " " + flag;
    text += " " + instruction.text;
    for (char& c : text) c = c == '\n' || c == '\t' ? ' ' : c;
    result_.lines.push_back(
        {place_of(file, instruction.line), printable(text, longest_shown), std::move(becomes), std::move(why)});
  }

  void from(const Dockerfile& file, const Stage& stage, bool is_taken, const std::string& target) {
    Instruction shown;
    shown.name = "FROM";
    shown.line = stage.line;
    shown.text = stage.image + (stage.name.empty() ? "" : " AS " + stage.name);
    const auto is_stage = std::any_of(file.stages.begin(), file.stages.end(), [&](const Stage& other) {
      return !other.name.empty() && other.name == stage.image && other.line < stage.line;
    });
    if (!is_taken) return line(file, shown, "", "a stage that builds; veneer builds wheels by itself");
    if (is_stage) return line(file, shown, "", "the stage above");
    const std::string image = owners::evaluate(file, target).base.value;
    if (files_.size() > 1 && !is_base(file))
      return line(file, shown, "",
                  fmt::format("the image that {} makes; veneer makes its layers by itself", files_[0].file));
    std::string becomes;
    if (const auto minor = owners::python_minor_of(file, target)) {
      if (!python_is_chosen_) add("tool.veneer", "python", minor->value, place_of(file, minor->line));
      becomes = python_is_chosen_ ? "" : "python";
    }
    const std::string suite = suite_in(image);
    if (!suite.empty()) {
      add("tool.veneer", "base", "debian:" + suite, place_of(file, stage.line));
      becomes += std::string(becomes.empty() ? "" : ", ") + "base";
    }
    line(file, shown, becomes,
         becomes.empty() && !python_is_chosen_
             ? fmt::format("veneer makes a Debian base of its own; to keep this one: base = \"{}\"", printable(image))
             : "");
  }

  void of_instruction(const Dockerfile& file, const Instruction& instruction, std::size_t end) {
    if (instruction.name == "RUN") return of_run(file, instruction);
    std::string becomes;
    std::string why;
    const auto add_to = [](std::string& text, const std::string& more) {
      if (text.find(more) == std::string::npos) text += (text.empty() ? "" : "; ") + more;
    };
    const start::Taken& taken = is_base(file) ? base_taken_ : decision_.taken;
    for (const start::TakenItem& item : taken.taken) {
      if (!lies_in(file, instruction.line, end, item.place)) continue;
      if (is_base(file) && instruction.name == "COPY") continue;
      add_to(becomes, key_of(item.what));
    }
    for (const start::TakenItem& item : taken.left) {
      if (lies_in(file, instruction.line, end, item.place))
        add_to(why, item.what == instruction.name ? item.why : item.what + ": " + item.why);
    }
    if (decision_.start && lies_in(file, instruction.line, end, decision_.start->place) && !is_base(file) &&
        (instruction.name == "ENTRYPOINT" || instruction.name == "CMD")) {
      becomes = instruction.name == "CMD" ? "cmd" : "entrypoint";
    }
    if (instruction.name == "CMD" && decision_.start && decision_.start->rule == "ENTRYPOINT and CMD") becomes = "cmd";
    if (becomes.empty() && why.empty()) why = reason(file, instruction);
    line(file, instruction, becomes, why);
  }

  bool lies_in(const Dockerfile& file, std::size_t begin, std::size_t end, const std::string& place) const {
    const std::size_t colon = place.rfind(':');
    if (colon == std::string::npos || place.substr(0, colon) != printable(file.file)) return false;
    const auto number = read_number<std::size_t>(std::string_view(place).substr(colon + 1));
    return number && *number >= begin && *number < end;
  }

  static std::string key_of(const std::string& what) {
    const std::string word = what.substr(0, what.find(' '));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> keys = {{{"WORKDIR", "workdir"},
                                                                                    {"ENV", "env"},
                                                                                    {"EXPOSE", "expose"},
                                                                                    {"USER", "user"},
                                                                                    {"COPY", "files"},
                                                                                    {"HEALTHCHECK", "health"}}};
    for (const auto& [name, key] : keys) {
      if (name == word) return std::string(key);
    }
    return word;
  }

  std::string reason(const Dockerfile& file, const Instruction& instruction) const {
    const std::string& name = instruction.name;
    if (name == "COPY" || name == "ADD") {
      if (is_base(file)) return "it is for the installation, which veneer does by the lock";
      if (instruction.flag("from")) return "the environment and its tools, which the image has of its own";
      return "what veneer puts there anyway, or needs no more";
    }
    if (name == "ENV") return "the image has its own";
    if (name == "WORKDIR") return "a later WORKDIR counts";
    if (name == "ENTRYPOINT" || name == "CMD") return "another one counts";
    if (name == "ARG") return "its default counts where it is used";
    if (name == "SHELL") return "it is for RUN";
    if (name == "LABEL" || name == "MAINTAINER") return "say it by labels of [tool.veneer.image]";
    if (name == "VOLUME") return "say it in the compose file; a folder to write to is writable of [tool.veneer.image]";
    if (name == "STOPSIGNAL") return "say stop_signal in the compose file";
    return "no key stands for it";
  }

  void of_run(const Dockerfile& file, const Instruction& instruction) {
    const RunOutcome outcome = runs_.take(instruction);
    line(file, instruction, outcome.becomes, outcome.why);
  }

  // The keys.

  void add(const std::string& table, const std::string& key, Value value, std::string why) {
    const auto is_same = [&](const Setting& other) { return other.table == table && other.key == key; };
    std::erase_if(result_.settings, is_same);
    result_.settings.push_back({table, key, std::move(value), std::move(why)});
  }

  std::string place_in(const start::Taken& taken, const std::string& what) const {
    for (const start::TakenItem& item : taken.taken) {
      if (item.what == what || item.what.starts_with(what + " ") || item.what.starts_with(what + "="))
        return item.place;
    }
    return "";
  }

  void settings() {
    const std::string image = "tool.veneer.image";
    const start::Taken& taken = decision_.taken;
    // It is said in one place from now on.
    add("tool.veneer", "dockerfile", false, fmt::format("what {} says stands here now", files_.back().file));
    if (!packages_.kept.empty()) {
      Words names;
      for (const auto& package : packages_.kept) names.push_back(package.value);
      add("tool.veneer.system", "packages", texts(names),
          fmt::format("{}:{}", packages_.kept_in[0], packages_.kept[0].line));
    }
    if (decision_.start && is_written_by_owners(decision_.start->place)) {
      const start::StartCommand& start = *decision_.start;
      if (!start.entrypoint.empty()) add(image, "entrypoint", texts(start.entrypoint), start.place);
      if (!start.cmd.empty()) add(image, "cmd", texts(start.cmd), start.place);
    }
    if (taken.workdir && *taken.workdir != "/app") add(image, "workdir", *taken.workdir, place_in(taken, "WORKDIR"));
    if (!taken.workdir && base_taken_.workdir && *base_taken_.workdir != "/app")
      add(image, "workdir", *base_taken_.workdir, place_in(base_taken_, "WORKDIR"));
    user();
    if (!taken.expose.empty()) add(image, "expose", texts(taken.expose), place_in(taken, "EXPOSE"));
    if (taken.expose.empty() && !base_taken_.expose.empty())
      add(image, "expose", texts(base_taken_.expose), place_in(base_taken_, "EXPOSE"));
    if (taken.health) health(*taken.health);
    files();
    made("empty_files", runs_.empty_files());
    auto writable = runs_.writable();
    std::erase_if(writable, [&](const auto& folder) {
      return folder.value == runs_.workdir() || folder.value.starts_with("/usr/") || folder.value.starts_with("/etc");
    });
    made("writable", writable);
    for (const start::Taken* each : {&base_taken_, &taken}) {
      for (const auto& [name, value] : each->environment)
        add("tool.veneer.image.env", name, value, place_in(*each, "ENV " + name));
    }
    for (const auto& [name, value] : decision_.environment)
      add("tool.veneer.image.env", name, value, "the command asks for it");
  }

  /// In a Dockerfile; what compose files and code say is read at each build.
  bool is_written_by_owners(const std::string& place) const {
    return std::any_of(files_.begin(), files_.end(),
                       [&](const Dockerfile& file) { return place.starts_with(printable(file.file) + ":"); });
  }

  void user() {
    const start::Taken& taken = decision_.taken.user ? decision_.taken : base_taken_;
    const bool has_cron = std::any_of(packages_.kept.begin(), packages_.kept.end(),
                                      [](const auto& package) { return package.value == "cron"; });
    if (taken.user) {
      add("tool.veneer.image", "user", fmt::format("{}:{}", taken.user->first, taken.user->second),
          place_in(taken, "USER"));
    } else if (has_cron) {
      add("tool.veneer.image", "user", "0:0", "no USER in the Dockerfile, and cron must be started by root");
    }
  }

  void health(const start::Health& said) {
    if (said.test == Words{"NONE"})
      return add("tool.veneer.image", "health", false, place_in(decision_.taken, "HEALTHCHECK"));
    Value value;
    value.set("cmd", texts(Words(said.test.begin() + 1, said.test.end())));
    constexpr std::array<std::pair<const char*, const char*>, 4> names = {{{"Interval", "interval"},
                                                                           {"Timeout", "timeout"},
                                                                           {"StartPeriod", "start_period"},
                                                                           {"StartInterval", "start_interval"}}};
    for (const auto& [name, key] : names) {
      const auto found = said.nanoseconds.find(name);
      if (found != said.nanoseconds.end())
        value.set(key, std::max<std::int64_t>(1, (found->second + 999'999'999) / 1'000'000'000));
    }
    if (said.retries && *said.retries > 0) value.set("retries", *said.retries);
    add("tool.veneer.image", "health", std::move(value), place_in(decision_.taken, "HEALTHCHECK"));
  }

  void files() {
    if (runs_.files().empty()) return;
    Value::Array rules;
    for (const python::FileRule& rule : runs_.files()) {
      Value row;
      row.set("from", rule.from);
      row.set("to", rule.to);
      if (rule.mode) row.set("mode", fmt::format("{:04o}", *rule.mode));
      rules.push_back(std::move(row));
    }
    add("tool.veneer.image", "files", std::move(rules), place_in(decision_.taken, "COPY"));
  }

  void made(const std::string& key, const std::vector<owners::Located<std::string>>& paths) {
    if (paths.empty()) return;
    Words names;
    for (const auto& path : paths) names.push_back(path.value);
    add("tool.veneer.image", key, texts(names), place_of(files_.back(), paths[0].line));
  }

  const std::vector<Dockerfile>& files_;
  const std::string& target_;
  const start::Decision& decision_;
  const start::Taken& base_taken_;
  const PackageChoice& packages_;
  bool python_is_chosen_;
  Runs runs_;
  FromDockerfile result_;
};

}  // namespace

PackageChoice choose_packages(const start::Inputs& inputs, const std::vector<Dockerfile>& files,
                              const std::string& target) {
  PackageChoice choice;
  std::set<std::string> seen;
  for (const Dockerfile& file : files) {
    const std::string own_target = &file == &files.back() ? target : "";
    for (const auto& package : owners::apt_packages_of(file, own_target)) {
      if (!seen.insert(package.value).second) continue;
      const auto [need, why] = debian::need_of(package.value);
      if (need == debian::Need::perhaps_to_run ||
          (need != debian::Need::in_every_base && is_called(inputs, files.back(), target, package.value))) {
        choice.kept.push_back(package);
        choice.kept_in.push_back(file.file);
      } else {
        choice.left.emplace_back(package.value, why);
      }
    }
  }
  return choice;
}

std::string base_dockerfile_of(const start::Inputs& inputs, const Dockerfile& file, const std::string& target) {
  const owners::StageFacts facts = owners::evaluate(file, target);
  if (owners::python_minor_of(file, target) || facts.base.value.starts_with("debian") || facts.base.value == "scratch")
    return "";
  for (const char* name :
       {"Dockerfile.base", "base.Dockerfile", "Dockerfile-base", "docker/Dockerfile.base", "base/Dockerfile"}) {
    if (file.file != name && inputs.read(name)) return name;
  }
  return "";
}

FromDockerfile convert(const start::Inputs& inputs, const std::vector<Dockerfile>& files, const std::string& target,
                       const start::Decision& decision, const start::Taken& base_taken, const PackageChoice& packages,
                       bool python_is_chosen) {
  return Conversion(inputs, files, target, decision, base_taken, packages, python_is_chosen).run();
}

}  // namespace veneer::setup
