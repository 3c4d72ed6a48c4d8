#include "deliver/rollout/rollout.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "deliver/receiver/problem.hh"
#include "deliver/rollout/described.hh"
#include "deliver/rollout/plan.hh"
#include "deliver/rollout/recreate.hh"
#include "deliver/rollout/retention.hh"
#include "deliver/rollout/settings.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t most_notes = 100;
constexpr int most_plans = 5;                    // that are made anew when containers or settings changed
constexpr std::chrono::minutes longest_held{1};  // what was asked ahead
constexpr std::string_view nothing_changed = "this deploy changed nothing there";

std::string with_cure(std::string why) {
  if (is_about_a_full_disk(why)) why += fmt::format("; {}", cure_of_a_full_disk);
  return why;
}

// What is left of a rollout that failed.
std::string what_serves(const std::vector<ContainerState>& containers, const std::string& image,
                        const std::string& back) {
  std::string text;
  for (const ContainerState& container : containers) {
    const std::string id = without_algorithm(container.image);
    const std::string_view which = image.ends_with(id) ? "the new image"
                                   : id == back        ? "the old image"
                                                       : "another image";
    text += fmt::format("{}{} ({}) {}", text.empty() ? "; now: " : ", ", printable(container.name, 100), which,
                        container.status == "running" ? "runs" : "does not run");
  }
  return text;
}

std::string label_of(const Value& container, std::string_view key) {
  const Value* labels = member(member(container, "Config"), "Labels");
  return labels != nullptr && labels->is_table() ? labels->string_or(key, "") : "";
}

// By service: its containers have the same settings, so what changes is told once.
SettingChanges changes_of(const RolloutFacts& facts, const Value& composed) {
  SettingChanges changes;
  const auto add = [](std::vector<std::string>& list, const std::string& service, const std::string& change) {
    const std::string text = printable(fmt::format("{}: {}", service, change), 300);
    if (std::ranges::find(list, text) == list.end()) list.push_back(text);
  };
  const Value nothing{Value::Table{}};
  for (const Value& container : facts.descriptions) {
    if (!container.is_table()) continue;
    const auto image = facts.images.find(without_algorithm(container.string_or("Image", "")));
    const Value* config = image == facts.images.end() ? nullptr : member(image->second, "Config");
    const std::string service = label_of(container, "com.docker.compose.service");
    const auto gets = settings_of_service(composed, label_of(container, "com.docker.compose.project"), service);
    if (!gets) continue;
    const SettingChanges of_this =
        compare_settings(settings_of_container(container, config == nullptr ? nothing : *config, facts.logging), *gets);
    for (const std::string& change : of_this.lost) add(changes.lost, service, change);
    for (const std::string& change : of_this.other) add(changes.other, service, change);
  }
  return changes;
}

}  // namespace

bool changes_something(std::string_view phase) { return phase != "waiting"; }

namespace {

// What stands in each request of a rollout.
HostRequest rollout_request(HostSession& session, const RolloutRequest& wanted, std::string_view verb) {
  HostRequest request = session.request(HostTask::rollout, verb);
  request.add("group", group_of(wanted.live_name));
  request.add("live", wanted.live_name.full());
  request.add("listed", session.listed_name(wanted.live_name));
  if (!wanted.image_id.empty()) {
    request.add("unique", wanted.unique_name.full());
    request.add("id", without_algorithm(wanted.image_id));
  }
  if (!wanted.container.empty()) request.add("container", wanted.container);
  if (wanted.strategy == RestartStrategy::start_first) request.add("strategy", "start-first");
  if (!wanted.before.empty()) request.add_text("before", wanted.before);
  if (!wanted.after.empty()) request.add_text("after", wanted.after);
  if (!wanted.restart_with.empty()) request.add_text("restart", wanted.restart_with);
  return request;
}

struct Found {
  std::optional<std::string> problem;
  RolloutFacts facts;
  std::vector<HostLine> words;  // by which the host finds the same services again
  std::vector<std::string> notes;
};

HostRequest facts_request(HostSession& session, const RolloutRequest& wanted) {
  HostRequest request = rollout_request(session, wanted, "facts");
  for (const std::string& file : wanted.compose_files) request.add_text("compose", file);
  for (const std::string& service : wanted.services) request.add("service", service);
  if (wanted.ports == PortWait::none) request.add("ports", "no");
  return request;
}

Found read_facts(HostSession& session, const HostRequest& request) {
  constexpr std::array words = {"front", "project", "options", "scales", "sharers", "sum"};
  Found found;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "problem") found.problem = printable(trimmed(line.value), 600);
    if (line.key == "note" && found.notes.size() < most_notes) found.notes.push_back(printable(line.value, 400));
    if (std::ranges::find(words, line.key) != words.end()) found.words.push_back(line);
    take_fact(found.facts, line.key, line.value);
  });
  return found;
}

