#include "foundation/stream.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer {
namespace {

TEST(BoundedText, TakesAsMuchAsItMayAndNoMore) {
  std::string text = "a";
  BoundedText sink(text, 4, "the engine answered");
  sink.write(as_bytes("bcd"));
  sink.write({});
  EXPECT_EQ(text, "abcd");
  try {
    sink.write(as_bytes("e"));
    FAIL() << "it took too much";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_EQ(error.message(), "the engine answered more than 4 bytes");
  }
  EXPECT_EQ(text, "abcd");
}

TEST(BoundedText, RefusesATextThatIsTooLongAlready) {
  std::string text = "too long";
  EXPECT_THROW(BoundedText(text, 4, "it").write(as_bytes("x")), Error);
}

}  // namespace
}  // namespace veneer
