#include "deliver/rollout/waves.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;

TEST(Waves, DoesEachOnceInOrder) {
  std::vector<std::size_t> done;
  const auto begun = in_waves(3, {}, [&](std::size_t index) {
    done.push_back(index);
    return Verdict::go_on;
  });
  EXPECT_THAT(done, ElementsAre(0, 1, 2));
  EXPECT_THAT(begun, ElementsAre(true, true, true));
  EXPECT_TRUE(in_waves(0, {2, 3}, [](std::size_t) { return Verdict::go_on; }).empty());
}

TEST(Waves, BeginsNoneAfterAStop) {
  const auto begun = in_waves(4, {}, [](std::size_t index) { return index == 1 ? Verdict::stop : Verdict::go_on; });
  EXPECT_THAT(begun, ElementsAre(true, true, false, false));
}

TEST(Waves, NoOtherBeginsBeforeTheCanariesAreWell) {
  std::atomic<bool> canary_is_done = false;
  std::atomic<bool> early = false;
  in_waves(6, {1, 6}, [&](std::size_t index) {
    if (index == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      canary_is_done = true;
    } else if (!canary_is_done) {
      early = true;
    }
    return Verdict::go_on;
  });
  EXPECT_FALSE(early);
  const auto begun = in_waves(3, {1, 3}, [](std::size_t) { return Verdict::stop; });
  EXPECT_THAT(begun, ElementsAre(true, false, false)) << "a canary that is not well is the last";
}

TEST(Waves, WhatIsThrownComesOutWhenAllHaveEnded) {
  std::atomic<int> done = 0;
  const auto run = [&](const Waves& waves) {
    in_waves(6, waves, [&](std::size_t index) {
      if (index == 0) throw 42;
      ++done;
      return Verdict::go_on;
    });
  };
  EXPECT_THROW(run({0, 1}), int);
  EXPECT_EQ(done, 0);
  EXPECT_THROW(run({1, 3}), int);
  EXPECT_EQ(done, 0) << "no other is begun after a canary that threw";
  EXPECT_THROW(run({0, 3}), int);
}

TEST(Waves, AtMostSoManyAtATime) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::mutex mutex;
  std::set<std::size_t> done;
  in_waves(20, {0, 3}, [&](std::size_t index) {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --now;
    const std::lock_guard lock(mutex);
    done.insert(index);
    return Verdict::go_on;
  });
  EXPECT_LE(most, 3);
  EXPECT_EQ(done.size(), 20U);
}

}  // namespace
}  // namespace veneer::deliver
