// What a Debian package is needed for, by its name. Pure, thread-safe.
#pragma once

#include <string_view>

namespace veneer::debian {

/// Where a Debian package is needed: while an image runs, as far as its name tells, or only before.
enum class Need {
  perhaps_to_run,
  in_every_base,  ///< veneer's own base has it
  for_downloads,  ///< most lists have it for downloads while an image is built; a program may call it, too
  for_builds,
};

struct PackageNeed {
  Need need = Need::perhaps_to_run;
  std::string_view why;  ///< half a sentence, "it is for compiling"; empty for what is perhaps needed to run
};

/// By the name alone, as lists of owners have it ("gcc", "libpq-dev", "gcc-12").
PackageNeed need_of(std::string_view package);

}  // namespace veneer::debian
