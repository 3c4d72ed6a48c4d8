#include "app/open_receiver.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "deliver/receiver/api/docker_engine.hh"
#include "deliver/receiver/ssh/ssh_receiver.hh"
#include "engine/local_engines.hh"
#include "foundation/error.hh"

namespace veneer::app {

namespace {

constexpr std::array<std::string_view, 3> host_schemes{"ssh://", "unix://", "tcp://"};

bool is_reached_by_ssh(std::string_view address) { return address.starts_with("ssh://"); }

}  // namespace

bool names_a_host(std::string_view text) {
  return std::ranges::any_of(host_schemes, [&](std::string_view scheme) { return text.starts_with(scheme); });
}

void check_host(const HostRequest& request, const std::string& address) {
  if (is_reached_by_ssh(address)) {
    static_cast<void>(deliver::read_ssh_address(address));
    if (request.helper) {
      throw Error(ErrorKind::usage, "--helper is for hosts reached by an API", "over ssh the host needs no helper");
    }
    return;
  }
  static_cast<void>(engine::read_docker_host(address, std::nullopt));
  if (!request.ssh_option.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is for hosts reached by ssh", request.ssh_option),
                "name one as ssh://user@host");
  }
}

OpenedReceiver open_receiver(const HostRequest& request, const Surroundings& surroundings) {
  const engine::Environment environment = [&](const std::string& name) { return surroundings.environment(name); };
  const engine::DockerChoice choice =
      request.address.empty()
          ? engine::choose_docker(environment)
          : engine::DockerChoice{request.address, engine::docker_certificates(environment), "the command line"};
  const std::string& address = choice.host;
  in_context([&] { return choice.chosen_by; }, [&] { check_host(request, address); });
  OpenedReceiver opened;
  if (is_reached_by_ssh(address)) {
    deliver::SshOptions options = request.ssh;
    options.who = surroundings.caller();
    options.fail_point = surroundings.environment("VENEER_HOST_FAIL_POINT").value_or("");
    opened.session = std::make_unique<deliver::HostSession>(deliver::read_ssh_address(address), std::move(options));
    opened.receiver = std::make_unique<deliver::SshReceiver>(*opened.session);
    opened.line = {0, deliver::usual_round_trip};
  } else {
    std::optional<std::filesystem::path> folder;
    if (request.read_back == ReadBack::wanted) folder = std::filesystem::temp_directory_path();
    opened.receiver =
        std::make_unique<deliver::DockerEngine>(engine::connect_to(choice.address()), folder, request.helper);
    opened.line = address.starts_with("tcp://") ? deliver::Line{0, deliver::usual_round_trip} : deliver::local_line;
  }
  if (request.bytes_per_second) opened.line.bytes_per_second = *request.bytes_per_second;
  return opened;
}

}  // namespace veneer::app
