// Brings an image that a host has into service: the live name moves, the services that use it restart, their health
// decides whether it stays; and what was brought there before, and the way back to it. Carried out on the host by
// host_rollout.sh, so that a sender that is killed leaves it to end what it began. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/ssh/host_session.hh"
#include "deliver/rollout/plan.hh"
#include "foundation/value.hh"

namespace veneer::deliver {

enum class RolloutKind { deploy, rollback };

/// Whether the old containers stop before the new ones start, or when the new ones are well.
enum class RestartStrategy { stop_first, start_first };

/// Whether services may lose what they were given: see compare_settings().
enum class ChangeChoice { refuse, accept };

struct RolloutRequest {
  EngineName live_name;               // that the services use
  EngineName unique_name;             // of the image, which is on the host
  std::string image_id;               // "sha256:" and an identifier, on that host
  std::optional<Value> image_config;  // what it gives to containers, as engines say it; none: the host is asked
  RolloutKind kind = RolloutKind::deploy;
  std::vector<std::string> compose_files;  // full paths on the host; none: those that the services were started with
  std::vector<std::string> services;       // none: all that use the live name
  std::string container;                   // one container by its name, instead of compose
  RestartStrategy strategy = RestartStrategy::stop_first;
  ChangeChoice changes = ChangeChoice::refuse;
  std::string before;        // a command for a container of the new image, before services restart
  std::string after;         // the same when the services are well; when it fails they go back
  std::string restart_with;  // a command on the host instead of compose
  std::string probe;         // a URL that must answer, asked on the host
  std::uint64_t wait = 60;   // seconds for the services to be well
  std::optional<std::uint64_t>
      settle;                         // seconds that a service without a health check must run; none: as it was before
  PortWait ports = PortWait::listed;  // whether one is waited for on the ports on which it listened before
  std::uint64_t keep = 5;             // good releases whose images stay: see plan_retention()
  std::uint64_t keep_failed = 1;      // of the others
  std::string who;                    // "user@machine"
  std::string commit;
  std::uint64_t bytes = 0;  // sent for it
  double seconds = 0;       // that building and sending took
};

struct RolloutResult {
  enum class Outcome {
    well,    // the services run the image
    back,    // they run the one before again, or still
    failed,  // neither is well
  };
  Outcome outcome = Outcome::failed;
  std::string why;             // unless well; printable
  std::string logs;            // the last words of what failed; printable
  std::uint64_t revision = 0;  // in the history; 0: it is not in it
  std::vector<std::string> notes;
};

/// Whether the live name has moved when roll_out() tells of this phase: at all but "waiting".
bool changes_something(std::string_view phase);

/// What the services would get is not what they were given: what changes beside the image, in words, or why that
/// cannot be told. Asks the host and changes nothing there. Throws Error (refused) when something would be lost and
/// that is not accepted.
std::vector<std::string> check_settings(HostSession& session, const RolloutRequest& request);

/// What was asked of a host ahead of a rollout, and when.
struct AskedAhead {
  HostRequest request;
  std::chrono::steady_clock::time_point when;
};

/// Asks for what a rollout will want to know and does not wait, so that the host finds it out while the image travels.
/// Of `request`, the image need not be known. Throws Error (network).
AskedAhead ask_ahead(HostSession& session, const RolloutRequest& request);

/// `on_phase` is told "waiting", "before", "restart", "health", "after", "stop", "back", "engine" (it does not answer).
/// Throws Error: refused, with the host's reason, when nothing was changed; network when the connection is lost, and
/// then read_history() tells how it ended. What `on_phase` throws ends the listening, not the rollout.
/// What was `asked` ahead counts when that is not long ago.
RolloutResult roll_out(HostSession& session, const RolloutRequest& request,
                       const std::function<void(const std::string&)>& on_phase,
                       const std::optional<AskedAhead>& asked = {});

}  // namespace veneer::deliver
