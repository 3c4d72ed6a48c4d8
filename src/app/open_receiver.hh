// Finds the host that a command is about.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/surroundings.hh"
#include "deliver/delivery_plan.hh"
#include "deliver/receiver/receiver.hh"
#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::app {

/// Whether the engine may be asked to give its own layers back: where it is on this machine and what is missing cannot
/// be had otherwise.
enum class ReadBack { unwanted, wanted };

struct HostRequest {
  std::string address;  // ssh://[user@]host[:port], unix:///socket, tcp://host:port; empty: as Docker's own
                        // client chooses
  std::optional<double> bytes_per_second;  // of the line; none: nothing is known
  deliver::SshOptions ssh;                 // where the address is one for ssh
  std::string ssh_option;                  // one that was given and is for ssh alone; empty: none was
  std::optional<std::string> helper;       // the engine's socket on the host, for a helper container; not over ssh
  ReadBack read_back = ReadBack::unwanted;
};

struct OpenedReceiver {
  std::unique_ptr<deliver::HostSession> session;  // over ssh; used by the receiver
  std::unique_ptr<deliver::Receiver> receiver;
  deliver::Line line;  // as the request says, else what is usual there
};

/// Whether a text names a host rather than an image: it has a scheme that hosts have.
bool names_a_host(std::string_view text);

/// Throws Error (usage) for an address that is none, and for options that do not go with `address`, which may come from
/// DOCKER_HOST or a context.
void check_host(const HostRequest& request, const std::string& address);

/// Does not connect. Throws Error: usage, and what engine::choose_docker() throws.
OpenedReceiver open_receiver(const HostRequest& request, const Surroundings& surroundings);

}  // namespace veneer::app
