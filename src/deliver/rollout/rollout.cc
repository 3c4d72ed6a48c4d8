#include "deliver/rollout/rollout.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "deliver/rollout/recreate.hh"
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

// The settings of the container as it is now, for the one after it.
Recreation ask_for_container(HostSession& session, const RolloutRequest& wanted) {
  HostRequest request = session.request(HostTask::rollout, "container");
  request.add("container", wanted.container);
  std::string container = "{}";
  std::string config = "{}";
  std::optional<std::string> problem;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "container") container = line.value;
    if (line.key == "config") config = line.value;
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
  });
  if (problem) throw Error(ErrorKind::refused, fmt::format("{}: {}", session.address().text(), *problem));
  return in_context([&] { return fmt::format("the container {}", printable(wanted.container)); },
                    [&] { return recreate(parse_json(container), parse_json(config), wanted.live_name.familiar()); });
}

}  // namespace

bool changes_something(std::string_view phase) { return phase != "waiting"; }

RolloutResult roll_out(HostSession& session, const RolloutRequest& wanted,
                       const std::function<void(const std::string&)>& on_phase) {
  session.open();
  HostRequest request = session.request(HostTask::rollout, "deploy");
  request.add("group", group_of(wanted.live_name));
  request.add("unique", wanted.unique_name.full());
  request.add("live", wanted.live_name.full());
  request.add("listed", session.listed_name(wanted.live_name));
  request.add("id", wanted.image_id.substr(wanted.image_id.find(':') + 1));
  for (const std::string& file : wanted.compose_files) request.add_text("compose", file);
  for (const std::string& service : wanted.services) request.add("service", service);
  std::string body;
  if (!wanted.container.empty()) {
    const Recreation recreation = ask_for_container(session, wanted);
    body = to_json(recreation.create);
    request.add("container", wanted.container);
    request.add("size", std::to_string(body.size()));
    for (const std::string& network : recreation.networks) request.add("network", network);
  }
  if (wanted.strategy == RestartStrategy::start_first) request.add("strategy", "start-first");
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

  RolloutResult result;
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
