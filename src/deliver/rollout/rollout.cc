#include "deliver/rollout/rollout.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "deliver/rollout/recreate.hh"
#include "deliver/rollout/settings.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t most_releases = 1000;
constexpr std::string_view nothing_changed = "this deploy changed nothing there";

template <typename Number>
Number number_or_zero(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "yes NUMBER TIME OUTCOME NAME ID WHO COMMIT BYTES SECONDS KIND", as host_rollout.sh wrote it.
std::optional<Release> read_release(const std::string& line) {
  const std::vector<std::string> words = split_words(line, " ");
  if (words.size() != 11) return std::nullopt;
  const std::optional<EngineName> name = read_engine_name(words[4]);
  if (!name || !Hash::from_hex(words[5])) return std::nullopt;
  Release release;
  release.is_present = words[0] == "yes";
  release.revision = number_or_zero<std::uint64_t>(words[1]);
  release.time = printable(words[2], 30);
  release.outcome = printable(words[3], 20);
  release.image = *name;
  release.id = words[5];
  release.who = printable(words[6], 100);
  release.commit = printable(words[7], 60);
  release.bytes = number_or_zero<std::uint64_t>(words[8]);
  release.seconds = number_or_zero<double>(words[9]);
  release.kind = printable(words[10], 20);
  return release;
}

// What may stand in a line of the history, and in a request.
std::string as_word(const std::string& text) {
  std::string word;
  for (const char c : text) {
    const bool is_plain = is_letter(c) || is_digit(c) || std::string_view("._:/@+-").find(c) != std::string_view::npos;
    word += is_plain ? c : '_';
  }
  return word.empty() ? "-" : word;
}

}  // namespace

namespace {

void add_services(HostRequest& request, HostSession& session, const RolloutRequest& wanted) {
  request.add("live", wanted.live_name.full());
  request.add("listed", session.listed_name(wanted.live_name));
  for (const std::string& file : wanted.compose_files) request.add_text("compose", file);
  for (const std::string& service : wanted.services) request.add("service", service);
  if (wanted.strategy == RestartStrategy::start_first) request.add("strategy", "start-first");
}

// The settings of the container as it is now, for the one after it.
Recreation ask_for_container(HostSession& session, const RolloutRequest& wanted) {
  HostRequest request = session.request(HostTask::rollout, "container");
  request.add("container", wanted.container);
  std::string container = "{}";
  std::string config = "{}";
  std::vector<std::string> others;
  std::optional<std::string> problem;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "container") container = line.value;
    if (line.key == "config") config = line.value;
    if (line.key == "other") others.push_back(line.value);
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
  });
  if (problem) throw Error(ErrorKind::refused, fmt::format("{}: {}", session.address().text(), *problem));
  return in_context([&] { return fmt::format("the container {}", printable(wanted.container)); },
                    [&] {
                      const Value described = parse_json(container);
                      std::vector<Value> neighbours;
                      for (const std::string& other : others) neighbours.push_back(parse_json(other));
                      check_stands_alone(described, neighbours);
                      return recreate(described, parse_json(config), wanted.live_name.familiar());
                    });
}

// A container of the project, and what its image gave it.
struct Running {
  std::string container;
  std::string config = "{}";
};

std::string label_of(const Value& container, std::string_view key) {
  const Value* config = container.is_table() ? container.find("Config") : nullptr;
  const Value* labels = config != nullptr && config->is_table() ? config->find("Labels") : nullptr;
  return labels != nullptr && labels->is_table() ? labels->string_or(key, "") : "";
}

// By service: its containers have the same settings, so what changes is told once.
SettingChanges changes_of(const std::vector<Running>& all, const Value& composed) {
  SettingChanges changes;
  const auto add = [](std::vector<std::string>& list, const std::string& service, const std::string& change) {
    const std::string text = printable(fmt::format("{}: {}", service, change), 300);
    if (std::ranges::find(list, text) == list.end()) list.push_back(text);
  };
  for (const Running& running : all) {
    const Value container = parse_json(running.container);
    const Value config = running.config.empty() ? Value(Value::Table{}) : parse_json(running.config);
    const std::string service = label_of(container, "com.docker.compose.service");
    const auto gets = settings_of_service(composed, label_of(container, "com.docker.compose.project"), service);
    if (!gets) continue;
    const SettingChanges of_this = compare_settings(settings_of_container(container, config), *gets);
    for (const std::string& change : of_this.lost) add(changes.lost, service, change);
    for (const std::string& change : of_this.other) add(changes.other, service, change);
  }
  return changes;
}

}  // namespace

bool changes_something(std::string_view phase) { return phase != "waiting"; }

