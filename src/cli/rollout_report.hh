// What the commands that restart services have in common: their options, and how a rollout is told. Called by deploy,
// rollback and history.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_receiver.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// --compose, --service, --restart-with, --strategy, --probe, --wait, --settle, --keep.
std::vector<Option> rollout_option_list();

/// A request with what these options, --before and the environment say. Throws Error (usage).
deliver::RolloutRequest rollout_options(const Arguments& arguments, const Context& context);

/// The live name on the host: --as, else that of what was built last here, as deploy chooses it. Throws Error (usage).
deliver::EngineName live_name_there(const Arguments& arguments, Context& context);

/// The positional HOST of a command for one host reached by ssh, that host, and the options that go with it.
Positional ssh_host_positional();
OpenedReceiver open_ssh_host(const Arguments& arguments, Context& context);
std::vector<Option> with_ssh_options(std::vector<Option> options);

/// `host` is put before what is shown.
void show_phase(const std::string& phase, Terminal& terminal, const std::string& host = {});

/// "well", "back", "failed".
std::string_view outcome_name(deliver::RolloutResult::Outcome outcome);

/// "release 7 is well", or what became of it and why, with the last log lines.
std::string outcome_text(const deliver::RolloutResult& result);

/// Adds outcome, revision, why, logs and notes.
void add_to(Value& document, const deliver::RolloutResult& result);

}  // namespace veneer::cli
