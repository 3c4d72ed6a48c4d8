#include "cli/cli.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/manual.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/this_process.hh"

namespace veneer::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {init_command(),       build_command(),  base_command(),   plan_command(),
                                           compare_command(),    ship_command(),   deploy_command(), rollback_command(),
                                           history_command(),    push_command(),   pull_command(),   receive_command(),
                                           inspect_command(),    check_command(),  sbom_command(),   packages_command(),
                                           select_command(),     replay_command(), wheel_command(),  cache_command(),
                                           completion_command(), help_command()};
  return all;
}

const std::vector<Option>& common_options() {
  static const std::vector<Option> all = {
      {"-q,--quiet", "", "print errors and results only"},
      {"--cache", "DIR", "keep downloads and layers in DIR (default: $XDG_CACHE_HOME/veneer)"},
  };
  return all;
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::uint64_t> Arguments::number(std::string_view name) const {
  const auto text = value(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) {
    throw Error(ErrorKind::usage, fmt::format("{} wants a number, not '{}'", name, printable(*text)));
  }
  return static_cast<std::uint64_t>(number);
}

std::optional<std::uint64_t> Arguments::number(std::string_view name, std::uint64_t least, std::uint64_t most) const {
  const auto given = number(name);
  if (given && (*given < least || *given > most)) {
    throw Error(ErrorKind::usage, fmt::format("{} wants a number from {} to {}, not {}", name, least, most, *given));
  }
  return given;
}

void Arguments::add(std::string name, std::vector<std::string> values) { values_[std::move(name)] = std::move(values); }

namespace {

constexpr int most_positionals = 10'000;

std::string long_name(const Option& option) { return option.names.substr(option.names.rfind(',') + 1); }

/// One command as CLI11 sees it, and where it puts what it reads.
struct Parsed {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string, CLI::Option*> options;
};

void add_option(Parsed& parsed, const Option& option) {
  CLI::Option* added = option.value.empty()
                           ? parsed.app->add_flag(option.names, option.help)
                           : parsed.app->add_option(option.names, option.help)->type_name(option.value);
  if (!option.value.empty()) {
    added->expected(1);
    added->multi_option_policy(option.repeat == Option::Repeat::many ? CLI::MultiOptionPolicy::TakeAll
                                                                     : CLI::MultiOptionPolicy::Throw);
  }
  parsed.options[long_name(option)] = added;
}

void add_positional(Parsed& parsed, const Positional& positional) {
  CLI::Option* added = parsed.app->add_option(positional.name, positional.help)->type_name("");
  if (positional.need == Positional::Need::required) added->required();
  if (positional.need == Positional::Need::many) {
    added->expected(1, most_positionals)->allow_extra_args()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  } else {
    added->expected(1);
  }
  parsed.options[positional.name] = added;
}

Arguments arguments_of(const Parsed& parsed) {
  Arguments arguments;
  for (const auto& [name, option] : parsed.options) {
    if (option->count() > 0) arguments.add(name, option->results());
  }
  return arguments;
}

int run_command(const Command& command, const Arguments& arguments) {
  const Verbosity verbosity = arguments.has("--quiet") ? Verbosity::quiet : Verbosity::normal;
  Context context(verbosity, arguments.value("--cache"), arguments.value("--project"), arguments.values("--insecure"),
                  arguments.value("--ca"));
  try {
    if (const auto armed = context.environment("VENEER_FAIL_POINT")) arm_fail_point(*armed);
    if (const auto ca = arguments.value("--ca"); ca && !std::filesystem::is_regular_file(*ca)) {
      throw Error(ErrorKind::usage, fmt::format("there is no file '{}' for --ca", printable(*ca)));
    }
    return command.parse(arguments)(context);
  } catch (...) {
    const Error error = current_error();
    context.terminal().error(error.what(), error.hint());
    return exit_code(error.kind());
  }
}

}  // namespace

int run(int argc, char** argv) {
  begin_process();

  CLI::App app("Container images whose deploys cost what changed, for Python projects locked with uv.", "veneer");
  app.set_version_flag("--version", "veneer " VENEER_VERSION);
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "show this help");
  app.footer("Run 'veneer COMMAND --help' for its options and examples.");
  std::vector<std::unique_ptr<Parsed>> parsed;
  for (const Command& command : commands()) {
    auto& item = *parsed.emplace_back(std::make_unique<Parsed>());
    item.command = &command;
    item.app = app.add_subcommand(command.name, command.summary);
    item.app->set_help_flag();
    const std::string help_text = "show this help";
    item.options["--help"] = item.app->add_flag("-h,--help", help_text);
    for (const Positional& positional : command.positionals) add_positional(item, positional);
    for (const Option& option : command.options) add_option(item, option);
    for (const Option& option : common_options()) add_option(item, option);
  }
  // Help wins over everything else that may be wrong with the line.
  if (argc >= 3) {
    for (int i = 2; i < argc && std::string_view(argv[i]) != "--"; ++i) {
      if (std::string_view(argv[i]) != "--help" && std::string_view(argv[i]) != "-h") continue;
      for (const auto& item : parsed) {
        if (item->command->name == argv[1]) {
          Context context(Verbosity::normal, std::nullopt);
          context.print(command_help(*item->command));
          return 0;
        }
      }
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    Context context(Verbosity::normal, std::nullopt);
    if (argc < 2) {
      context.terminal().note(app.help());
      return exit_code(ErrorKind::usage);
    }
    const std::string name = argv[1][0] != '-' ? printable(argv[1]) : "";
    const bool is_known = std::ranges::any_of(parsed, [&](const auto& item) { return item->command->name == name; });
    if (name.empty() || is_known) {
      context.terminal().error(printable(error.what()),
                               is_known ? fmt::format("see 'veneer {} --help'", name) : "see 'veneer --help'");
    } else {
      context.terminal().error(fmt::format("there is no command '{}'", name), "see 'veneer help'");
    }
    return exit_code(ErrorKind::usage);
  }
  for (const auto& item : parsed) {
    if (item->app->parsed()) return run_command(*item->command, arguments_of(*item));
  }
  return exit_code(ErrorKind::usage);
}

}  // namespace veneer::cli
