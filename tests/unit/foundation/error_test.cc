#include "foundation/error.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace veneer {
namespace {

TEST(Error, WhateverIsThrownIsOne) {
  const auto taken = [](const auto& thrown) {
    try {
      throw thrown;
    } catch (...) {
      return current_error();
    }
  };
  const Error own = taken(Error(ErrorKind::network, "cut", "try again"));
  EXPECT_EQ(own.kind(), ErrorKind::network);
  EXPECT_EQ(own.hint(), "try again");
  EXPECT_STREQ(taken(std::runtime_error("odd\n")).what(), "odd\\x0a");
  EXPECT_STREQ(taken(std::bad_alloc()).what(), "not enough memory");
  EXPECT_EQ(taken(42).kind(), ErrorKind::failed);
}

TEST(Error, SaysWhatWasBeingDoneOutermostFirst) {
  try {
    in_context([] { return "building app"; },
               [] {
                 in_context([] { return "reading a.whl"; },
                            [] { throw Error(ErrorKind::refused, "bad CRC", "download it again"); });
               });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "building app: reading a.whl: bad CRC");
    EXPECT_EQ(error.hint(), "download it again");
    EXPECT_EQ(error.message(), "bad CRC");
  }
}

TEST(Error, InContextHandsOnTheResult) {
  const std::string text = "x";
  EXPECT_EQ(&in_context([] { return "reading"; }, [&]() -> const std::string& { return text; }), &text);
}

TEST(Error, KindsHaveTheDocumentedExitCodes) {
  EXPECT_EQ(exit_code(ErrorKind::failed), 1);
  EXPECT_EQ(exit_code(ErrorKind::usage), 2);
  EXPECT_EQ(exit_code(ErrorKind::refused), 3);
  EXPECT_EQ(exit_code(ErrorKind::not_found), 4);
  EXPECT_EQ(exit_code(ErrorKind::network), 5);
  EXPECT_EQ(exit_code(ErrorKind::verification), 6);
  EXPECT_EQ(exit_code(ErrorKind::rolled_back), 7);
  EXPECT_EQ(exit_code(ErrorKind::gate), 10);
}

TEST(Printable, KeepsTextAndEscapesWhatSteersTerminals) {
  EXPECT_EQ(printable("Größe 中 😀"), "Größe 中 😀");
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // C1 control sequence introducer
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");           // invalid UTF-8
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable(std::string(1000, 'a'), 5), "aaaaa…");
}

}  // namespace
}  // namespace veneer
