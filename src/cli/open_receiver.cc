#include "cli/open_receiver.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "deliver/receiver/api/docker_engine.hh"
#include "deliver/receiver/ssh/ssh_receiver.hh"
#include "foundation/error.hh"

namespace veneer::cli {

namespace {

constexpr std::array<std::string_view, 3> host_schemes{"ssh://", "unix://", "tcp://"};
constexpr double usual_round_trip = 0.1;  // seconds, for estimates

deliver::SshOptions ssh_options(const Arguments& arguments, Context& context) {
  deliver::SshOptions options;
  options.program = arguments.value_or("--engine", "");
  if (!options.program.empty() && options.program != "docker" && options.program != "podman") {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no engine", printable(options.program)), "docker or podman");
  }
  if (arguments.has("--sudo")) options.elevation = deliver::Elevation::sudo;
  options.staging = arguments.value_or("--host-folder", "");
  if (!options.staging.empty() && !options.staging.starts_with('/')) {
    throw Error(ErrorKind::usage, "--host-folder wants a full path on the host");
  }
  if (const auto seconds = arguments.number("--patience")) options.patience = std::chrono::seconds(*seconds);
  options.fail_point = context.environment("VENEER_HOST_FAIL_POINT").value_or("");
  return options;
}

// As Docker's own client: TLS when DOCKER_TLS_VERIFY is set, with the files of DOCKER_CERT_PATH or ~/.docker.
std::optional<std::filesystem::path> certificates(const Context& context) {
  if (!context.environment("DOCKER_TLS_VERIFY")) return std::nullopt;
  if (const auto folder = context.environment("DOCKER_CERT_PATH")) return *folder;
  return std::filesystem::path(context.environment("HOME").value_or("/")) / ".docker";
}

}  // namespace

bool names_a_host(std::string_view argument) {
  return std::ranges::any_of(host_schemes, [&](std::string_view scheme) { return argument.starts_with(scheme); });
}

std::vector<Option> host_options() {
  return {{"--line", "RATE", "what the line carries, such as 1Mbit: time then counts, not bytes alone"},
          {"--no-splice", "", "send layers rather than have the host read its own back"},
          {"--engine", "NAME", "over ssh: docker or podman (default: the first that the host has)"},
          {"--sudo", "", "over ssh: run the engine by sudo, which must ask for no password"},
          {"--patience", "SECONDS", "over ssh: how long nothing may move before it connects again (default: 60)"},
          {"--host-folder", "DIR", "over ssh: where what is sent waits (default: the user's cache on the host)"}};
}

OpenedReceiver open_receiver(const std::string& host, const Arguments& arguments, Context& context,
                             ReadBack read_back) {
  const std::string address = host.empty() ? context.environment("DOCKER_HOST").value_or("") : host;
  OpenedReceiver opened;
  if (address.starts_with("ssh://")) {
    opened.session =
        std::make_unique<deliver::HostSession>(deliver::read_ssh_address(address), ssh_options(arguments, context));
    opened.receiver = std::make_unique<deliver::SshReceiver>(*opened.session);
    opened.line = {0, usual_round_trip};
    if (arguments.has("--helper")) {
      throw Error(ErrorKind::usage, "--helper is for hosts reached by an API", "over ssh the host needs no helper");
    }
  } else {
    for (const char* option : {"--engine", "--sudo", "--host-folder", "--patience"}) {
      if (arguments.has(option)) {
        throw Error(ErrorKind::usage, fmt::format("{} is for hosts reached by ssh", option),
                    "name one as ssh://user@host");
      }
    }
    std::optional<std::filesystem::path> folder;
    if (read_back == ReadBack::wanted) folder = std::filesystem::temp_directory_path();
    const std::optional<std::string> helper = arguments.value("--helper");
    if (helper && (!helper->starts_with('/') || helper->find(':') != std::string::npos)) {
      throw Error(ErrorKind::usage, fmt::format("--helper: '{}' is no full path of a socket", printable(*helper)));
    }
    opened.receiver = std::make_unique<deliver::DockerEngine>(
        deliver::connect_to(deliver::read_docker_host(address, certificates(context))), folder, helper);
    opened.line = address.starts_with("tcp://") ? deliver::Line{0, usual_round_trip} : deliver::local_line;
  }
  if (const auto rate = arguments.value("--line")) opened.line.bytes_per_second = read_rate(*rate);
  return opened;
}

double read_rate(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"kbit", 1e3 / 8}, {"Mbit", 1e6 / 8}, {"Gbit", 1e9 / 8}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}};
  const auto* found = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  if (result.ec != std::errc() || !(number > 0) || number > 1e6 || found == units.end()) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no rate", printable(text)),
                "a number and kbit, Mbit, Gbit, kB, MB or GB (a second), such as 1Mbit");
  }
  return number * found->second;
}

std::uint64_t read_size(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(result.ptr, static_cast<std::size_t>(text.data() + text.size() - result.ptr));
  const double factor = unit.empty() || unit == "B" ? 1
                        : unit == "kB"              ? 1e3
                        : unit == "MB"              ? 1e6
                        : unit == "GB"              ? 1e9
                                                    : 0;
  if (result.ec != std::errc() || factor == 0 || !(number >= 0) || number > 1e9) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no size", printable(text)), "such as 500kB or 2MB");
  }
  return static_cast<std::uint64_t>(number * factor);
}

}  // namespace veneer::cli
