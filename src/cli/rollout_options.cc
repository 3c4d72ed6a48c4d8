#include "cli/rollout_options.hh"

#include <fmt/format.h>

#include "cli/build_options.hh"
#include "cli/host_options.hh"
#include "foundation/error.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t longest_wait = 24 * 3600;
constexpr std::uint64_t most_releases = 1000;

deliver::RestartStrategy read_strategy(const Arguments& arguments) {
  const std::string strategy = arguments.value_or("--strategy", "stop-first");
  if (strategy == "stop-first") return deliver::RestartStrategy::stop_first;
  if (strategy == "start-first") return deliver::RestartStrategy::start_first;
  throw Error(ErrorKind::usage, fmt::format("--strategy {}: it is stop-first or start-first", printable(strategy)));
}

// What one of these says cannot be done where services are restarted by the other.
void check_that_they_go_together(const Arguments& arguments) {
  const auto refuse = [&](const char* one, std::initializer_list<const char*> others) {
    for (const char* other : others) {
      if (!arguments.has(one) || !arguments.has(other)) continue;
      throw Error(ErrorKind::usage, fmt::format("{} and {} exclude each other", one, other));
    }
  };
  refuse("--container", {"--restart-with", "--compose", "--service", "--before", "--after"});
  refuse("--restart-with", {"--compose", "--service", "--before", "--after"});
}

}  // namespace

std::vector<Option> rollout_options() {
  return {
      {"--compose", "FILE", "full path of a compose file on the host (default: as the services were started)",
       Option::Repeat::many},
      {"--service", "NAME", "restart these services only (default: all that use the live name)", Option::Repeat::many},
      {"--restart-with", "COMMAND", "run this on the host instead of compose"},
      {"--container", "NAME", "recreate this container with its own settings and the new image, instead of compose"},
      {"--strategy", "WHICH",
       "stop-first (default), or start-first: new containers start beside the old ones, which stop when the new ones "
       "are well; not with container_name, published ports or the host's network"},
      {"--accept-changes", "",
       "also when services would lose a variable, volume, port, network, limit, right or device that they have"},
      {"--probe", "URL", "must answer too, asked on the host"},
      {"--wait", "SECONDS", "how long the services may take to be well (default: 60)"},
      {"--settle", "SECONDS",
       "how long one without a health check must run (default: 2 where it was well before, else 5)"},
      {"--no-port-wait", "",
       "do not wait until a service without a health check listens on the TCP ports on which it listened before"},
      {"--keep", "N", "good releases whose images stay on the host (default: 5)"},
      {"--keep-failed", "N", "releases that were not well whose images stay there (default: 1)"}};
}

deliver::RolloutRequest read_rollout_request(const Arguments& arguments) {
  check_that_they_go_together(arguments);
  deliver::RolloutRequest request;
  request.compose_files = arguments.values("--compose");
  for (const std::string& file : request.compose_files) {
    if (!file.starts_with('/')) {
      throw Error(ErrorKind::usage, fmt::format("--compose wants a full path on the host, not '{}'", printable(file)));
    }
    if (file.find('\n') != std::string::npos) throw Error(ErrorKind::usage, "--compose: the path has a line end");
  }
  request.services = arguments.values("--service");
  request.restart_with = arguments.value_or("--restart-with", "");
  request.container = arguments.value_or("--container", "");
  request.before = arguments.value_or("--before", "");
  request.after = arguments.value_or("--after", "");
  request.strategy = read_strategy(arguments);
  if (request.strategy == deliver::RestartStrategy::start_first &&
      !(request.restart_with.empty() && request.container.empty())) {
    throw Error(ErrorKind::usage, "--strategy start-first needs services of a compose file");
  }
  if (arguments.has("--accept-changes")) request.changes = deliver::ChangeChoice::accept;
  request.probe = arguments.value_or("--probe", "");
  request.wait = arguments.number("--wait", 0, longest_wait).value_or(request.wait);
  request.settle = arguments.number("--settle", 0, longest_wait);
  if (arguments.has("--no-port-wait")) request.ports = deliver::PortWait::none;
  request.keep = arguments.number("--keep", 1, most_releases).value_or(request.keep);
  request.keep_failed = arguments.number("--keep-failed", 0, most_releases).value_or(request.keep_failed);
  return request;
}

Positional ssh_host_positional() { return {"HOST", "ssh://[user@]host[:port]", Positional::Need::required}; }

std::vector<Option> with_ssh_options(std::vector<Option> options) {
  options.push_back({"--as", "NAME", "the live name (default: that of the project here, with :latest)"});
  for (Option& option : host_options()) {
    if (option.names != "--line" && option.names != "--no-splice") options.push_back(std::move(option));
  }
  options.push_back(project_option());
  options.push_back({"--json", "", "print JSON"});
  return options;
}

app::ReleasesRequest read_releases_request(const Arguments& arguments) {
  app::ReleasesRequest request;
  request.host = read_host_request(arguments.value_or("HOST", ""), arguments);
  app::check_has_releases(request.host);
  request.live_name = read_live_name(arguments);
  return request;
}

}  // namespace veneer::cli
