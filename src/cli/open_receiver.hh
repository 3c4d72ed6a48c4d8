// Finds the host that a command is about, and the options that say how to reach it. Called by the commands that
// take one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.hh"
#include "cli/context.hh"
#include "deliver/delivery_plan.hh"
#include "deliver/receiver/receiver.hh"
#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::cli {

/// Whether an argument names a host rather than an image: it has a scheme that hosts have.
bool names_a_host(std::string_view argument);

/// How to reach a host and what to think of the line to it.
std::vector<Option> host_options();

struct OpenedReceiver {
  std::unique_ptr<deliver::HostSession> session;  // over ssh; used by the receiver
  std::unique_ptr<deliver::Receiver> receiver;
  deliver::Line line;  // as --line says, else what is usual there
};

/// Whether the engine may be asked to give its own layers back: where it is on this machine and what is missing cannot
/// be had otherwise.
enum class ReadBack { unwanted, wanted };

/// `host` is ssh://[user@]host[:port] or unix:///socket or tcp://host:port; empty: DOCKER_HOST, else this
/// machine's engine. Does not connect. Throws Error (usage).
OpenedReceiver open_receiver(const std::string& host, const Arguments& arguments, Context& context,
                             ReadBack read_back = ReadBack::unwanted);

/// "1Mbit", "500kbit", "2.5MB": bytes a second. Throws Error (usage).
double read_rate(std::string_view text);

/// "2MB", "500kB", "1000": bytes. Throws Error (usage).
std::uint64_t read_size(std::string_view text);

}  // namespace veneer::cli
