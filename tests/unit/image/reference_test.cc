#include "image/reference.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::image {
namespace {

using ::testing::HasSubstr;

const std::string some_digest = "sha256:" + std::string(64, 'a');

TEST(Reference, FillsInTheDefaultRegistry) {
  EXPECT_EQ(parse_reference("debian").full(), "docker.io/library/debian");
  EXPECT_EQ(parse_reference("debian:bookworm").full(), "docker.io/library/debian:bookworm");
  EXPECT_EQ(parse_reference("team/app:1").full(), "docker.io/team/app:1");
  EXPECT_EQ(parse_reference("docker.io/debian").full(), "docker.io/library/debian");
  EXPECT_EQ(parse_reference("index.docker.io/library/debian").full(), "docker.io/library/debian");
  EXPECT_EQ(parse_reference("registry.example:5000/a/b:v1").full(), "registry.example:5000/a/b:v1");
  EXPECT_EQ(parse_reference("localhost/app").full(), "localhost/app");
  EXPECT_EQ(parse_reference("localhost:5000/app").registry, "localhost:5000");
  EXPECT_EQ(parse_reference("[::1]:5000/app:x").registry, "[::1]:5000");
  EXPECT_EQ(parse_reference("UPPER.example/app").registry, "UPPER.example");
}

TEST(Reference, FamiliarLeavesTheDefaultsOut) {
  for (const std::string text : {"debian:bookworm", "team/app:1", "registry.example/app:1", "localhost/x"}) {
    EXPECT_EQ(parse_reference(text).familiar(), text);
  }
  EXPECT_EQ(parse_reference("docker.io/library/debian:1").familiar(), "debian:1");
  EXPECT_EQ(parse_reference("library/a/b").familiar(), "library/a/b");
  // Shorter, these would mean something else.
  EXPECT_EQ(parse_reference("docker.io/odd.name/x").familiar(), "docker.io/odd.name/x");
  EXPECT_EQ(parse_reference("library/" + std::string(64, 'a')).familiar(), "library/" + std::string(64, 'a'));
}

TEST(Reference, ReadsDigests) {
  const Reference reference = parse_reference("team/app:1@" + some_digest);
  EXPECT_EQ(reference.tag, "1");
  EXPECT_EQ(reference.digest->text(), some_digest);
  EXPECT_EQ(reference.full(), "docker.io/team/app:1@" + some_digest);
  EXPECT_EQ(with_default_tag(parse_reference("a@" + some_digest)).tag, std::nullopt);
  EXPECT_EQ(with_default_tag(parse_reference("a")).tag, "latest");
}

TEST(Reference, Moby48241OtherDigestsAreUnsupportedByName) {
  try {
    parse_reference("a@sha512:" + std::string(128, 'a'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("sha512"));
  }
}

TEST(Reference, RefusesWhatTheGrammarDoes) {
  for (const std::string& text : {std::string(),
                                  std::string(":1"),
                                  std::string("a:"),
                                  std::string("a:b:c"),
                                  std::string("UPPER"),
                                  std::string("UPPER CASE:x y"),
                                  std::string("a/UPPER"),
                                  std::string("a b"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("a..b"),
                                  std::string("a___b"),
                                  std::string("a._b"),
                                  std::string("a//b"),
                                  std::string("/a"),
                                  std::string("a/"),
                                  std::string("registry.example:port/a"),
                                  std::string("re_g.example/a"),
                                  std::string("-r.example/a"),
                                  std::string("a:.x"),
                                  std::string("a:-x"),
                                  std::string("a@"),
                                  std::string("a@sha256:12"),
                                  "a:" + std::string(129, 't'),
                                  std::string(256, 'n'),
                                  std::string(64, 'a'),
                                  std::string("a\n"),
                                  std::string("a:1\0", 4),
                                  std::string("../a"),
                                  std::string("https://a.example/b"),
                                  std::string(".../a")}) {
    EXPECT_THROW(parse_reference(text), Error) << text;
  }
  // The last is a name with a tag, as the grammar goes.
  for (const std::string text : {"a__b", "a--b", "e/a.b_c-d", "0", "a:_x", "registry.example:5000"}) {
    EXPECT_NO_THROW(parse_reference(text)) << text;
  }
}

}  // namespace
}  // namespace veneer::image
