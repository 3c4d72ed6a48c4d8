// What tests expect of errors.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "foundation/error.hh"

namespace veneer::tests {

/// The Error that `action` throws.
template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::failed, "no error");
}

/// What the Error says with which `action` refuses something.
template <typename Action>
std::string refusal(const Action& action) {
  const Error error = error_of(action);
  EXPECT_EQ(error.kind(), ErrorKind::refused) << error.what();
  return error.what();
}

/// Of an action that throws an Error with `part` in its text.
inline auto refuses(const std::string& part) { return testing::ThrowsMessage<Error>(testing::HasSubstr(part)); }

}  // namespace veneer::tests
