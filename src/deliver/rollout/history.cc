#include "deliver/rollout/history.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t most_lines = 4000;
constexpr std::array outcome_names = {std::string_view("well"),       std::string_view("back"),
                                      std::string_view("failed"),     std::string_view("shipped"),
                                      std::string_view("unfinished"), std::string_view("at work")};
constexpr std::string_view begun = "begun";

// Those that a host writes.
std::optional<ReleaseOutcome> read_outcome(const std::string& word) {
  if (word == begun) return ReleaseOutcome::unfinished;
  for (const ReleaseOutcome outcome :
       {ReleaseOutcome::well, ReleaseOutcome::back, ReleaseOutcome::failed, ReleaseOutcome::shipped}) {
    if (word == outcome_name(outcome)) return outcome;
  }
  return std::nullopt;
}

std::optional<Release> read_release(const std::string& line) {
  const std::vector<std::string> words = split_words(line, " ");
  if (words.size() != 11) return std::nullopt;
  const auto revision = read_number<std::uint64_t>(words[1]);
  const auto outcome = read_outcome(words[3]);
  const std::optional<EngineName> name = read_engine_name(words[4]);
  const auto bytes = read_number<std::uint64_t>(words[8]);
  const auto seconds = read_number<double>(words[9]);
  // "08" is none that was ever written.
  if (!revision || *revision == 0 || words[1].front() == '0' || !outcome || !name || !Hash::from_hex(words[5]) ||
      !bytes || !seconds) {
    return std::nullopt;
  }
  Release release;
  release.is_present = words[0] == "yes";
  release.revision = *revision;
  release.time = printable(words[2], 30);
  release.outcome = *outcome;
  release.image = *name;
  release.id = words[5];
  release.who = printable(words[6], 100);
  release.commit = printable(words[7], 60);
  release.bytes = *bytes;
  release.seconds = *seconds;
  release.kind = printable(words[10], 20);
  return release;
}

bool is_way_back(const Release& release) {
  return release.outcome == ReleaseOutcome::well && release.kind != "rollback";
}

}  // namespace

std::string_view outcome_name(ReleaseOutcome outcome) { return outcome_names.at(static_cast<std::size_t>(outcome)); }

std::vector<Release> read_releases(const std::vector<std::string>& lines, bool at_work) {
  std::map<std::uint64_t, Release> by_revision;
  for (const std::string& line : lines) {
    std::optional<Release> release = read_release(line);
    if (!release) continue;
    const auto found = by_revision.find(release->revision);
    // A beginning says less than an end, whichever comes first.
    if (found != by_revision.end() && release->outcome == ReleaseOutcome::unfinished) continue;
    by_revision.insert_or_assign(release->revision, std::move(*release));
  }
  std::vector<Release> releases;
  for (auto& [revision, release] : by_revision) releases.push_back(std::move(release));
  if (at_work && !releases.empty() && releases.back().outcome == ReleaseOutcome::unfinished) {
    releases.back().outcome = ReleaseOutcome::at_work;
  }
  return releases;
}

History read_history(HostSession& session, const EngineName& live_name) {
  session.open();
  HostRequest request = session.request(HostTask::rollout, "history");
  request.add("group", group_of(live_name));
  request.add("live", live_name.full());
  request.add("listed", session.listed_name(live_name));
  History history;
  std::vector<std::string> lines;
  bool at_work = false;
  std::optional<std::string> problem;
  session.ask(request, [&](const HostLine& line) {
    if (line.key == "problem") problem = printable(trimmed(line.value), 600);
    if (line.key == "live" && Hash::from_hex(line.value)) history.live_id = line.value;
    if (line.key == "working") at_work = true;
    if (line.key == "release" && lines.size() < most_lines) lines.push_back(line.value);
  });
  if (problem) throw Error(ErrorKind::network, fmt::format("{}: {}", session.address().text(), *problem));
  history.releases = read_releases(lines, at_work);
  return history;
}

const Release& find_release(const History& history, std::optional<std::uint64_t> revision) {
  const std::vector<Release>& releases = history.releases;
  if (revision) {
    const auto found = std::ranges::find(releases, *revision, &Release::revision);
    if (found == releases.end()) {
      throw Error(ErrorKind::not_found, fmt::format("there is no release {} in the history", *revision));
    }
    if (found->outcome != ReleaseOutcome::well) {
      throw Error(ErrorKind::refused,
                  fmt::format("release {} was never well ({})", found->revision, outcome_name(found->outcome)));
    }
    return *found;
  }
  // An image may have been deployed twice: the newer one is what is gone back from.
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  for (const Release& release : releases) {
    if (is_way_back(release) && release.id == history.live_id) limit = release.revision;
  }
  for (auto release = releases.rbegin(); release != releases.rend(); ++release) {
    if (is_way_back(*release) && release->revision < limit && release->id != history.live_id) return *release;
  }
  throw Error(ErrorKind::not_found, "there is no release before the one that serves",
              "veneer history lists what there is; --to N goes to any of them");
}

}  // namespace veneer::deliver
