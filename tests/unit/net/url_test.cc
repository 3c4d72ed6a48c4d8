#include <gtest/gtest.h>

#include "net/http.hh"

namespace veneer::net {
namespace {

TEST(DisplayUrl, HidesUserInfoAndQuery) {
  EXPECT_EQ(display_url("https://user:secret@index.example/simple/"), "https://***@index.example/simple/");
  EXPECT_EQ(display_url("https://token@index.example/"), "https://***@index.example/");
  EXPECT_EQ(display_url("https://files.index.example/a.whl?signature=abc#sha256=1"),
            "https://files.index.example/a.whl?***");
  EXPECT_EQ(display_url("https://files.index.example/a b.whl"), "https://files.index.example/a b.whl");
  EXPECT_EQ(display_url("/a/path"), "/a/path");
}

TEST(DisplayUrl, HidesPasswordsThatWereNotEncoded) {
  EXPECT_EQ(display_url("https://user:p@ss@index.example/x"), "https://***@index.example/x");
  EXPECT_EQ(display_url("https://user:pa/ss@index.example/x"), "https://***");
  EXPECT_EQ(display_url("https://user:pa?ss@index.example/x"), "https://***");
  EXPECT_EQ(display_url("https://user:pa#ss@index.example/x"), "https://***");
  EXPECT_EQ(display_url("https://index.example/@scope/a.whl"), "https://***");  // "index.example/" may be a password
  EXPECT_EQ(display_url("https://user:pass%40index.example/x"), "https://***");
}

TEST(DisplayUrl, EscapesControlCharacters) {
  EXPECT_EQ(display_url("https://index.example/\x1b[2J").find('\x1b'), std::string::npos);
}

TEST(SplitUrl, TakesPartsApart) {
  const SplitUrl url = split_url("https://us%40er:p%3Aw@index.example:8443/simple/a%20b?x=1");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "index.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/simple/a b");
  EXPECT_EQ(url.without_user_info, "https://index.example:8443/simple/a%20b?x=1");
  ASSERT_TRUE(url.credentials);
  EXPECT_EQ(url.credentials->user, "us@er");
  EXPECT_EQ(url.credentials->password, "p:w");
  EXPECT_EQ(split_url("http://index.example/").port, 80);
  EXPECT_EQ(split_url("file:///a/b%2Bc.whl").path, "/a/b+c.whl");
}

TEST(SplitUrl, RefusesWhatIsNoUrlOfOurs) {
  for (const char* text : {"", "index.example/x", "ftp://index.example/", "gopher://x/", "http://", "https://a b/"}) {
    EXPECT_THROW(split_url(text), Error) << text;
  }
  try {
    split_url("ssh://user:secret@index.example/x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

TEST(PercentEncode, KeepsOnlyUnreserved) { EXPECT_EQ(percent_encode("a-B_1.~/ :é"), "a-B_1.~%2F%20%3A%C3%A9"); }

}  // namespace
}  // namespace veneer::net
