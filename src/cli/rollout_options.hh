// The options of the commands that restart services, and those of the commands for one host reached by ssh.
#pragma once

#include <vector>

#include "app/releases.hh"
#include "cli/command.hh"
#include "deliver/rollout/rollout.hh"

namespace veneer::cli {

/// What deploy and rollback take beside the host: from --compose to --keep-failed.
std::vector<Option> rollout_options();

/// A request with what these options, --before and --after say. Throws Error (usage).
deliver::RolloutRequest read_rollout_request(const Arguments& arguments);

/// The positional HOST of a command for one host reached by ssh, and the options that go with it.
Positional ssh_host_positional();
std::vector<Option> with_ssh_options(std::vector<Option> options);
app::ReleasesRequest read_releases_request(const Arguments& arguments);

}  // namespace veneer::cli
