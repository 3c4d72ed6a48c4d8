// Whether services are well: the judgement over what an engine says of their containers, by a plan that was made
// before. host_health.sh does the same on the host, where it goes on when the line is cut; tests/host/verdicts.json
// runs through both. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::deliver {

/// What is looked at of a container: nothing of it can hold a separator.
struct ContainerState {
  std::string id;
  std::string name;    // of its service; of the container where there is no compose file
  std::string status;  // "created", "running", "exited", …
  std::string health;  // "healthy", "starting", …; "none" or empty: it has no health check
  std::uint64_t restarts = 0;
  std::string image;  // identifier; "sha256:" may stand before it
  std::string exit_code;
};

/// Reads "ID|NAME|STATUS|HEALTH|RESTARTS|IMAGE|EXIT CODE"; nothing when it is no such row.
std::optional<ContainerState> read_container_state(std::string_view row);

/// What is expected of a service's containers.
struct HealthPlan {
  std::string name;                  // as in ContainerState; "-": of all that have no plan of their own
  bool may_end = false;              // with exit code 0
  std::uint64_t settle = 5;          // seconds that one without a health check must run
  bool has_check = false;            // must become healthy
  bool must_listen = false;          // else a port on which nobody listens in the end is only told
  bool by_process = false;           // only sockets of its own processes count: others use its network too
  std::vector<std::uint16_t> ports;  // TCP, on which one without a health check must listen
  std::string check;                 // its health command, as words for a shell; empty: the engine alone runs it

  bool operator==(const HealthPlan&) const = default;
};

struct HealthPlans {
  struct Known {
    std::string id;
    std::uint64_t restarts = 0;
  };
  std::vector<Known> known;  // containers that were there before, and how often they had been restarted
  std::vector<HealthPlan> services;
};

/// "NAME END SETTLE CHECK LISTEN BY PORTS COMMAND", as host_health.sh reads it; the command by as_host_word().
std::string to_line(const HealthPlan& plan);

/// One look at the containers.
struct Look {
  std::string image;  // that all must run
  std::uint64_t elapsed = 0;
  std::uint64_t longest = 60;
  std::function<bool(const ContainerState&, std::uint16_t)> listens;
  std::function<bool(const ContainerState&)> passes_check;
};

struct Judgement {
  enum class State { well, waiting, failed };
  State state = State::well;
  std::string reason;                  // unless well
  std::vector<std::string> unchecked;  // what is well although nothing could be looked at
};

Judgement judge(const std::vector<ContainerState>& containers, const HealthPlans& plans, const Look& look);

/// What is said of a container that was asked to end and had to be killed, "NAME SECONDS"; nothing when that took few
/// seconds: with a short grace time, or on a busy machine, a program may well have been about to end.
std::optional<std::string> note_of_slow_stop(const std::string& words);

}  // namespace veneer::deliver