// The settings of the container as it is, for the one after it.
Recreation recreation_of(const RolloutFacts& facts, const RolloutRequest& wanted) {
  return in_context([&] { return fmt::format("the container {}", printable(wanted.container)); },
                    [&] {
                      const Value nothing{Value::Table{}};
                      const Value& described = facts.descriptions.empty() ? nothing : facts.descriptions.front();
                      check_stands_alone(described, facts.others);
                      const auto image = facts.images.find(
                          without_algorithm(described.is_table() ? described.string_or("Image", "") : ""));
                      const Value* config = image == facts.images.end() ? nullptr : member(image->second, "Config");
                      return recreate(described, config == nullptr ? nothing : *config, wanted.live_name.familiar());
                    });
}

// What changes for services beside the image, in words. Throws Error (refused) when something would be lost.
std::vector<std::string> judge_settings(const RolloutFacts& facts, const RolloutRequest& wanted,
                                        const std::string& host) {
  if (facts.services.empty()) return {};
  if (!facts.composed) {
    return {"what the services would get was not compared with what they have: docker-compose 1 needs python3 for it"};
  }
  SettingChanges changes = in_context([] { return std::string("the settings of the services"); },
                                      [&] { return changes_of(facts, *facts.composed); });
  if (!changes.lost.empty() && wanted.changes == ChangeChoice::refuse) {
    throw Error(ErrorKind::refused,
                fmt::format("{}: services would lose what they were given: {}", host, fmt::join(changes.lost, "; ")),
                fmt::format("is a variable of the shell, --env-file or another compose file missing? "
                            "--accept-changes deploys all the same; {}",
                            nothing_changed));
  }
  changes.lost.insert(changes.lost.end(), changes.other.begin(), changes.other.end());
  return changes.lost;
}

void add_plan(HostRequest& request, const Found& found, const RolloutPlan& plan) {
  for (const HostLine& line : found.words) request.add_text(line.key, line.value);
  for (const std::string& service : found.facts.services) request.add("service", service);
  if (!plan.way_back.empty()) request.add("was", plan.way_back);
  for (const auto& known : plan.forward.known) request.add("known", fmt::format("{} {}", known.id, known.restarts));
  for (const HealthPlan& service : plan.forward.services) request.add("plan", to_line(service));
  for (const HealthPlan& service : plan.back.services) request.add("plan-back", to_line(service));
}

void add_retention(HostRequest& request, const Found& found, const RolloutPlan& plan, const RolloutRequest& wanted) {
  const Retention retention = plan_retention({.releases = read_releases(found.facts.releases, false),
                                              .images = found.facts.names,
                                              .uses = found.facts.uses,
                                              .live = found.facts.live,
                                              .way_back = plan.way_back},
                                             {.live_name = wanted.live_name,
                                              .image = without_algorithm(wanted.image_id),
                                              .keep = wanted.keep,
                                              .keep_failed = wanted.keep_failed});
  const auto add = [&](std::string_view key, const std::vector<NamedImage>& images) {
    for (const NamedImage& image : images) request.add(key, fmt::format("{} {}", image.name.full(), image.id));
  };
  add("shipped", retention.shipped);
  add("remove", retention.after_well);
  add("remove-back", retention.after_back);
}

// What the host may not have told, since it was asked before the image was there.
void add_what_is_known(RolloutFacts& facts, const RolloutRequest& wanted) {
  const std::string id = without_algorithm(wanted.image_id);
  if (wanted.image_config) facts.images.try_emplace(id, Value::Table{{"Config", *wanted.image_config}});
  if (std::ranges::none_of(facts.names, [&](const NamedImage& image) { return image.name == wanted.unique_name; })) {
    facts.names.push_back({wanted.unique_name, id});
  }
}

