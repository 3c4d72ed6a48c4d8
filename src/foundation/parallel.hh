// Doing independent things at once.
#pragma once

#include <cstddef>
#include <functional>

namespace veneer {

/// Calls `action(i)` for every i below `count`, on at most `workers` threads (the caller's is one of them). Indexes are
/// started in order. When an action throws, no further index is started, and once all threads have stopped the
/// exception of the lowest index that failed is thrown again, its context chain intact.
void parallel_for(std::size_t count, std::size_t workers, const std::function<void(std::size_t)>& action);

/// How many threads this machine runs at once; at least 1.
std::size_t default_workers();

}  // namespace veneer
