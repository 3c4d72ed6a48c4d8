#include "foundation/user_info.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "foundation/error.hh"
#include "foundation/process.hh"

namespace veneer {
namespace {

/// User info with the word SECRET in each of its places, well-formed and not.
std::vector<std::string> user_infos() {
  std::vector<std::string> infos{"SECRET", "SECRET:", "SECRET:x", ":SECRET", "x:SECRET"};
  for (const char* mark : {"@",  ":", "/", "?", "#", "\\",  "[",   "]",    "%",    "%zz", "&",   "=",       "'",
                           "\"", "`", ",", ";", "{", "12/", "80?", "\x01", "\xff", "é",   "://", "https://"}) {
    for (const char* before : {"x:", "x:y", ""}) {
      infos.push_back(std::string(before) + mark + "SECRET");
      infos.push_back(std::string(before) + "SECRET" + mark);
    }
  }
  return infos;
}

std::vector<std::string> urls(const std::string& user_info) {
  std::vector<std::string> result;
  for (const char* scheme :
       {"https://", "http://", "HTTPS://", "git+https://", "htps://", "ftp://", "://", "https:/", "https:///"}) {
    for (const char* rest : {"host.example/simple", "host.example", "host:80/x", "[::1]/x", "ho[st/x", "host:port/x",
                             "", "/x", "host/x?y=1#z", "a@host/x"}) {
      result.push_back(scheme + user_info + "@" + rest);
    }
  }
  return result;
}

TEST(UserInfo, IsInNothingThatIsShown) {
  for (const std::string& user_info : user_infos()) {
    for (const std::string& url : urls(user_info)) {
      const Error error(ErrorKind::failed, "cannot read '" + url + "': no", url);
      for (const std::string& shown :
           {without_user_info(url), url_without_user_info(url),
            without_user_info("error: <" + url + ">, see\n  " + url + "."), printable(url), printable("at " + url, 20),
            last_lines("fatal: " + url + "\n" + std::string(1999, 'x')), std::string(error.what()), error.hint()}) {
        ASSERT_EQ(shown.find("SECRET"), std::string::npos) << url << " as " << shown;
        ASSERT_EQ(without_user_info(shown), shown) << "of what was cleaned";
      }
    }
  }
}

TEST(UserInfo, WithWhiteSpaceIsNotShownEither) {
  for (const char* url : {"https://x:y SECRET@host/x", "https://SECRET y@host/x", "https://y SECRET@host/x",
                          "https://x:y\nSECRET@host/x"}) {
    EXPECT_EQ(url_without_user_info(url).find("SECRET"), std::string::npos) << url;
  }
  EXPECT_EQ(without_user_info("at https://x:y SECRET@host/x it ends"), "at https://***@host/x it ends");
}

TEST(UserInfo, OfAUrlWithoutItsScheme) {
  EXPECT_EQ(url_without_user_info("me:SECRET@host/x"), "***@host/x");
  EXPECT_EQ(url_without_user_info("//me:SECRET@host/x"), "//***@host/x");
  EXPECT_EQ(url_without_user_info("me:a/SECRET@host/x"), "***");
}

TEST(UserInfo, OtherTextStaysAsItIs) {
  for (const char* text : {"", "no URL: a@b", "https://host/simple/", "'https://host:443/x': not found",
                           "https://host:8443: refused; tell a@b", "write ssh://user@host or ssh://user@host:port",
                           "ssh://[user@]host[:port]", "git+ssh://git@host/repo",
                           "give unix:///run/a@b/socket, tcp://host:port or ssh://user@host", "file:///srv/a@2/b.whl",
                           "/srv/a@2/b.whl", "./a@2", "ghcr.io/acme/demo@sha256:00", "oci:/srv/a@b", "use https: a@b",
                           "https://[::1]:80/x", "name @ git+https://…"}) {
    EXPECT_EQ(without_user_info(text), text);
  }
  for (const char* text :
       {"", "https://host/simple/", "file:///srv/a@2/b.whl", "/srv/a@2/b.whl", "./a@2", "../a@2", "libs/a@2"}) {
    EXPECT_EQ(url_without_user_info(text), text);
  }
}

TEST(UserInfo, TheRestOfTheUrlIsShownWhereItIsSure) {
  EXPECT_EQ(without_user_info("'https://u:p@host:8443/a?b=c': 401, http://u@[::1]"),
            "'https://***@host:8443/a?b=c': 401, http://***@[::1]");
  EXPECT_EQ(without_user_info("ssh://me:p@host"), "ssh://***@host");
  EXPECT_EQ(without_user_info("https://u:p#q@host/x and more"), "https://*** and more");
}

}  // namespace
}  // namespace veneer
