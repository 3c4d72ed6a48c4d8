#include "deliver/rollout/waves.hh"

#include <algorithm>
#include <mutex>

#include "foundation/parallel.hh"

namespace veneer::deliver {

std::vector<bool> in_waves(std::size_t count, const Waves& waves, const std::function<Verdict(std::size_t)>& work) {
  std::vector<bool> begun(count, false);
  std::mutex mutex;
  std::size_t next = 0;
  bool stopped = false;
  const auto stop = [&] {
    const std::lock_guard lock(mutex);
    stopped = true;
  };
  const auto take_until = [&](std::size_t end) {
    for (;;) {
      std::size_t index = 0;
      {
        const std::lock_guard lock(mutex);
        if (stopped || next >= end) return;
        index = next++;
        begun[index] = true;
      }
      try {
        if (work(index) == Verdict::stop) stop();
      } catch (...) {
        stop();
        throw;
      }
    }
  };
  for (const std::size_t end : {std::min(waves.canaries, count), count}) {
    const std::size_t workers = std::min(std::max<std::size_t>(waves.parallel, 1), end - std::min(next, end));
    parallel_for(workers, workers, [&](std::size_t) { take_until(end); });
  }
  return begun;
}

}  // namespace veneer::deliver
