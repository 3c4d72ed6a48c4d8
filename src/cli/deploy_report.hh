// How a deploy to one host or many is told.
#pragma once

#include <string>
#include <vector>

#include "app/deployment.hh"
#include "app/surroundings.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// 0 when the host is well or was not begun, else as the documentation says.
int exit_code_of(const app::Deployed& deployed);

/// What came of it, for people: lines for one host, a table for many.
std::string deploys_to_text(const std::vector<app::Deployed>& results, double build_seconds);
/// {"build_seconds", "hosts": [...], "not_begun"}
Value deploys_to_value(const std::vector<app::Deployed>& results, double build_seconds);

/// The plans of those hosts that could be asked.
std::string plans_text(const std::vector<app::Deployed>& results);
/// The plan of the only host, or {"hosts": [...]}; null when no host could be asked.
Value plans_value(const std::vector<app::Deployed>& results);

/// Shows on the terminal what is being done there; `host` is put before it.
void show(const app::DeployEvent& event, app::Messages& messages, const std::string& host);
/// {"event", "host", ...} for a line of --events; null for what only a terminal shows.
Value event_to_value(const app::DeployEvent& event);

}  // namespace veneer::cli
