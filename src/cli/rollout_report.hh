// What the commands that restart services have in common: their options, and how a rollout is told. Called by deploy,
// rollback and history.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hh"
#include "cli/context.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// --compose, --service, --restart-with, --probe, --wait, --settle, --keep.
std::vector<Option> rollout_option_list();

/// A request with what these options, --before and the environment say. Throws Error (usage).
deliver::RolloutRequest rollout_options(const Arguments& arguments, const Context& context);

void show_phase(const std::string& phase, Terminal& terminal);

/// "release 7 is well", or what became of it and why, with the last log lines.
std::string outcome_text(const deliver::RolloutResult& result);

/// Adds outcome, revision, why, logs and notes.
void add_to(Value& document, const deliver::RolloutResult& result);

}  // namespace veneer::cli
