#include "base/machine.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::base {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(CheckMachine, AContradictionIsRefusedAndNamesBoth) {
  EXPECT_THAT(
      [] {
        check_machine({"linux", "arm64", ""}, "x86_64", "/usr/bin/python3.11");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("linux/arm64"), HasSubstr("x86_64"), HasSubstr("/usr/bin/python3.11"))));
  EXPECT_THROW(check_machine({"linux", "amd64", ""}, "aarch64", "/python"), Error);
  EXPECT_THROW(check_machine({"linux", "386", ""}, "x86_64", "/python"), Error);
}

TEST(CheckMachine, WhatFitsAndWhatIsNotKnownPasses) {
  for (const auto& [architecture, machine] :
       {std::pair("amd64", "x86_64"), std::pair("amd64", "i686"), std::pair("arm64", "aarch64"),
        std::pair("arm", "armv7l"), std::pair("mips64le", "mips64")}) {
    EXPECT_NO_THROW(check_machine({"linux", architecture, ""}, machine, "/python")) << architecture;
  }
}

}  // namespace
}  // namespace veneer::base
