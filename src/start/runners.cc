#include "start/runners.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/uv_options.hh"
#include "python/name.hh"

namespace veneer::start {

namespace {

using Words = std::vector<std::string>;

std::string_view program_of(std::string_view word) { return word.substr(word.rfind('/') + 1); }

/// A process that only starts another one and hands signals on; engines bring one with --init.
bool is_init(std::string_view program) {
  constexpr std::array<std::string_view, 3> names = {"tini", "dumb-init", "catatonit"};
  return contains(names, program_of(program));
}

/// "uvicorn" of "/app/.venv/bin/uvicorn"; other words as they are.
std::string without_environment_path(const std::string& word, const Places& places) {
  const std::size_t bin = word.rfind("/bin/");
  if (bin == std::string::npos || word.find('/', bin + 5) != std::string::npos) return word;
  const std::string folder = word.substr(0, bin);
  const std::string name = folder.substr(folder.rfind('/') + 1);
  constexpr std::array<std::string_view, 5> names = {".venv", "venv", "env", "virtualenv", "$VIRTUAL_ENV"};
  bool is_environment =
      contains(names, name) || folder == "${VIRTUAL_ENV}" || (is_python(word) && folder == "/usr/local");
  for (const char* variable : {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}) {
    const auto found = places.environment.find(variable);
    is_environment = is_environment || (found != places.environment.end() && found->second == folder);
  }
  return is_environment ? word.substr(bin + 5) : word;
}

class UvRun {
 public:
  UvRun(Words words, const Inputs& inputs, const Places& places)
      : words_(std::move(words)), inputs_(inputs), places_(places) {}

  Stripped strip() {
    std::size_t at = 2;
    while (at < words_.size() && words_[at].starts_with('-')) {
      if (words_[at] == "--") {
        ++at;
        break;
      }
      at = option(at);
    }
    if (runs_module_) result_.words = {"python", "-m"};
    result_.words.insert(result_.words.end(), words_.begin() + static_cast<std::ptrdiff_t>(std::min(at, words_.size())),
                         words_.end());
    const bool is_file = !runs_module_ && at < words_.size() && (runs_script_ || words_[at].ends_with(".py"));
    if (is_file) result_.words.insert(result_.words.begin(), "python");
    if (at >= words_.size()) result_.trouble = "uv run is given no program";
    return std::move(result_);
  }

 private:
  /// Of the option `words_[at]`; where the next word that is not its value is.
  std::size_t option(std::size_t at) {
    const std::string& word = words_[at];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const bool takes_next = equals == std::string::npos && owners::uv_option_takes_word(name);
    const std::string value = equals != std::string::npos            ? word.substr(equals + 1)
                              : takes_next && at + 1 < words_.size() ? words_[at + 1]
                                                                     : "";
    if (name.starts_with("--with") || name == "-w") {
      result_.trouble = fmt::format("uv run {} would install something at each start", name);
    } else if ((name == "--directory" || name == "--project") && places_.at(value) != places_.at("")) {
      result_.trouble = name == "--directory" ? "uv run --directory starts it in another folder"
                                              : "uv run --project starts what another folder's project has";
    } else if (name == "--env-file") {
      leave(word, value,
            "give the container its variables (docker run --env-file, or env_file of its compose service)");
    } else if (name == "--package" && python::normalised_name(value) != inputs_.project.name) {
      leave(word, value,
            fmt::format("the image has {} and what that needs; for the other: --package {}", inputs_.project.name,
                        printable(value, 80)));
    } else if ((name == "--python" || name == "-p") && !is_ours(value)) {
      leave(word, value, fmt::format("the image has Python {}", inputs_.python));
    }
    runs_module_ = runs_module_ || name == "-m" || name == "--module";
    runs_script_ = runs_script_ || name == "-s" || name == "--script" || name == "--gui-script";
    return at + (takes_next ? 2 : 1);
  }

