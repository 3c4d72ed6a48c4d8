#include "cli/manual.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/shell_word.hh"

namespace veneer::cli {

namespace {

struct ExitCode {
  int code;
  std::string_view meaning;
};
constexpr std::array<ExitCode, 9> exit_codes{{
    {0, "done"},
    {1, "something on this machine failed"},
    {2, "the command line is wrong"},
    {3, "an input was refused: malformed, hostile or unsupported"},
    {4, "something named does not exist"},
    {5, "a server or host could not be reached, or answered with an error"},
    {6, "verification failed: bytes are not what was promised"},
    {7, "a deploy failed and was rolled back"},
    {10, "a gate or status check says no"},
}};

struct Variable {
  std::string_view name;
  std::string_view meaning;
};
/// Also in docs/environment.md.
constexpr auto variables = std::to_array<Variable>({
    {"PATH", "where uv, git, ssh and mmdebstrap are looked for"},
    {"HOME", "~/.cache, ~/.netrc and ~/.docker lie there"},
    {"XDG_CACHE_HOME", "the cache lies in veneer there (default ~/.cache)"},
    {"TMPDIR", "where temporary files go (default /tmp)"},
    {"NO_COLOR", "when not empty, no colours"},
    {"CI", "when it is true, veneer.lock is not written"},
    {"SOURCE_DATE_EPOCH", "the image's creation time where there is no git commit to take it from"},
    {"UV_INDEX", "indexes whose credentials are used, as uv reads it"},
    {"UV_DEFAULT_INDEX", "likewise, one index"},
    {"UV_INDEX_URL", "likewise, the older name of it"},
    {"UV_EXTRA_INDEX_URL", "likewise, the older name of UV_INDEX"},
    {"UV_FIND_LINKS", "likewise, pages of links, separated by commas"},
    {"UV_INDEX_<NAME>_USERNAME", "the user for the index of this name"},
    {"UV_INDEX_<NAME>_PASSWORD", "the password for it"},
    {"UV_PYTHON_DOWNLOADS_JSON_URL",
     "the list of uv's interpreters; what was taken from another list is not taken again"},
    {"NETRC", "the netrc file (default ~/.netrc)"},
    {"SSL_CERT_FILE", "certificates to be trusted when files are downloaded, and those of registries"},
    {"https_proxy", "the proxy for https; HTTPS_PROXY too"},
    {"http_proxy", "the proxy for http"},
    {"all_proxy", "the proxy where the others are not set; ALL_PROXY too"},
    {"no_proxy", "hosts that are reached without a proxy; NO_PROXY too"},
    {"DOCKER_HOST", "the engine that images are shipped to; before all contexts"},
    {"DOCKER_CONTEXT", "the Docker context that says so otherwise (default: the current one, else the usual socket)"},
    {"DOCKER_CONFIG", "the folder where Docker keeps contexts, which is current, and logins (default ~/.docker)"},
    {"DOCKER_TLS_VERIFY", "when set, TLS with an engine that DOCKER_HOST or the command line names as tcp://"},
    {"DOCKER_CERT_PATH", "the folder with the certificates for that (default DOCKER_CONFIG)"},
    {"CONTAINER_HOST", "the podman whose images podman:NAME means, as for podman itself"},
    {"XDG_RUNTIME_DIR", "where the socket of the podman of this user lies, and its logins"},
    {"XDG_CONFIG_HOME", "where other logins of podman lie, in containers/auth.json (default ~/.config)"},
    {"REGISTRY_AUTH_FILE", "the file with logins at registries, instead of all others"},
    {"CONTAINERS_REGISTRIES_CONF", "podman's registries.conf, whose mirrors are used"},
    {"USER", "who deploys, with the name of the machine, for the history of a host"},
    {"LOGNAME", "likewise, where USER is not set"},
    {"VENEER_FAIL_POINT", "for tests: the process kills itself at the named place"},
    {"VENEER_HOST_FAIL_POINT", "for tests: the script on a host kills itself at the named place"},
});

std::string option_head(const Option& option) {
  std::string names = option.names;
  if (const std::size_t comma = names.find(','); comma != std::string::npos) names.replace(comma, 1, ", ");
  return option.value.empty() ? names : names + " " + option.value;
}

std::string long_option(const Option& option) { return option.names.substr(option.names.rfind(',') + 1); }

std::string usage(const Command& command) {
  std::string text = "veneer " + command.name;
  if (!command.options.empty()) text += " [OPTION]...";
  for (const Positional& positional : command.positionals) {
    switch (positional.need) {
      case Positional::Need::required: text += " " + positional.name; break;
      case Positional::Need::optional: text += " [" + positional.name + "]"; break;
      case Positional::Need::many: text += " [" + positional.name + "]..."; break;
    }
  }
  return text;
}

constexpr std::size_t help_width = 100;

/// `text` in lines of at most help_width columns, those after the first of a paragraph behind `indent` spaces. The
/// first line starts at column `indent` already.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (column > indent && column + 1 + word.size() > help_width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(end);
    if (text.starts_with('\n')) {
      const std::size_t lines = std::min(text.find_first_not_of('\n'), text.size());
      out += std::string(lines, '\n') + std::string(indent, ' ');
      column = indent;
      text.remove_prefix(lines);
    } else if (!text.empty()) {
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string rows(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t width = 0;
  for (const auto& [head, text] : pairs) width = std::max(width, head.size());
  std::string out;
  for (const auto& [head, text] : pairs) {
    out += fmt::format("  {:<{}}  {}\n", head, width, wrapped(text, width + 4));
  }
  return out;
}

/// Text for man(7): a leading dot or quote is a request there, a hyphen-minus must stay one, an empty line is ".PP".
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && out.ends_with('\n')) {
      out += ".PP\n";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string roff_options(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) {
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(option_head(option)), roff(option.help));
  }
  return out;
}

std::string bash_completion() {
  std::string names;
  std::string cases;
  for (const Command& command : commands()) {
    names += (names.empty() ? "" : " ") + command.name;
    std::string options = "--help";
    for (const auto* list : {&command.options, &common_options()}) {
      for (const Option& option : *list) options += " " + long_option(option);
    }
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, options);
  }
  return fmt::format(R"(# bash completion for veneer: source <(veneer completion bash)
_veneer() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "{} --help --version" -- "$current")
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -o filenames -F _veneer veneer
)",
                     names, cases);
}

