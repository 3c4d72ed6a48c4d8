#include "deliver/rollout/waves.hh"

#include <algorithm>
#include <mutex>
#include <thread>

namespace veneer::deliver {

std::vector<bool> in_waves(std::size_t count, const Waves& waves, const std::function<Verdict(std::size_t)>& work) {
  std::vector<bool> begun(count, false);
  std::mutex mutex;
  std::size_t next = 0;
  bool stopped = false;
  const auto take_until = [&](std::size_t end) {
    for (;;) {
      std::size_t index = 0;
      {
        const std::lock_guard lock(mutex);
        if (stopped || next >= end) return;
        index = next++;
        begun[index] = true;
      }
      if (work(index) == Verdict::stop) {
        const std::lock_guard lock(mutex);
        stopped = true;
      }
    }
  };
  for (const std::size_t end : {std::min(waves.canaries, count), count}) {
    const std::size_t workers = std::min(std::max<std::size_t>(waves.parallel, 1), end - std::min(next, end));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([&] { take_until(end); });
  }
  return begun;
}

}  // namespace veneer::deliver