  /// Whether that Python is the image's, as far as it is known: "3.12", "3.12.4", "python3.12".
  bool is_ours(std::string_view python) const {
    for (const std::string_view prefix : {"python", "cpython", "@"}) {
      if (python.starts_with(prefix)) python.remove_prefix(prefix.size());
    }
    return inputs_.python.empty() || python == "3" || python == inputs_.python ||
           python.starts_with(inputs_.python + ".");
  }

  void leave(const std::string& word, const std::string& value, std::string why) {
    const std::string name = word.substr(0, word.find('='));
    result_.left_out.push_back({fmt::format("uv run {} {}", name, printable(value, 80)), std::move(why)});
  }

  Words words_;
  const Inputs& inputs_;
  const Places& places_;
  bool runs_module_ = false;
  bool runs_script_ = false;
  Stripped result_;
};

/// `uvx shop --port 80` and `uv tool run shop`: what it would fetch is here, if it is the project or in its lock;
/// whether there is such a program is judged by who asks.
Stripped without_uvx(Words words) {
  std::size_t at = program_of(words[0]) == "uvx" ? 1 : 3;
  if (at < words.size() && words[at] == "--from" && at + 2 < words.size() && words[at + 1] == ".") at += 2;
  if (at >= words.size()) return {{}, "uvx is given no program", {}};
  if (words[at].starts_with('-') || words[at].find('@') != std::string::npos) {
    return {{}, fmt::format("uvx {} would install something at each start", printable(words[at], 80)), {}};
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
  return {std::move(words), "", {}};
}

}  // namespace

bool is_python(std::string_view word) {
  std::string_view name = program_of(word);
  if (!name.starts_with("python")) return false;
  name.remove_prefix(6);
  return std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
}

bool runs_its_words(std::string_view program) {
  constexpr std::array<std::string_view, 16> names = {"exec",   "env",  "gosu",   "su-exec",    "setpriv", "runuser",
                                                      "sudo",   "nice", "nohup",  "stdbuf",     "chpst",   "uv",
                                                      "poetry", "pdm",  "pipenv", "ddtrace-run"};
  return is_init(program) || contains(names, program_of(program));
}

Stripped stripped(Words words, const Inputs& inputs, const Places& places) {
  Stripped result;
  for (bool again = true; again && !words.empty();) {
    again = false;
    const std::string program(program_of(words[0]));
    const bool has_run = words.size() > 2 && words[1] == "run";
    constexpr std::array<std::string_view, 5> runners = {"poetry", "pdm", "pipenv", "rye", "hatch"};
    if (words[0] == "exec" && words.size() > 1) {
      words.erase(words.begin());
      again = true;
    } else if (program == "uv" && words.size() > 1 && words[1] == "run") {
      Stripped rest = UvRun(std::move(words), inputs, places).strip();
      words = std::move(rest.words);
      result.trouble = std::move(rest.trouble);
      for (LeftOut& one : rest.left_out) result.left_out.push_back(std::move(one));
      again = result.trouble.empty();
    } else if (program == "uvx" || (program == "uv" && words.size() > 2 && words[1] == "tool" && words[2] == "run")) {
      Stripped rest = without_uvx(std::move(words));
      words = std::move(rest.words);
      result.trouble = std::move(rest.trouble);
      again = result.trouble.empty();
    } else if (contains(runners, program) && has_run) {
      words.erase(words.begin(), words.begin() + 2);
      again = true;
    } else if (is_init(program) && words.size() > 1) {
      std::size_t at = 1;
      while (at < words.size() && words[at].starts_with('-') && words[at] != "--") ++at;
      if (at < words.size() && words[at] == "--") ++at;
      words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
      again = true;
    } else if (std::string bare = without_environment_path(words[0], places); bare != words[0]) {
      words[0] = std::move(bare);
      again = true;
    }
  }
  if (!words.empty() && is_python(words[0]) && words[0].find('/') == std::string::npos) words[0] = "python";
  result.words = std::move(words);
  return result;
}

}  // namespace veneer::start
