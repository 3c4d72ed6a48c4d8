#include <fmt/format.h>

#include <functional>
#include <initializer_list>
#include <map>

#include "app/base_image.hh"
#include "app/base_use.hh"
#include "app/deploy_forecast.hh"
#include "app/docker_project.hh"
#include "app/made_layers.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/host_options.hh"
#include "cli/push_report.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

struct WantedBase {
  app::BuildRequest request;
  deliver::Line line;
  bool is_json = false;
};

std::string text_of(const app::BasePins& pins, const std::optional<app::DeployForecast>& deploy, deliver::Line line) {
  const base::LockedBase& now = pins.taken();
  std::string text = fmt::format("{} for {}, {} in {}\n", printable(now.name), now.platform,
                                 pins.had_base() ? "pinned anew" : "pinned", printable(pins.path().native()));
  Table table({"moved", "from", "to"});
  for (const app::BaseMove& move : pins.moves())
    table.add({printable(move.what), printable(move.from), printable(move.to)});
  if (!pins.moves().empty()) text += "\n" + table.text();
  if (pins.had_base() && pins.moves().empty()) text += "nothing has moved\n";
  if (!deploy) return text + "\nNothing was built here yet, so nothing tells what a deploy costs.\n";
  text += fmt::format("\nA deploy of what is here now, to hosts that have {}, about:\n\n", printable(deploy->from));
  return text + forecast_text(deploy->forecasts, line);
}

int update(const WantedBase& wanted, Context& context) {
  const app::BuildSession session(wanted.request, context);
  const app::BasePins& pins = session.pins();
  const std::optional<app::DeployForecast> deploy = app::forecast_from_last(session, wanted.line);
  pins.write(context.messages());
  if (!wanted.is_json) {
    context.print(text_of(pins, deploy, wanted.line));
    return 0;
  }
  Value document;
  document.set("file", pins.path().native());
  document.set("base", pins.taken().name);
  document.set("platform", pins.taken().platform);
  document.set("moved", moves_to_value(pins));
  if (deploy) {
    document.set("deploy_from", deploy->from);
    document.set("deploy", deliver::to_value(deploy->forecasts));
  }
  context.print(to_pretty_json(document));
  return 0;
}

struct WantedStatus {
  enum class Of { images, dockerfiles } of = Of::images;
  app::BuildRequest request;
  app::WantedImage image;
  deliver::Line line;
  bool is_json = false;
};

std::string text_of(const app::BaseStatus& status, const WantedStatus& wanted) {
  if (status.is_fresh())
    return fmt::format("{} is fresh: {} has all that it depends on\n", status.name, printable(status.compared));
  if (status.compared.empty()) {
    return fmt::format("{} is stale: no base was made here; it is made by {}\n", status.name,
                       wanted.of == WantedStatus::Of::images ? "veneer base build" : "make base");
  }
  Table table({"changed", "from", "to"});
  for (const base::IngredientChange& change : status.changes) {
    table.add({printable(change.what), printable(change.from, 60), printable(change.to, 60)});
  }
  std::string text =
      fmt::format("{} is stale: {} is of something else\n\n{}", status.name, printable(status.compared), table.text());
  if (!status.rebuild) return text;
  text += fmt::format("\nWhen it is made anew, a deploy to hosts that have {} sends, about:\n\n",
                      printable(status.rebuild->from));
  return text + forecast_text(status.rebuild->forecasts, wanted.line);
}

Value to_value(const app::BaseStatus& status) {
  Value document;
  document.set("state", status.is_fresh() ? "fresh" : "stale");
  document.set("base", status.name);
  document.set("fingerprint", status.fingerprint);
  document.set("compared_with", status.compared.empty() ? Value() : Value(status.compared));
  Value::Array changes;
  for (const base::IngredientChange& change : status.changes) {
    Value row;
    row.set("what", change.what);
    row.set("from", change.from);
    row.set("to", change.to);
    changes.push_back(std::move(row));
  }
  document.set("changed", std::move(changes));
  if (status.rebuild) {
    document.set("rebuild_from", status.rebuild->from);
    document.set("rebuild", deliver::to_value(status.rebuild->forecasts));
  }
  return document;
}

int show_status(const app::BaseStatus& status, const WantedStatus& wanted, Context& context) {
  context.print(wanted.is_json ? to_pretty_json(to_value(status)) : text_of(status, wanted));
  return status.is_fresh() ? 0 : exit_code(ErrorKind::gate);
}

