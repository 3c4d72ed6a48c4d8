// What was brought into service on a host under a name, by anybody, and which of it is the way back. The host keeps it
// as a file that lines are added to (docs/formats.md, "Talking to a host"); all that is in doubt there is decided here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::deliver {

/// `shipped`: it was on the host before a rollout of another image, and in no release. `unfinished`: it was begun, and
/// what carried it out died. `at_work`: it is being carried out.
enum class ReleaseOutcome { well, back, failed, shipped, unfinished, at_work };

/// "well", "back", "failed", "shipped", "unfinished", "at work".
std::string_view outcome_name(ReleaseOutcome outcome);

struct Release {
  std::uint64_t revision = 0;
  std::string time;  // RFC 3339, UTC
  ReleaseOutcome outcome = ReleaseOutcome::unfinished;
  EngineName image;  // its own name on the host
  std::string id;    // hexadecimal
  std::string who;
  std::string commit;
  std::uint64_t bytes = 0;
  double seconds = 0;
  std::string kind;         // "deploy", "rollback", "found", "ship"
  bool is_present = false;  // the host still has the image
};

struct History {
  std::string live_id;            // what the live name stands for; empty: nothing
  std::vector<Release> releases;  // oldest first, each revision once
};

/// From the lines of the host, "yes|no NUMBER TIME OUTCOME NAME ID WHO COMMIT BYTES SECONDS KIND": what is begun and
/// how it ended have the same number. A line that cannot be read, because a crash cut it, say, is left out. `at_work`:
/// something is being carried out there now.
std::vector<Release> read_releases(const std::vector<std::string>& lines, bool at_work);

/// Throws Error (network).
History read_history(HostSession& session, const EngineName& live_name);

/// The release to go back to: `revision` when given, else the newest that was well before the one whose image serves.
/// A rollback is no release of its own, so to go back twice leads two releases back and never forward. When what serves
/// is no release, the newest that was well. Throws Error: not_found; refused when it was not well.
const Release& find_release(const History& history, std::optional<std::uint64_t> revision);

}  // namespace veneer::deliver
