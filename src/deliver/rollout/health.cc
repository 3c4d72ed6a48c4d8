#include "deliver/rollout/health.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deliver/receiver/ssh/host_script.hh"
#include "deliver/rollout/described.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t fields = 7;

const HealthPlan& plan_of(const HealthPlans& plans, const std::string& name) {
  static const HealthPlan none;
  for (const std::string_view wanted : {std::string_view(name), std::string_view("-")}) {
    for (const HealthPlan& plan : plans.services) {
      if (plan.name == wanted) return plan;
    }
  }
  return none;
}

// One look at all containers, in the order in which the engine lists them.
class Judge {
 public:
  Judge(const HealthPlans& plans, const Look& look) : plans_(plans), look_(look) {}

  // False when it failed: no other needs to be looked at.
  bool take(const ContainerState& container) {
    const HealthPlan& plan = plan_of(plans_, container.name);
    const std::string& name = container.name;
    const bool has_ended = container.status == "exited" && container.exit_code == "0" && plan.may_end;
    if (container.status == "created" || container.status == "removing") return wait(name + " is not started");
    if (container.status == "paused") return fail(name + " is paused");
    if (container.status != "running" && !has_ended) {
      return fail(fmt::format("{} ended with exit code {}", name, container.exit_code));
    }
    const std::string image = without_algorithm(container.image);
    if (image != without_algorithm(look_.image)) return fail(fmt::format("{} runs another image ({})", name, image));
    if (container.restarts != 0 && !was_restarted_before(container)) return fail(name + " ended and was started again");
    if (has_ended || container.health == "healthy") return true;
    if (container.health == "unhealthy") return fail(name + " is unhealthy");
    const bool has_health = !container.health.empty() && container.health != "none";
    return plan.has_check || has_health ? take_check(container) : take_ports(container, plan);
  }

  Judgement result;

 private:
  bool wait(std::string reason) {
    result.state = Judgement::State::waiting;
    result.reason = std::move(reason);
    return true;
  }
  bool fail(std::string reason) {
    result.state = Judgement::State::failed;
    result.reason = std::move(reason);
    return false;
  }
  bool was_restarted_before(const ContainerState& container) const {
    return std::ranges::any_of(plans_.known, [&](const HealthPlans::Known& known) {
      return known.id == container.id && known.restarts == container.restarts;
    });
  }
  // One that fails is enough for this look: programs are starting, and checks take their share of the machine.
  bool take_check(const ContainerState& container) {
    if (!has_failed_check_ && look_.passes_check && look_.passes_check(container)) return true;
    has_failed_check_ = true;
    return wait(container.name + " is not healthy yet");
  }
  bool take_ports(const ContainerState& container, const HealthPlan& plan) {
    if (look_.elapsed < plan.settle) {
      if (result.state == Judgement::State::well)
        wait(fmt::format("{} has run for {} s", container.name, look_.elapsed));
      return true;
    }
    for (const std::uint16_t port : plan.ports) {
      if (look_.listens && look_.listens(container, port)) continue;
      if (plan.must_listen || look_.elapsed < look_.longest) {
        return wait(fmt::format("{} does not listen on port {}", container.name, port));
      }
      result.unchecked.push_back(
          fmt::format("nothing was checked of {}: it does not listen on port {}", container.name, port));
      return true;
    }
    return true;
  }

  const HealthPlans& plans_;
  const Look& look_;
  bool has_failed_check_ = false;
};

}  // namespace

std::optional<ContainerState> read_container_state(std::string_view row) {
  const std::vector<std::string> words = split_fields(row, '|');
  if (words.size() != fields) return std::nullopt;
  const auto restarts = read_number<std::uint64_t>(words[4]);
  if (words[0].empty() || !restarts) return std::nullopt;
  return ContainerState{words[0], words[1], words[2], words[3], *restarts, words[5], words[6]};
}

std::string to_line(const HealthPlan& plan) {
  const auto answer = [](bool value) { return value ? "yes" : "no"; };
  std::vector<std::string> ports;
  for (const std::uint16_t port : plan.ports) ports.push_back(fmt::format("{:04X}", port));
  return fmt::format("{} {} {} {} {} {} {} {}", plan.name, answer(plan.may_end), plan.settle, answer(plan.has_check),
                     answer(plan.must_listen), plan.by_process ? "process" : "network",
                     ports.empty() ? "-" : fmt::format("{}", fmt::join(ports, ",")),
                     plan.check.empty() ? "-" : as_host_word(plan.check));
}

Judgement judge(const std::vector<ContainerState>& containers, const HealthPlans& plans, const Look& look) {
  Judge judge(plans, look);
  if (containers.empty()) {
    judge.result.state = Judgement::State::waiting;
    judge.result.reason = "no container was started";
  }
  for (const ContainerState& container : containers) {
    if (!judge.take(container)) break;
  }
  return judge.result;
}

std::optional<std::string> note_of_slow_stop(const std::string& words) {
  constexpr std::uint64_t worth_a_note = 5;  // seconds in which nobody serves; half of what engines give
  const std::size_t space = std::min(words.rfind(' '), words.size());
  const auto seconds = read_number<std::uint64_t>(trimmed(std::string_view(words).substr(space)));
  if (!seconds || *seconds < worth_a_note) return std::nullopt;
  return fmt::format(
      "{} took its whole grace time to stop ({} s): its first process does not end when it is asked to; "
      "start the program by exec in the entrypoint, or set init: true",
      printable(words.substr(0, space), 100), *seconds);
}

}  // namespace veneer::deliver
