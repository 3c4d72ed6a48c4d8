// snapshot = "auto": which snapshot of Debian's archive there is now. Asks the mirror; one thread.
#pragma once

#include <string>

#include "app/surroundings.hh"

namespace veneer::app {

/// "20260101T000000Z", which has `suite` (empty: any) below `mirror`/archive/debian/: of a server the present moment,
/// for which a snapshot service gives the newest that it has; of a folder of this machine (file:///) the newest that
/// lies there. Nothing, which is said, where the mirror has no snapshots. Throws Error (network) when it cannot be
/// asked.
std::string newest_snapshot(const std::string& mirror, const std::string& suite, Surroundings& surroundings);

}  // namespace veneer::app
