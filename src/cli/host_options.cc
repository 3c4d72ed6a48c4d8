#include "cli/host_options.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/units.hh"

namespace veneer::cli {

namespace {

deliver::SshOptions read_ssh_options(const Arguments& arguments) {
  deliver::SshOptions options;
  options.program = arguments.value_or("--engine", "");
  if (arguments.has("--engine") && options.program != "docker" && options.program != "podman") {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no engine", printable(options.program)), "docker or podman");
  }
  if (arguments.has("--sudo")) options.elevation = deliver::Elevation::sudo;
  options.staging = arguments.value_or("--host-folder", "");
  if (arguments.has("--host-folder") && !options.staging.starts_with('/')) {
    throw Error(ErrorKind::usage, "--host-folder wants a full path on the host");
  }
  if (const auto seconds = arguments.number("--patience", 1, longest_patience)) {
    options.patience = std::chrono::seconds(*seconds);
  }
  return options;
}

}  // namespace

std::vector<Option> host_options() {
  return {{"--line", "RATE", "what the line carries, such as 1Mbit: time then counts, not bytes alone"},
          {"--no-splice", "", "send layers rather than have the host read its own back"},
          {"--engine", "NAME", "over ssh: docker or podman (default: the first that the host has)"},
          {"--sudo", "", "over ssh: run the engine by sudo, which must ask for no password"},
          {"--patience", "SECONDS", "over ssh: how long nothing may move before it connects again (default: 60)"},
          {"--host-folder", "DIR", "over ssh: where what is sent waits (default: the user's cache on the host)"}};
}

app::HostRequest read_host_request(const std::string& address, const Arguments& arguments) {
  app::HostRequest request;
  request.address = address;
  request.bytes_per_second = read_line(arguments);
  request.ssh = read_ssh_options(arguments);
  for (const char* option : {"--engine", "--sudo", "--host-folder", "--patience"}) {
    if (arguments.has(option)) request.ssh_option = option;
  }
  request.helper = arguments.value("--helper");
  if (request.helper && (!request.helper->starts_with('/') || request.helper->find(':') != std::string::npos)) {
    throw Error(ErrorKind::usage,
                fmt::format("--helper: '{}' is no full path of a socket", printable(*request.helper)));
  }
  if (!address.empty()) app::check_host(request, address);
  return request;
}

std::optional<double> read_line(const Arguments& arguments) {
  const auto rate = arguments.value("--line");
  if (!rate) return std::nullopt;
  return read_rate(*rate);
}

std::optional<deliver::EngineName> read_live_name(const Arguments& arguments) {
  const auto name = arguments.value("--as");
  if (!name) return std::nullopt;
  return deliver::parse_engine_name(*name);
}

}  // namespace veneer::cli
