#include "image/reference.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "image/location.hh"

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

TEST(Location, ReadsEveryForm) {
  const auto layout = std::get<OciLayoutLocation>(parse_location("oci:some/dir"));
  EXPECT_EQ(layout.folder, "some/dir");
  EXPECT_EQ(layout.tag, std::nullopt);
  EXPECT_EQ(std::get<OciLayoutLocation>(parse_location("oci:/x:1.2")).tag, "1.2");
  const auto archive = std::get<DockerArchiveLocation>(parse_location("docker-archive:/x/a.tar:app:1.2"));
  EXPECT_EQ(archive.file, "/x/a.tar");
  EXPECT_EQ(archive.tag, "app:1.2");
  const auto engine = std::get<EngineLocation>(parse_location("docker:app"));
  EXPECT_EQ(engine.engine, LocalEngine::docker);
  EXPECT_EQ(engine.name.full(), "docker.io/library/app:latest");
  EXPECT_EQ(std::get<EngineLocation>(parse_location("podman:a/b:1")).engine, LocalEngine::podman);
  for (const std::string& name : {std::string("app:1.2"), std::string("team/app"), std::string("localhost/app:1"),
                                  std::string("registry.example:5000/a/b:1"), "app@" + some_digest}) {
    EXPECT_EQ(std::get<NamedLocation>(parse_location(name)).name.familiar(), name);
  }
}

TEST(Location, WrongOnesAreUsageErrors) {
  for (const std::string text :
       {"", "oci:", "oci::tag", "oci:dir:", "docker-archive:", "docker:", "podman:UPPER", "A"}) {
    try {
      parse_location(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    }
  }
}

}  // namespace
}  // namespace veneer::image
