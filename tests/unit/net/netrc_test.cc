#include "net/netrc.hh"

#include <gtest/gtest.h>

namespace veneer::net {
namespace {

std::string password(std::string_view text) { return netrc_password(text, "host.example", "me").value_or("none"); }

TEST(Netrc, KnowsThePasswordOfAUser) {
  EXPECT_EQ(password("machine host.example login me password pw\n"), "pw");
  EXPECT_EQ(password("machine Host.Example\n\tpassword pw\r\n\tlogin me"), "pw");
  EXPECT_EQ(password("machine host.example login you password no\nmachine host.example login me password pw"), "pw");
  EXPECT_EQ(password("machine host.example login me account x password pw machine a login b password c"), "pw");
  EXPECT_EQ(password("machine other.example login me password no\ndefault login me password pw"), "pw");
  EXPECT_EQ(password("machine host.example login \"me\" password \"p \\\"w\\\\\""), "p \"w\\");
  EXPECT_EQ(
      password("# machine host.example login me password no\nmachine host.example login me # it is\npassword #pw"),
      "#pw");
  EXPECT_EQ(
      password("macdef init\nmachine host.example login me password no\n\nmachine host.example login me password pw"),
      "pw");
}

TEST(Netrc, GivesNoneOfAnotherUserOrHost) {
  for (const char* text :
       {"", "machine", "machine host.example", "machine host.example login", "machine host.example login me",
        "machine host.example login me password", "machine host.example login you password no",
        "machine host.example login ME password no", "machine host.example password no",
        "machine host.example.evil login me password no", "default login you password no", "login me password no",
        "machine host.example login me machine other.example password no", "\"", "\"\"", "macdef", "#"}) {
    EXPECT_EQ(password(text), "none") << text;
  }
}

}  // namespace
}  // namespace veneer::net
