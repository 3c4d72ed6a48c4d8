// How a rollout is told.
#pragma once

#include <string>

#include "app/surroundings.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// `host` is put before what is shown.
void show_phase(const std::string& phase, app::Messages& messages, const std::string& host = {});

/// "well", "back", "failed".
std::string_view outcome_name(deliver::RolloutResult::Outcome outcome);

/// "release 7 is well", or what became of it and why, with the last log lines.
std::string outcome_text(const deliver::RolloutResult& result);

/// 0 when it is well, else as the documentation says.
int exit_code_of(const deliver::RolloutResult& result);

/// Adds outcome, revision, why, logs and notes.
void add_to(Value& document, const deliver::RolloutResult& result);

}  // namespace veneer::cli
