// What some tests need from the machine.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

/// To be called first in a test: skips it where `condition` does not hold, and in CI, where nothing may be skipped,
/// fails. `what` says what is missing.
#define VENEER_NEEDS(condition, what)                   \
  if (!(condition)) {                                   \
    if (std::getenv("CI") != nullptr) FAIL() << (what); \
    GTEST_SKIP() << (what);                             \
  }                                                     \
  static_assert(true)
