#include "cli/rollout_report.hh"

#include <fmt/format.h>

#include "cli/open_image.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::cli {

std::string_view outcome_name(deliver::RolloutResult::Outcome outcome) {
  switch (outcome) {
    case deliver::RolloutResult::Outcome::well: return "well";
    case deliver::RolloutResult::Outcome::back: return "back";
    case deliver::RolloutResult::Outcome::failed: return "failed";
  }
  return "";
}

std::vector<Option> rollout_option_list() {
  return {
      {"--compose", "FILE", "full path of a compose file on the host (default: as the services were started)",
       Option::Repeat::many},
      {"--service", "NAME", "restart these services only (default: all that use the live name)", Option::Repeat::many},
      {"--restart-with", "COMMAND", "run this on the host instead of compose"},
      {"--container", "NAME", "recreate this container with its own settings and the new image, instead of compose"},
      {"--strategy", "WHICH",
       "stop-first (default), or start-first: new containers start beside the old ones, which stop when the new ones "
       "are well; not with container_name, published ports or the host's network"},
      {"--probe", "URL", "must answer too, asked on the host"},
      {"--wait", "SECONDS", "how long the services may take to be well (default: 60)"},
      {"--settle", "SECONDS", "how long one without a health check must run (default: 5, of a rollback 2)"},
      {"--keep", "N", "releases whose images stay on the host (default: 5)"}};
}

deliver::RolloutRequest rollout_options(const Arguments& arguments, const Context& context) {
  deliver::RolloutRequest request;
  request.compose_files = arguments.values("--compose");
  for (const std::string& file : request.compose_files) {
    if (!file.starts_with('/')) throw Error(ErrorKind::usage, "--compose wants a full path on the host");
    if (file.find('\n') != std::string::npos) throw Error(ErrorKind::usage, "--compose: the path has a line end");
  }
  request.services = arguments.values("--service");
  request.restart_with = arguments.value_or("--restart-with", "");
  request.container = arguments.value_or("--container", "");
  if (!request.container.empty() && !request.restart_with.empty()) {
    throw Error(ErrorKind::usage, "--container and --restart-with exclude each other");
  }
  request.before = arguments.value_or("--before", "");
  request.after = arguments.value_or("--after", "");
  const std::string strategy = arguments.value_or("--strategy", "stop-first");
  if (strategy != "stop-first" && strategy != "start-first") {
    throw Error(ErrorKind::usage, fmt::format("--strategy {}: it is stop-first or start-first", printable(strategy)));
  }
  if (strategy == "start-first") request.strategy = deliver::RestartStrategy::start_first;
  request.probe = arguments.value_or("--probe", "");
  request.wait = arguments.number("--wait").value_or(request.wait);
  request.settle = arguments.number("--settle").value_or(request.settle);
  request.keep = arguments.number("--keep").value_or(request.keep);
  request.who = context.environment("USER").value_or(context.environment("LOGNAME").value_or(""));
  return request;
}

deliver::EngineName live_name_there(const Arguments& arguments, Context& context) {
  if (const auto given = arguments.value("--as")) return deliver::parse_engine_name(*given);
  const auto last = read_text_file_if_exists(project_store(context.current_folder()) / "last", 4096);
  if (!last)
    throw Error(ErrorKind::usage, "which live name?", "give it by --as NAME:TAG, or be in the project's folder");
  return deliver::parse_engine_name(*last).with_tag("latest");
}

OpenedReceiver open_ssh_host(const Arguments& arguments, Context& context) {
  const std::string host = arguments.value_or("HOST", "");
  if (!host.starts_with("ssh://")) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no host reached by ssh", printable(host)),
                "write ssh://[user@]host");
  }
  return open_receiver(host, arguments, context);
}

std::vector<Option> with_ssh_options(std::vector<Option> options) {
  options.push_back({"--as", "NAME", "the live name (default: that of the project here, with :latest)"});
  for (Option& option : host_options()) {
    if (option.names != "--line" && option.names != "--no-splice") options.push_back(std::move(option));
  }
  options.push_back({"--json", "", "print JSON"});
  return options;
}

Positional ssh_host_positional() { return {"HOST", "ssh://[user@]host[:port]", Positional::Need::required}; }

void show_phase(const std::string& phase, Terminal& terminal, const std::string& host) {
  if (phase == "before") terminal.progress(host + "running the command before it");
  if (phase == "restart") terminal.progress(host + "restarting the services");
  if (phase == "health") terminal.progress(host + "waiting for the services to be well");
  if (phase == "waiting") terminal.progress(host + "another rollout is at work there; waiting for its end");
  if (phase == "after") terminal.progress(host + "running the command after it");
  if (phase == "stop") terminal.progress(host + "stopping the old containers");
  if (phase == "back") terminal.note(host + "not well: going back");
}

std::string outcome_text(const deliver::RolloutResult& result) {
  std::string text;
  switch (result.outcome) {
    case deliver::RolloutResult::Outcome::well: text = fmt::format("release {} is well", result.revision); break;
    case deliver::RolloutResult::Outcome::back:
      text = fmt::format("release {} went back, the one before serves: {}", result.revision, result.why);
      break;
    case deliver::RolloutResult::Outcome::failed:
      text = fmt::format("release {} failed: {}", result.revision, result.why);
      break;
  }
  if (!result.logs.empty()) text += "\n  log: " + result.logs;
  for (const std::string& note : result.notes) text += "\n  note: " + note;
  return text;
}

void add_to(Value& document, const deliver::RolloutResult& result) {
  document.set("outcome", outcome_name(result.outcome));
  document.set("revision", result.revision);
  document.set("why", result.why);
  document.set("logs", result.logs);
  document.set("notes", Value(Value::Array(result.notes.begin(), result.notes.end())));
}

}  // namespace veneer::cli
