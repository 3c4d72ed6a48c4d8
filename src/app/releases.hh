// What was deployed to a host, and the way back to it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/open_receiver.hh"
#include "app/surroundings.hh"
#include "deliver/rollout/history.hh"
#include "deliver/rollout/rollout.hh"

namespace veneer::app {

struct ReleasesRequest {
  HostRequest host;
  std::optional<deliver::EngineName> live_name;  // none: that of what was built last here, as a deploy chooses it
};

/// Throws Error (usage) for a host that is not reached by ssh.
void check_has_releases(const HostRequest& host);

struct Releases {
  deliver::EngineName live_name;
  deliver::History history;
};

/// Throws Error: usage when no live name is known; network.
Releases read_releases(const ReleasesRequest& request, const Surroundings& surroundings);

struct RollbackRequest {
  ReleasesRequest there;
  std::optional<std::uint64_t> revision;  // none: the one before
  deliver::RolloutRequest rollout;        // what users choose of it
};

struct RolledBack {
  deliver::Release to;
  deliver::RolloutResult result;
};

/// Brings an earlier release into service. `on_found` is told of it before anything changes, `on_phase` as by
/// deliver::roll_out(). Throws Error: not_found when there is none or its image is gone; as roll_out() does.
RolledBack roll_back(const RollbackRequest& request, const Surroundings& surroundings,
                     const std::function<void(const deliver::Release&)>& on_found,
                     const std::function<void(const std::string&)>& on_phase);

}  // namespace veneer::app
