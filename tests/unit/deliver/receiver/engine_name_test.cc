#include "deliver/receiver/engine_name.hh"

#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::deliver {
namespace {

TEST(EngineName, BareNamesAreThoseOfDockersRegistry) {
  EXPECT_EQ(parse_engine_name("demo").full(), "docker.io/library/demo:latest");
  EXPECT_EQ(parse_engine_name("demo:1").familiar(), "demo:1");
  EXPECT_EQ(parse_engine_name("team/demo:1").full(), "docker.io/team/demo:1");
  EXPECT_EQ(parse_engine_name("team/demo:1").familiar(), "team/demo:1");
  EXPECT_EQ(parse_engine_name("docker.io/library/demo:1").familiar(), "demo:1");
  EXPECT_EQ(parse_engine_name("index.docker.io/demo:1").full(), "docker.io/library/demo:1");
}

TEST(EngineName, TheFirstPartIsAHostWhenItLooksLikeOne) {
  const auto name = parse_engine_name("registry.example:5000/team/demo:v1.0-rc_2");
  EXPECT_EQ(name.domain, "registry.example:5000");
  EXPECT_EQ(name.path, "team/demo");
  EXPECT_EQ(name.tag, "v1.0-rc_2");
  EXPECT_EQ(name.familiar(), name.full());
  EXPECT_EQ(parse_engine_name("localhost/demo").full(), "localhost/demo:latest");
  EXPECT_EQ(parse_engine_name("localhost:5000/demo").repository(), "localhost:5000/demo");
}

TEST(EngineName, AFullNameReadsAsItself) {
  for (const char* text : {"docker.io/library/demo:1", "registry.example/a/b__c-d.e:x", "localhost/x:latest"}) {
    EXPECT_EQ(parse_engine_name(text).full(), text);
  }
}

TEST(EngineName, RefusesWhatIsNoName) {
  for (const char* text : {"",
                           ":1",
                           "demo:",
                           "Demo",
                           "demo:-x",
                           "de mo",
                           "demo\n:1",
                           "-demo",
                           "demo-",
                           "a//b",
                           "/a",
                           "a/",
                           "a..b",
                           "a___b",
                           "demo@sha256:0000",
                           "<none>:<none>",
                           "demo:\x1b[31m",
                           "registry.example:port/demo",
                           "-x.example/demo",
                           "registry.example:123456/demo",
                           "http://registry.example/demo",
                           "../demo",
                           "demo?x=1",
                           "demo%2f"}) {
    EXPECT_FALSE(read_engine_name(text)) << text;
  }
  EXPECT_FALSE(read_engine_name(std::string(300, 'a')));
  EXPECT_FALSE(read_engine_name("demo:" + std::string(129, 'a')));
  EXPECT_THROW(parse_engine_name("Demo\x1b"), Error);
}

}  // namespace
}  // namespace veneer::deliver
