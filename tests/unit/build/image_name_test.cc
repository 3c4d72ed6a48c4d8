// What engines take and what not: the reference grammar of the distribution project.
#include "build/image_name.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "foundation/error.hh"
#include "image/places/image_names.hh"
#include "python/name.hh"

namespace veneer::build {
namespace {

using testing::HasSubstr;

python::Project project_of(std::string_view name, std::string image_name = {}, std::string tag = {}) {
  python::Project project;
  project.name = python::normalised_name(name);
  project.image.name = std::move(image_name);
  project.image.tag = std::move(tag);
  return project;
}

template <typename Action>
Error refusal(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.hint(), HasSubstr("[tool.veneer.image]"));
    return error;
  }
  ADD_FAILURE() << "not refused";
  return Error(ErrorKind::failed, "");
}

struct Row {
  std::string given;
  std::string result;
};

TEST(ImageName, OfAProject) {
  for (const Row& row : std::vector<Row>{
           {"shop", "shop"},
           {"My_App", "my-app"},
           {"a.b--c__d", "a-b-c-d"},
           {"x", "x"},
           {"0day", "0day"},
           {"sha256", "sha256"},
           // As they stand these begin with the word of another place; every engine shows them without the rest.
           {"oci", "docker.io/library/oci"},
           {"docker", "docker.io/library/docker"},
           {"podman", "docker.io/library/podman"},
           {"docker-archive", "docker.io/library/docker-archive"},
       }) {
    const std::string name = image_name(project_of(row.given));
    EXPECT_EQ(name, row.result);
    EXPECT_FALSE(image::names_a_place(name + ":1.0"));
    EXPECT_EQ(image::read_image_name(name + ":1.0").place, nullptr);
  }
  for (const std::string& name :
       {std::string("_x"), std::string("x-"), std::string("my shop"), std::string("caf\u00e9"), std::string("a+b"),
        std::string(300, 'n'), std::string(64, 'a')}) {
    EXPECT_THAT(refusal([&] { image_name(project_of(name)); }).what(), HasSubstr("the project's name")) << name;
  }
}

TEST(ImageName, ThatIsGiven) {
  for (const Row& row : std::vector<Row>{
           {"ghcr.io/acme/demo", "ghcr.io/acme/demo"},
           {"localhost/demo", "localhost/demo"},
           {"host:5000/x", "host:5000/x"},
           {"[::1]:5000/x", "[::1]:5000/x"},
           {"a_b/c.d__e-f", "a_b/c.d__e-f"},
           {"docker.io/library/shop", "shop"},
           {"docker.io/acme/shop", "acme/shop"},
           {"oci", "docker.io/library/oci"},
       }) {
    EXPECT_EQ(image_name(project_of("shop", row.given)), row.result);
  }
  for (const std::string& name :
       {std::string("Shop"), std::string("my shop"), std::string(" shop"), std::string("shop "), std::string("shop:1"),
        std::string("host:5000"), "shop@sha256:" + std::string(64, 'a'), std::string("a//b"), std::string("/a"),
        std::string("ghcr.io/Acme/demo"), std::string("a..b"), std::string("-a"), std::string("a\n"),
        std::string("https://ghcr.io/a"), "ghcr.io/" + std::string(255, 'n')}) {
    EXPECT_THAT(refusal([&] { image_name(project_of("shop", name)); }).what(), HasSubstr("[tool.veneer.image] name"))
        << name;
  }
}

TEST(ImageTag, OfAVersion) {
  for (const Row& row : std::vector<Row>{
           {"1.0.1", "1.0.1"},
           {"1!2.0", "1-2.0"},
           {"1.0+local", "1.0-local"},
           {"1!0.1.dev3+g12ab.d2026", "1-0.1.dev3-g12ab.d2026"},
           {"v1.0_rc1", "v1.0_rc1"},
           {"", "latest"},
           {std::string(128, '1'), std::string(128, '1')},
       }) {
    EXPECT_EQ(image_tag(project_of("shop"), row.given), row.result);
  }
  for (const std::string& version : {std::string("1.0 beta"), std::string(".1"), std::string("-1"), std::string("+1"),
                                     std::string("1/2"), std::string("1:2"), std::string(129, '1')}) {
    EXPECT_THAT(refusal([&] { image_tag(project_of("shop"), version); }).what(), HasSubstr("the version")) << version;
  }
}

TEST(ImageTag, ThatIsGivenIsTakenAsItIsOrRefused) {
  EXPECT_EQ(image_tag(project_of("shop", "", "live"), "1!2.0"), "live");
  for (const std::string tag : {"1!2.0", "1.0+local", "a b", ".a", "a:b"}) {
    EXPECT_THAT(refusal([&] { image_tag(project_of("shop", "", tag), "1.0"); }).what(),
                HasSubstr("[tool.veneer.image] tag"))
        << tag;
  }
}

}  // namespace
}  // namespace veneer::build