int make(const app::BuildRequest& request, bool is_json, Context& context) {
  const app::BuildSession session(request, context);
  const app::BaseImage base = app::store_base(session, context);
  if (!is_json) {
    context.print(fmt::format("{} {}\n", base.name, base.sealed.manifest_digest.text()));
    return 0;
  }
  Value document;
  document.set("base", base.name);
  document.set("fingerprint", base.fingerprint);
  document.set("manifest", base.sealed.manifest_digest.text());
  document.set("made", !base.was_there);
  context.print(to_pretty_json(document));
  return 0;
}

/// `target` has no tag yet: the fingerprint is one.
int push(const app::BuildRequest& request, app::PushTarget target, bool is_json, Context& context) {
  const app::OpenedImage base = app::open_base(request, context);
  target.name.tag = base.reference->tag;
  app::ImagePush push(base, app::read_made(app::project_store(context.current_folder())), target, context,
                      [&](const deliver::Event& event) { show_push(event, context.terminal()); });
  push.plan();
  const deliver::PushResult result = push.carry_out();
  context.terminal().clear_progress();
  const ManifestDigest& manifest = base.sealed.manifest_digest;
  context.print(is_json ? to_pretty_json(push_value(result, manifest)) : push_text(result, manifest));
  return 0;
}

/// Written when the base could be had.
int use(app::BuildRequest request, const std::optional<std::string>& name, bool is_json, Context& context) {
  const app::UsedBase base = app::find_used_base(request, name, context);
  request.base = python::parse_base_choice(base.text);
  const app::BuildSession session(request, context);
  const bool is_new = app::write_used_base(base);
  const app::BasePins& pins = session.pins();
  pins.write(context.messages());
  if (!is_json) {
    const std::string from = base.place.empty() ? "" : fmt::format(", from {}", printable(base.place));
    context.print(fmt::format("{} {} [tool.veneer] base = \"{}\"{}\n", printable(base.file.native()),
                              is_new ? "has now" : "has already", printable(base.text), from));
    return 0;
  }
  Value document;
  document.set("base", base.text);
  document.set("place", base.place.empty() ? Value() : Value(base.place));
  document.set("file", base.file.native());
  document.set("changed", is_new);
  document.set("lock", pins.path().native());
  context.print(to_pretty_json(document));
  return 0;
}

void refuse_options(const Arguments& arguments, std::initializer_list<const char*> options, const std::string& why) {
  for (const char* option : options) {
    if (arguments.has(option)) throw Error(ErrorKind::usage, fmt::format("{} {}", option, why));
  }
}

void refuse_name(const Arguments& arguments, const std::string& action) {
  if (const auto name = arguments.value("NAME")) {
    throw Error(ErrorKind::usage, fmt::format("base {} wants no name such as '{}'", action, printable(*name)));
  }
}

Action parse_base_update(const Arguments& arguments) {
  refuse_name(arguments, "update");
  refuse_options(arguments, {"--locked", "--no-lock-file"}, "keeps what base update makes anew");
  WantedBase wanted;
  wanted.request = read_build_request(arguments);
  wanted.request.base_lock = app::BaseLockUse::renewed;
  wanted.line = app::line_of(read_line(arguments));
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return update(wanted, context); };
}

constexpr const char* needs_lock = "leaves out what a base is told by";

Action parse_status(const Arguments& arguments) {
  refuse_options(arguments, {"--no-lock-file"}, needs_lock);
  const auto of = arguments.has("--docker") ? WantedStatus::Of::dockerfiles : WantedStatus::Of::images;
  WantedStatus wanted{of, read_build_request(arguments), app::parse_wanted_image(arguments.value_or("NAME", "")),
                      app::line_of(read_line(arguments)), arguments.has("--json")};
  return [wanted](Context& context) {
    const bool is_docker = wanted.of == WantedStatus::Of::dockerfiles;
    const app::BaseStatus status =
        (is_docker ? app::docker_base_status : app::base_status)(wanted.request, wanted.image, wanted.line, context);
    return show_status(status, wanted, context);
  };
}

Action parse_base_build(const Arguments& arguments) {
  refuse_name(arguments, "build");
  refuse_options(arguments, {"--no-lock-file"}, needs_lock);
  return [request = read_build_request(arguments), is_json = arguments.has("--json")](Context& context) {
    return make(request, is_json, context);
  };
}

