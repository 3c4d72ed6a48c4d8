// The options that say how to reach a host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/open_receiver.hh"
#include "cli/command.hh"

namespace veneer::cli {

/// Seconds, of --patience.
inline constexpr std::uint64_t longest_patience = 24 * 3600;

/// How to reach a host and what to think of the line to it.
std::vector<Option> host_options();

/// A request for the host at `address`, which may be empty (see HostRequest). Throws Error (usage).
app::HostRequest read_host_request(const std::string& address, const Arguments& arguments);

/// The option --line, in bytes a second. Throws Error (usage).
std::optional<double> read_line(const Arguments& arguments);

/// The option --as. Throws Error (usage).
std::optional<deliver::EngineName> read_live_name(const Arguments& arguments);

}  // namespace veneer::cli
