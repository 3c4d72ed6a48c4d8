// In what order many hosts are done: some first, then a few at a time, and no more after one that went wrong.
// Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace veneer::deliver {

struct Waves {
  std::size_t canaries = 0;  // done, and well, before any other begins
  std::size_t parallel = 1;  // at a time
};

enum class Verdict { go_on, stop };

/// Calls `work` with 0 to count-1, begun in this order, each at most once and at most `parallel` at a time, from
/// several threads. After a `stop` no other is begun; those that were begun are waited for. Returns which were begun.
/// What `work` throws counts as a `stop` and is thrown again at the end.
std::vector<bool> in_waves(std::size_t count, const Waves& waves, const std::function<Verdict(std::size_t)>& work);

}  // namespace veneer::deliver