std::vector<std::string> check_settings(HostSession& session, const RolloutRequest& wanted) {
  if (!wanted.restart_with.empty()) return {};
  session.open();
  if (!wanted.container.empty()) {
    ask_for_container(session, wanted);
    return {};
  }
  HostRequest request = session.request(HostTask::rollout, "settings");
  add_services(request, session, wanted);
  std::string composed;
  std::vector<Running> all;
  std::optional<std::string> problem;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "composed") composed = line.value;
    if (line.key == "container") all.push_back({line.value});
    if (line.key == "config" && !all.empty()) all.back().config = line.value;
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
  });
  const std::string host = session.address().text();
  if (problem) return {*problem};  // a deploy is refused for it
  if (trimmed(composed).empty()) {
    return {"what the services would get was not compared with what they have: docker-compose 1 needs python3 for it"};
  }
  SettingChanges changes = in_context([] { return std::string("the settings of the services"); },
                                      [&] { return changes_of(all, parse_json(composed)); });
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

RolloutResult roll_out(HostSession& session, const RolloutRequest& wanted,
                       const std::function<void(const std::string&)>& on_phase) {
  session.open();
  RolloutResult result;
  if (wanted.container.empty()) result.notes = check_settings(session, wanted);
  HostRequest request = session.request(HostTask::rollout, "deploy");
  request.add("group", group_of(wanted.live_name));
  request.add("unique", wanted.unique_name.full());
  add_services(request, session, wanted);
  request.add("id", wanted.image_id.substr(wanted.image_id.find(':') + 1));
  std::string body;
  if (!wanted.container.empty()) {
    const Recreation recreation = ask_for_container(session, wanted);
    body = to_json(recreation.create);
    for (const auto& [network, connect] : recreation.networks) body += "\n" + to_json(connect);
    request.add("container", wanted.container);
    request.add("size", std::to_string(body.size()));
    for (const auto& [network, connect] : recreation.networks) request.add("network", network);
  }
  if (!wanted.before.empty()) request.add_text("before", wanted.before);
  if (!wanted.after.empty()) request.add_text("after", wanted.after);
  if (!wanted.restart_with.empty()) request.add_text("restart", wanted.restart_with);
  if (!wanted.probe.empty()) request.add_text("probe", wanted.probe);
  request.add("wait", std::to_string(wanted.wait));
  request.add("settle", std::to_string(wanted.settle));
  request.add("keep", std::to_string(std::max<std::uint64_t>(wanted.keep, 1)));
  request.add("who", as_word(wanted.who));
  request.add("commit", as_word(wanted.commit));
  request.add("bytes", std::to_string(wanted.bytes));
  request.add("seconds", fmt::format("{:.1f}", wanted.seconds));
  request.add("kind", wanted.kind == RolloutKind::deploy ? "deploy" : "rollback");
  if (!session.options().fail_point.empty()) request.add("fail", session.options().fail_point);

  std::optional<std::string> problem;
  bool has_begun = false;
  bool is_decided = false;
  const auto decide = [&](RolloutResult::Outcome outcome, const std::string& why) {
    result.outcome = outcome;
    result.why = printable(trimmed(why), 600);
    is_decided = true;
  };
  const auto take_line = [&](const HostLine& line) {
    if (line.key == "phase") {
      has_begun = has_begun || changes_something(line.value);
      if (on_phase) on_phase(printable(line.value, 20));
    }
    if (line.key == "note" && result.notes.size() < 100) result.notes.push_back(printable(line.value, 400));
    if (line.key == "logs") result.logs = printable(trimmed(line.value), 1000);
    if (line.key == "revision") result.revision = number_or_zero<std::uint64_t>(line.value);
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
    throw Error(ErrorKind::refused, fmt::format("{}: {}", session.address().text(), *problem),
                std::string(nothing_changed));
  }
  if (!is_decided) {
    throw Error(ErrorKind::network, fmt::format("{} does not say how it ended", session.address().text()));
  }
  return result;
}

History read_history(HostSession& session, const EngineName& live_name) {
  session.open();
  HostRequest request = session.request(HostTask::rollout, "history");
  request.add("group", group_of(live_name));
  request.add("live", live_name.full());
  request.add("listed", session.listed_name(live_name));
  History history;
  std::optional<std::string> problem;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
    if (line.key == "live" && Hash::from_hex(line.value)) history.live_id = line.value;
    if (line.key != "release" || history.releases.size() >= most_releases) return;
    if (auto release = read_release(line.value)) history.releases.push_back(std::move(*release));
  });
  if (problem) throw Error(ErrorKind::network, fmt::format("{}: {}", session.address().text(), *problem));
  return history;
}

const Release& find_release(const History& history, std::optional<std::uint64_t> revision) {
  for (auto release = history.releases.rbegin(); release != history.releases.rend(); ++release) {
    if (revision ? release->revision != *revision : release->outcome != "well" || release->id == history.live_id)
      continue;
    if (release->outcome != "well") {
      throw Error(ErrorKind::refused,
                  fmt::format("release {} was never well ({})", release->revision, release->outcome));
    }
    return *release;
  }
  if (revision) throw Error(ErrorKind::not_found, fmt::format("there is no release {} in the history", *revision));
  throw Error(ErrorKind::not_found, "there is no other release to go back to", "veneer history lists what there is");
}

}  // namespace veneer::deliver