Action parse_base_push(const Arguments& arguments) {
  refuse_options(arguments, {"--no-lock-file"}, needs_lock);
  const auto name = arguments.value("NAME");
  if (!name) {
    throw Error(ErrorKind::usage, "base push wants the repository of base images in a registry",
                "such as registry.example/team/shop-base; the tag is the base's fingerprint");
  }
  const std::string rest = name->substr(name->rfind('/') + 1);
  if (rest.find_first_of(":@") != std::string::npos && name->find('/') != std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("'{}' has a tag; that of a base is its fingerprint", printable(*name)),
                "further tags by --also-tag");
  }
  return [request = read_build_request(arguments), target = read_push_target(*name, arguments),
          is_json = arguments.has("--json")](Context& context) { return push(request, target, is_json, context); };
}

Action parse_use(const Arguments& arguments) {
  refuse_options(arguments, {"--base"}, "and the NAME of base use say the same");
  refuse_options(arguments, {"--locked", "--no-lock-file"}, "keeps what base use writes");
  return [request = read_build_request(arguments), name = arguments.value("NAME"),
          is_json = arguments.has("--json")](Context& context) { return use(request, name, is_json, context); };
}

/// What can be done with bases, by the word that says it.
Action parse_base(const Arguments& arguments) {
  static const std::map<std::string, Action (*)(const Arguments&), std::less<>> actions = {
      {"status", parse_status},
      {"build", parse_base_build},
      {"push", parse_base_push},
      {"update", parse_base_update},
      {"use", parse_use}};
  const std::string action = arguments.value_or("ACTION", "");
  const auto found = actions.find(action);
  if (found == actions.end()) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not status, build, push, update or use", printable(action)));
  }
  if (action != "push") {
    for (const Option& option : push_options()) refuse_options(arguments, {option.names.c_str()}, "is for base push");
  }
  if (action != "status")
    refuse_options(arguments, {"--docker"}, "is for base status; veneer init --docker writes the files");
  return found->second(arguments);
}

}  // namespace

Command base_command() {
  std::vector<Option> options = build_options();
  for (Option& option : push_options()) options.push_back(std::move(option));
  options.push_back({"--docker", "", "status: of the Dockerfiles that veneer init --docker wrote"});
  options.push_back({"--line", "RATE", "what the line to the hosts carries, such as 1Mbit: shows the time as well"});
  options.push_back({"--json", "", "print JSON"});
  return {.name = "base",
          .summary = "what images stand on: choose it, is it fresh, make it, push it, bring it up to date",
          .description =
              "status: compares what a base depends on (its own base's digest, archive and snapshot, package list, "
              "veneer.lock, platform and Python) with the base image that was made last here, or with IMAGE. Exit code "
              "0: fresh; 10: stale, with what changed and what a deploy then costs each kind of host. Nothing is made. "
              "The project's version, its code and its dependencies do not count; with --docker, for the Dockerfiles "
              "of veneer "
              "init --docker, production dependencies do.\n\n"
              "build: makes the base as an image of its own, PROJECT-base:FINGERPRINT in the project's store, and "
              "writes veneer.lock; the same base is made once.\n\n"
              "push: brings that image into a registry as REPOSITORY:FINGERPRINT; earlier ones stay.\n\n"
              "update: makes the base of the project anew, with what its archive, uv or its place has now, and writes "
              "it into veneer.lock beside the project's lock; says what moved, and what the next deploy costs each "
              "kind of host that has the image which was built last. Security updates come into a base by this, and "
              "never by a build. Nothing is built; the next build takes what was pinned.\n\n"
              "use: writes NAME, or what the project's Dockerfile stands on (its FROM), as base into [tool.veneer] of "
              "pyproject.toml, of which all other bytes stay, and pins it in veneer.lock.",
          .positionals = {{"ACTION", "status, build, push, update or use", Positional::Need::required},
                          {"NAME",
                           "of status IMAGE, a base image to compare with: " + image::image_forms() +
                               "; of push REPOSITORY, a name in a registry without a tag; of use a base, such as "
                               "python:3.13-slim",
                           Positional::Need::optional}},
          .options = std::move(options),
          .examples = {{"veneer base status", "in CI: is the base that was made still the right one? (10: no)"},
                       {"veneer base status registry.example/team/shop-base:latest --json", "the one of a registry"},
                       {"veneer base status --docker", "the base of generated Dockerfiles"},
                       {"veneer base build", "make it"},
                       {"veneer base push registry.example/team/shop-base --also-tag latest", "and bring it there"},
                       {"veneer base use", "stand on what the Dockerfile stands on"},
                       {"veneer base use python:3.13-slim", "stand on that"},
                       {"veneer base update", "take the newest packages, and see what that costs"},
                       {"veneer base update --line 1Mbit", "also how long a deploy takes"}},
          .parse = parse_base};
}

}  // namespace veneer::cli