std::string zsh_completion() {
  std::string out =
      "#compdef veneer\n# zsh completion for veneer: veneer completion zsh > \"${fpath[1]}/_veneer\"\n_veneer() {\n";
  out += "  if (( CURRENT == 2 )); then\n    local -a names=(\n";
  for (const Command& command : commands())
    out += fmt::format("      {}\n", single_quoted(command.name + ":" + command.summary));
  out += "    )\n    _describe command names\n    return\n  fi\n  case ${words[2]} in\n";
  for (const Command& command : commands()) {
    out += fmt::format("    {})\n      local -a options=(\n", command.name);
    for (const auto* list : {&command.options, &common_options()}) {
      for (const Option& option : *list) {
        std::string help = option.help;
        std::replace(help.begin(), help.end(), ':', ';');
        out += fmt::format("        {}\n", single_quoted(long_option(option) + ":" + help));
      }
    }
    out += "      ) ;;\n";
  }
  out +=
      "  esac\n  if [[ ${words[CURRENT]} == -* ]]; then _describe option options; else _files; fi\n}\ncompdef _veneer "
      "veneer\n";
  return out;
}

std::string fish_completion() {
  std::string out = "# fish completion for veneer: veneer completion fish | source\n";
  for (const Command& command : commands()) {
    out += fmt::format("complete -c veneer -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       single_quoted(command.summary));
    for (const auto* list : {&command.options, &common_options()}) {
      for (const Option& option : *list) {
        out +=
            fmt::format("complete -c veneer -n '__fish_seen_subcommand_from {}' -l {}{} -d {}\n", command.name,
                        long_option(option).substr(2), option.value.empty() ? "" : " -r", single_quoted(option.help));
      }
    }
  }
  return out;
}

}  // namespace

std::string command_help(const Command& command) {
  std::string out = fmt::format("Usage: {}\n\n{}\n", usage(command), wrapped(command.description, 0));
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Positional& positional : command.positionals) pairs.emplace_back(positional.name, positional.help);
  if (!pairs.empty()) out += "\nArguments:\n" + rows(pairs);
  pairs.clear();
  for (const auto* list : {&command.options, &common_options()}) {
    for (const Option& option : *list) pairs.emplace_back(option_head(option), option.help);
  }
  pairs.emplace_back("-h, --help", "show this help");
  out += "\nOptions:\n" + rows(pairs);
  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const Example& example : command.examples) out += fmt::format("  # {}\n  {}\n", example.what, example.line);
  }
  return out;
}

std::string manual_page() {
  std::string out = fmt::format(".TH VENEER 1 \"\" \"veneer {}\" \"User Commands\"\n", VENEER_VERSION);
  out += ".SH NAME\nveneer \\- container images whose deploys cost what changed\n";
  out += ".SH SYNOPSIS\n.B veneer\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n";
  out +=
      ".SH DESCRIPTION\nveneer builds container images for Python projects that are locked with uv, one layer a wheel, "
      "the same on "
      "every machine, and brings to a host only what it lacks. It needs no daemon and no root.\n.SH COMMANDS\n";
  for (const Command& command : commands()) {
    out += fmt::format(".SS {}\n{}\n.PP\n", roff(usage(command)), roff(command.description));
    for (const Positional& positional : command.positionals) {
      out += fmt::format(".TP\n\\fI{}\\fR\n{}\n", roff(positional.name), roff(positional.help));
    }
    out += roff_options(command.options);
    for (const Example& example : command.examples) {
      out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.what), roff(example.line));
    }
  }
  out += ".SH COMMON OPTIONS\n" + roff_options(common_options()) + ".SH EXIT STATUS\n";
  for (const ExitCode& code : exit_codes) out += fmt::format(".TP\n.B {}\n{}\n", code.code, roff(code.meaning));
  out += ".SH ENVIRONMENT\n";
  for (const Variable& one : variables) out += fmt::format(".TP\n.B {}\n{}\n", roff(one.name), roff(one.meaning));
  out +=
      ".PP\n" +
      roff(
          "uv, git, ssh, mmdebstrap and build back ends inherit the environment; docs/environment.md says what is kept "
          "from them, how credentials of private indexes are found, and what is done with proxies and certificates. "
          "A ${NAME} in a URL of a requirements.txt is filled in from the environment.") +
      "\n";
  return out;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  throw Error(ErrorKind::usage, fmt::format("no completion for '{}'", printable(shell)),
              "bash, zsh and fish are known");
}

}  // namespace veneer::cli
