// A history as records: a file of JSON lines. Pure, thread-safe.
#pragma once

#include <string_view>

#include "replay/history.hh"

namespace veneer::replay {

/// Reads a history as docs/formats.md ("Records of deploys") describes it: the project, its wheels, its sets of wheels,
/// a line that is not read here, then one deploy a line. Anyone may have written it: Error (refused) with the line's
/// number for anything that does not fit, and for more than 100 000 wheels, 20 000 sets, a million members of sets or
/// 100 000 deploys.
History read_records(std::string_view lines);

}  // namespace veneer::replay
