// What a host is to look at after a restart, and which image is the way back: decided before anything changes, from
// what the host says of its containers, their images and the compose file. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/rollout/health.hh"
#include "deliver/rollout/retention.hh"
#include "foundation/value.hh"

namespace veneer::deliver {

struct RolloutFacts {
  struct Setting {
    std::string service;
    std::string key;  // of the compose file; "awaited": another service starts when this one is complete
    std::string value;
  };
  struct Socket {
    std::string container;
    std::uint16_t port = 0;
    bool is_its_own = false;  // a process of the container has it; not known without root
  };

  std::vector<std::string> services;  // that restart; none without a compose file
  std::vector<Setting> settings;
  std::vector<ContainerState> containers;
  std::vector<Value> descriptions;         // of these containers, from GET /containers/ID/json
  std::map<std::string, Value> images;     // by identifier, from GET /images/ID/json
  std::vector<Socket> listening;           // TCP ports in the containers' networks
  std::vector<std::string> unseen;         // containers whose ports the account cannot see
  std::vector<std::string> network_modes;  // of all containers that run
  std::vector<Value> others;               // of one container's rollout: with whom each container shares what
  std::optional<Value> composed;           // what compose makes of its files; none: that cannot be told
  std::string logging;                     // the engine's own driver
  std::string live;                        // what the live name stands for
  std::vector<std::string> releases;       // lines of the history, as read_releases() takes them
  std::vector<NamedImage> names;           // of the images in the live name's repository
  std::vector<ImageUse> uses;              // of images, by any container
  std::uint16_t first_ephemeral = 32768;   // ports that are given to whoever asks for any
  std::uint16_t last_ephemeral = 60999;
};

/// Takes a line of the answer to `facts`. Lines of other keys are let alone. Throws Error (refused) for a document that
/// cannot be read.
void take_fact(RolloutFacts& facts, std::string_view key, const std::string& value);

enum class PortWait { listed, none };

struct PlanWishes {
  std::string image;                    // that is brought into service; an identifier
  std::optional<std::uint64_t> settle;  // seconds; else by what the service was before
  PortWait ports = PortWait::listed;
};

struct RolloutPlan {
  std::string way_back;  // identifier of an image; empty: there is none
  HealthPlans forward;
  HealthPlans back;
  std::vector<std::string> notes;
};

RolloutPlan make_plan(const RolloutFacts& facts, const PlanWishes& wishes);

/// A health check's words as an engine keeps them (CMD or CMD-SHELL), as words for a shell, each quoted; `shell`: the
/// image's own. Empty where there is none, or none that can be run by another.
std::string health_command(const std::vector<std::string>& test, const std::vector<std::string>& shell);

}  // namespace veneer::deliver
