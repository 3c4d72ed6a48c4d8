#include "foundation/base64.hh"

#include <gtest/gtest.h>

namespace veneer {
namespace {

// RFC 4648 section 10, without padding, and what differs in section 5.
TEST(Base64, UrlsHaveAnAlphabetOfTheirOwn) {
  for (const auto& [bytes, text] : {std::pair<std::string, std::string>{"", ""},
                                    {"f", "Zg"},
                                    {"fo", "Zm8"},
                                    {"foo", "Zm9v"},
                                    {"foobar", "Zm9vYmFy"},
                                    {"\xfb\xef\xff", "--__"}}) {
    EXPECT_EQ(encode_base64_url(as_bytes(bytes)), text);
    EXPECT_EQ(decode_base64_url(text), bytes);
  }
  for (const char* text : {"Z", "Zh", "Zg==", "++//", "a b"}) EXPECT_EQ(decode_base64_url(text), std::nullopt) << text;
  EXPECT_EQ(decode_base64("++//"), "\xfb\xef\xff");
}

}  // namespace
}  // namespace veneer
