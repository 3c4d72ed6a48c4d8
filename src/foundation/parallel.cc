#include "foundation/parallel.hh"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace veneer {

void parallel_for(std::size_t count, std::size_t workers, const std::function<void(std::size_t)>& action) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::size_t failed_index = count;
  std::exception_ptr failure;

  const auto work = [&] {
    while (!stop) {
      const std::size_t index = next++;
      if (index >= count) return;
      try {
        action(index);
      } catch (...) {
        stop = true;
        const std::lock_guard lock(mutex);
        if (index < failed_index) {
          failed_index = index;
          failure = std::current_exception();
        }
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    const std::size_t extra = std::min(std::max<std::size_t>(workers, 1), count);
    try {
      for (std::size_t i = 1; i < extra; ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // The machine gives no more threads; those that there are do it all.
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

std::size_t default_workers() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace veneer
