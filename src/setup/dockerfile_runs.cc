#include "setup/dockerfile_runs.hh"

#include <fmt/format.h>

#include <fnmatch.h>
#include <algorithm>
#include <array>
#include <filesystem>

#include "foundation/error.hh"
#include "owners/shell.hh"

namespace veneer::setup {

namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

bool has(const std::vector<owners::Located<std::string>>& all, const std::string& value) {
  return std::any_of(all.begin(), all.end(), [&](const auto& item) { return item.value == value; });
}

/// The words that are no options; empty where one of them is not known before it runs.
Words paths_of(const owners::ShellCommand& command, std::size_t first) {
  Words paths;
  for (std::size_t i = first; i < command.words.size(); ++i) {
    if (command.words[i].text.starts_with('-')) continue;
    if (!command.words[i].is_plain) return {};
    paths.push_back(command.words[i].text);
  }
  return paths;
}

}  // namespace

std::string Runs::absolute(const std::string& name) const {
  std::string path = (name.starts_with('/') ? fs::path(name) : fs::path(workdir_) / name).lexically_normal().native();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

RunOutcome Runs::take(const owners::Instruction& instruction) {
  Words becomes;
  Words why;
  const auto note = [](Words& list, const std::string& text) {
    if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
  };
  std::string text = instruction.words ? owners::shell_line(*instruction.words) : instruction.text;
  for (const owners::HereDocument& document : instruction.documents) text += "\n" + document.text;
  try {
    for (const owners::ShellCommand& command : owners::read_shell(text).commands) {
      if (command.words.empty()) continue;
      const auto [key, reason] = of_command(command, instruction.line);
      note(becomes, key);
      note(why, reason);
    }
  } catch (const Error&) {
    note(why, "it is no shell text that could be read");
  }
  const auto joined = [](const Words& list) {
    std::string all;
    for (const std::string& item : list) all += (all.empty() ? "" : "; ") + item;
    return all;
  };
  return {joined(becomes), joined(why)};
}

RunOutcome Runs::of_command(const owners::ShellCommand& command, std::size_t line_number) {
  std::size_t first = 0;
  while (first + 1 < command.words.size() &&
         (command.words[first].text == "sudo" || command.words[first].text == "exec"))
    ++first;
  std::string program = command.words[first].text;
  program = program.substr(program.rfind('/') + 1);
  const std::string verb = first + 1 < command.words.size() ? command.words[first + 1].text : "";
  const Words paths = paths_of(command, first + 1);
  if (program == "apt-get" || program == "apt" || program == "aptitude") return of_apt(command);
  if (program == "touch") {
    for (const std::string& path : paths) {
      if (!has(empty_files_, absolute(path))) empty_files_.push_back({absolute(path), line_number});
    }
    return paths.empty() ? RunOutcome{"", "a path of touch is not known before it runs"}
                         : RunOutcome{"empty_files", ""};
  }
  if (program == "mkdir" || program == "install") {
    if (program == "install" && verb != "-d")
      return {"", "install: no key stands for it; files and their modes are files"};
    for (const std::string& path : paths) {
      if (path.find_first_not_of("01234567") != std::string::npos && !has(writable_, absolute(path)))
        writable_.push_back({absolute(path), line_number});
    }
    return paths.empty() ? RunOutcome{"", "a path of mkdir is not known before it runs"} : RunOutcome{"writable", ""};
  }
  if (program == "chmod") return of_chmod(paths);
  if (program == "chown" || program == "chgrp")
    return {"", "chown: empty_files and writable belong to user, all else to root"};
  if (program == "useradd" || program == "adduser" || program == "groupadd" || program == "addgroup" ||
      program == "usermod")
    return {"", "an account is made of user of [tool.veneer.image]"};
  constexpr std::array<std::string_view, 8> installers = {"pip",    "pip3", "uv",     "uvx",
                                                          "poetry", "pdm",  "pipenv", "pipx"};
  const bool is_module = program.starts_with("python") && verb == "-m" && first + 2 < command.words.size();
  const std::string tool = is_module ? command.words[first + 2].text : program;
  if (std::find(installers.begin(), installers.end(), tool) != installers.end() || tool == "venv")
    return {"", "veneer installs what uv.lock says"};
  if (program == "curl" || program == "wget" || program == "gpg" || program == "tar" || program == "unzip" ||
      program == "git" || program == "apt-key" || program == "add-apt-repository" || program == "tee")
    return {"", program + ": nothing is fetched into an image; a package belongs to packages, a file to the project"};
  if (program == "ln") return {"", "ln: no key makes links; name the program by its real path"};
  if (program.starts_with("python") || program == "django-admin")
    return {"", owners::shell_line({program, verb}) +
                    ": what makes files when the image is built is a [[tool.veneer.prepare]]"};
  constexpr std::array<std::string_view, 12> silent = {"rm", "cd",   "set", "export",   "echo", "true",
                                                       ":",  "test", "[",   "apt-mark", "find", "ldconfig"};
  if (std::find(silent.begin(), silent.end(), program) != silent.end()) return {"", ""};
  return {"", printable(program) + ": no key stands for a command; [[tool.veneer.prepare]] keeps files that one makes"};
}

RunOutcome Runs::of_apt(const owners::ShellCommand& command) const {
  std::string left;
  bool is_kept = false;
  for (const owners::ShellWord& word : command.words) {
    const std::string name = word.text.substr(0, word.text.find_first_of("=/:"));
    for (const auto& kept : packages_.kept) is_kept = is_kept || kept.value == name;
    for (const auto& [package, why] : packages_.left) {
      if (package == name) left += fmt::format("{}{} is left out: {}", left.empty() ? "" : "; ", package, why);
    }
  }
  return {is_kept ? "packages" : "", left};
}

RunOutcome Runs::of_chmod(const Words& paths) {
  if (paths.size() < 2) return {"", "a path of chmod is not known before it runs"};
  const bool makes_executable =
      paths[0].find('x') != std::string::npos || paths[0].find_first_of("1357") != std::string::npos;
  bool is_found = false;
  for (std::size_t i = 1; i < paths.size(); ++i) {
    for (python::FileRule& rule : files_) {
      if (::fnmatch(absolute(paths[i]).c_str(), rule.to.c_str(), 0) != 0) continue;
      is_found = true;
      if (makes_executable && !rule.mode) rule.mode = 0755;
    }
  }
  return is_found ? RunOutcome{"files", ""}
                  : RunOutcome{"", "chmod: nothing of the project lies there; modes are mode in files"};
}

}  // namespace veneer::setup
