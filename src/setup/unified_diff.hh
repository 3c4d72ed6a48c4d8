// Two texts as a unified diff (POSIX.1-2017 diff -u; what patch and git apply read). Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::setup {

/// The whole diff with its two head lines ("--- a/NAME", "+++ b/NAME") and three lines of context; "" when the texts
/// are equal. An empty `from` is a file that is not there ("--- /dev/null"). Lines end at "\n"; a last one without is
/// marked as diff does it. The diff is a shortest one where the parts that differ have up to 2000 lines or so each;
/// beyond that they are replaced as a whole.
std::string unified_diff(std::string_view from, std::string_view to, std::string_view name);

}  // namespace veneer::setup