// Nothing: the containers are not those any more for which the plan was made.
std::optional<RolloutResult> try_rollout(HostSession& session, const RolloutRequest& wanted, Found found,
                                         const std::function<void(const std::string&)>& on_phase) {
  if (found.problem) {
    throw Error(ErrorKind::refused, fmt::format("{}: {}", session.address().text(), *found.problem),
                std::string(nothing_changed));
  }
  add_what_is_known(found.facts, wanted);
  std::string body;
  std::vector<std::string> networks;
  if (!wanted.container.empty()) {
    const Recreation recreation = recreation_of(found.facts, wanted);
    body = to_json(recreation.create);
    for (const auto& [network, connect] : recreation.networks) {
      body += "\n" + to_json(connect);
      networks.push_back(network);
    }
  }
  const RolloutPlan plan = make_plan(
      found.facts, {.image = without_algorithm(wanted.image_id), .settle = wanted.settle, .ports = wanted.ports});
  HostRequest request = rollout_request(session, wanted, "deploy");
  add_plan(request, found, plan);
  add_retention(request, found, plan, wanted);
  if (!body.empty()) request.add("size", std::to_string(body.size()));
  for (const std::string& network : networks) request.add("network", network);
  if (!wanted.probe.empty()) request.add_text("probe", wanted.probe);
  request.add("wait", std::to_string(wanted.wait));
  request.add("who", as_name(wanted.who));
  request.add("commit", as_name(wanted.commit));
  request.add("bytes", std::to_string(wanted.bytes));
  request.add("seconds", fmt::format("{:.1f}", wanted.seconds));
  request.add("kind", wanted.kind == RolloutKind::deploy ? "deploy" : "rollback");
  if (!session.options().fail_point.empty()) request.add("fail", session.options().fail_point);

  RolloutResult result;
  result.notes = judge_settings(found.facts, wanted, session.address().text());
  result.notes.insert(result.notes.end(), found.notes.begin(), found.notes.end());
  result.notes.insert(result.notes.end(), plan.notes.begin(), plan.notes.end());
  std::vector<ContainerState> serving;
  std::optional<std::string> problem;
  bool is_outdated = false;
  bool has_begun = false;
  bool is_decided = false;
  const auto decide = [&](RolloutResult::Outcome outcome, const std::string& why) {
    result.outcome = outcome;
    result.why = with_cure(printable(trimmed(why), 600));
    is_decided = true;
  };
  const auto take_line = [&](const HostLine& line) {
    if (line.key == "phase") {
      has_begun = has_begun || changes_something(line.value);
      if (on_phase) on_phase(printable(line.value, 20));
    }
    if (line.key == "note" && result.notes.size() < most_notes) result.notes.push_back(printable(line.value, 400));
    if (line.key == "slow" && result.notes.size() < most_notes) {
      if (auto note = note_of_slow_stop(line.value)) result.notes.push_back(std::move(*note));
    }
    if (line.key == "again") is_outdated = true;
    if (line.key == "serves") {
      if (auto state = read_container_state(line.value)) serving.push_back(std::move(*state));
    }
    if (line.key == "logs") result.logs = printable(trimmed(line.value), 1000);
    if (line.key == "revision") result.revision = read_number<std::uint64_t>(line.value).value_or(0);
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
    if (line.key == "well") decide(RolloutResult::Outcome::well, "");
    if (line.key == "back") decide(RolloutResult::Outcome::back, line.value);
    if (line.key == "failed") decide(RolloutResult::Outcome::failed, line.value);
  };
  try {
    session.ask(request, take_line, body);
  } catch (...) {
    Error error = current_error();
    if (has_begun || error.kind() == ErrorKind::network) {
      error.set_hint("the host ends by itself what it began: veneer history tells how; to deploy again is safe");
    } else if (error.kind() == ErrorKind::refused) {
      error.set_hint(fmt::format("{}{}{}", error.hint(), error.hint().empty() ? "" : "; ", nothing_changed));
    }
    throw error;
  }
  if (problem) {
    throw Error(ErrorKind::refused, fmt::format("{}: {}", session.address().text(), with_cure(*problem)),
                std::string(nothing_changed));
  }
  if (is_outdated) return std::nullopt;
  if (!is_decided) {
    throw Error(ErrorKind::network, fmt::format("{} does not say how it ended", session.address().text()));
  }
  if (result.outcome == RolloutResult::Outcome::failed)
    result.why += what_serves(serving, wanted.image_id, plan.way_back);
  return result;
}

}  // namespace

std::vector<std::string> check_settings(HostSession& session, const RolloutRequest& wanted) {
  if (!wanted.restart_with.empty()) return {};
  session.open();
  const Found found = read_facts(session, facts_request(session, wanted));
  if (found.problem) return {*found.problem};  // a deploy is refused for it
  if (!wanted.container.empty()) static_cast<void>(recreation_of(found.facts, wanted));
  return judge_settings(found.facts, wanted, session.address().text());
}

AskedAhead ask_ahead(HostSession& session, const RolloutRequest& wanted) {
  session.open();
  AskedAhead asked{facts_request(session, wanted), std::chrono::steady_clock::now()};
  session.ask_ahead(asked.request);
  return asked;
}

RolloutResult roll_out(HostSession& session, const RolloutRequest& wanted,
                       const std::function<void(const std::string&)>& on_phase,
                       const std::optional<AskedAhead>& asked) {
  session.open();
  const bool is_fresh = asked && std::chrono::steady_clock::now() - asked->when < longest_held;
  // Another rollout, or somebody, may change what is there until it is this one's turn.
  for (int attempt = 0; attempt < most_plans; ++attempt) {
    Found found = read_facts(session, attempt == 0 && is_fresh ? asked->request : facts_request(session, wanted));
    if (auto result = try_rollout(session, wanted, std::move(found), on_phase)) return std::move(*result);
  }
  throw Error(ErrorKind::refused,
              fmt::format("{}: its containers or compose files change all the time", session.address().text()),
              std::string(nothing_changed));
}

}  // namespace veneer::deliver
