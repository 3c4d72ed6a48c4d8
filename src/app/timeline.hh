// How long each phase of something took. One thread.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace veneer::app {

class Timeline {
 public:
  enum class Begun { now, before };
  /// Ends the phase before, unless it is this one, which then goes on. A phase that comes again is added to.
  Begun begin(const std::string& phase) {
    if (current_ == phase) return Begun::before;
    end();
    current_ = phase;
    since_ = std::chrono::steady_clock::now();
    return Begun::now;
  }
  void end() {
    if (current_.empty()) return;
    add(current_, std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count());
    current_.clear();
  }
  void add(const std::string& phase, double seconds) {
    for (auto& [name, sum] : phases_) {
      if (name != phase) continue;
      sum += seconds;
      return;
    }
    phases_.emplace_back(phase, seconds);
  }
  /// In the order in which they began first; seconds.
  const std::vector<std::pair<std::string, double>>& phases() const { return phases_; }

 private:
  std::vector<std::pair<std::string, double>> phases_;
  std::string current_;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace veneer::app
