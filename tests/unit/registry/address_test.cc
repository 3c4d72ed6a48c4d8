#include "registry/address.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "registry/mirrors.hh"
#include "registry/token.hh"
#include "tests/support/errors.hh"

namespace veneer::registry {
namespace {

using ::testing::HasSubstr;

TEST(Address, WhereARegistryIs) {
  EXPECT_EQ(address_of("docker.io").host, "registry-1.docker.io");
  EXPECT_EQ(address_of("registry.example:5000").host, "registry.example:5000");
  for (const char* name : {"localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"}) {
    EXPECT_EQ(address_of(name).security, Security::plain_allowed) << name;
  }
  for (const char* name : {"docker.io", "10.0.0.1:5000", "127.0.0.1.example", "localhost.example", "127.0.0.256"}) {
    EXPECT_EQ(address_of(name).security, Security::verified_tls) << name;
  }
  EXPECT_EQ(address_of("10.0.0.1:5000", {"10.0.0.1:5000"}).security, Security::plain_allowed);
  EXPECT_EQ(address_of("10.0.0.1:5000", {"10.0.0.1"}).security, Security::plain_allowed);
  EXPECT_EQ(address_of("10.0.0.1:5000", {"10.0.0.1:80"}).security, Security::verified_tls);
}

TEST(Realm, CredentialsGoOverTlsOrWhereTheUserSaidSo) {
  const Address far = address_of("registry.example");
  const Address near = address_of("127.0.0.1:5000");
  EXPECT_NO_THROW(check_realm("https://auth.example/token", far));
  EXPECT_NO_THROW(check_realm("http://127.0.0.1:5001/token", near));
  for (const char* realm : {"http://auth.example/token", "ftp://auth.example", "file:///etc/passwd", "", "token",
                            "https://user:secret@auth.example/token"}) {
    const Error error = tests::error_of([&] { check_realm(realm, far); });
    EXPECT_EQ(error.kind(), ErrorKind::refused) << realm;
    EXPECT_THAT(error.what(), HasSubstr("registry.example"));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("secret")));
  }
}

TEST(Token, FormsOfTheAnswer) {
  const std::chrono::steady_clock::time_point now{};
  using std::chrono::seconds;
  EXPECT_EQ(read_token("{\"token\":\"t\"}", now).ends, now + seconds(60));
  EXPECT_EQ(read_token("{\"access_token\":\"t\",\"expires_in\":300}", now).ends, now + seconds(300));
  EXPECT_EQ(read_token("{\"token\":\"t\",\"access_token\":\"u\",\"expires_in\":0}", now).text, "t");
  for (const char* wrong : {"", "{}", "[]", "{\"token\":\"\"}", "{\"token\":\"a\\r\\nX: y\"}", "{\"token\":7}",
                            "{\"token\":\"secret\",\"expires_in\":\"x\"}"}) {
    const Error error = tests::error_of([&] { read_token(wrong, now); });
    EXPECT_EQ(error.kind(), ErrorKind::network) << wrong;
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("secret")));
  }
}

TEST(Mirrors, OfPodmansFile) {
  const Rules rules = read_registries_conf(R"(
unqualified-search-registries = ["quay.example"]
[[registry]]
prefix = "docker.io"
location = "proxy.example/hub"
[[registry.mirror]]
location = "127.0.0.1:5000"
insecure = true
[[registry.mirror]]
location = "mirror.example/a/b"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "*.corp.example"
location = "one.corp.example"
[[registry]]
location = "docker.io/library/secret"
blocked = true
)");
  ASSERT_EQ(rules.size(), 3u);
  const Rule* hub = rule_for(rules, "docker.io", "library/python");
  ASSERT_NE(hub, nullptr);
  ASSERT_EQ(hub->mirrors.size(), 2u);
  EXPECT_EQ(hub->mirrors[0].transport, Location::Transport::plain_allowed);
  EXPECT_EQ(hub->mirrors[1].serves, Location::Serves::digests_only);
  EXPECT_EQ(name_at(hub->mirrors[0], hub->prefix, "docker.io", "library/python"), "library/python");
  EXPECT_EQ(name_at(hub->mirrors[1], hub->prefix, "docker.io", "library/python"), "a/b/library/python");
  EXPECT_EQ(name_at(hub->location, hub->prefix, "docker.io", "library/python"), "hub/library/python");
  EXPECT_EQ(rule_for(rules, "docker.io", "library/secret")->access, Rule::Access::blocked);
  EXPECT_EQ(rule_for(rules, "docker.io", "library/secrets"), hub);
  EXPECT_EQ(rule_for(rules, "docker.io.example", "library/python"), nullptr);
  EXPECT_EQ(rule_for(rules, "a.corp.example", "x")->location.registry, "one.corp.example");
  EXPECT_EQ(rule_for(rules, "corp.example", "x"), nullptr);
  EXPECT_EQ(name_at(rules[1].location, rules[1].prefix, "a.corp.example", "x/y"), "x/y");
  EXPECT_TRUE(read_registries_conf("[registries.search]\nregistries = ['docker.io']\n").empty());
  EXPECT_THROW(read_registries_conf("[[registry]]\n"), Error);
}

TEST(Mirrors, Places) {
  EXPECT_EQ(read_location("https://mirror.example/").registry, "mirror.example");
  EXPECT_EQ(read_location("http://127.0.0.1:5000/x").prefix, "x");
  EXPECT_EQ(read_location("http://127.0.0.1:5000").transport, Location::Transport::plain_allowed);
  for (const char* wrong : {"", "https://", "ftp://x", "a b", "a/../b", "user@host", "a//b", "a?b"}) {
    EXPECT_THROW(read_location(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace veneer::registry
