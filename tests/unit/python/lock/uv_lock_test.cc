#include "python/lock/uv_lock.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "python/lock/select.hh"
#include "tests/support/errors.hh"
#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::refuses;

const std::string head = "version = 1\nrevision = 3\nrequires-python = \">=3.10\"\n";

/// A package of the index with one wheel; `hash` as in the lock, may be empty.
std::string package(const std::string& name, const std::string& version = "1.0", const std::string& more = "",
                    const std::string& hash = std::string(64, 'a')) {
  return fmt::format(
      "[[package]]\nname = \"{0}\"\nversion = \"{1}\"\nsource = {{ registry = \"https://index.example/simple\" "
      "}}\n{2}\n"
      "wheels = [{{ url = \"https://files.index.example/{0}-{1}-py3-none-any.whl\"{3} }}]\n",
      name, version, more, hash.empty() ? "" : ", hash = \"sha256:" + hash + "\"");
}

std::string project(const std::string& more, const std::string& name = "project") {
  return fmt::format("[[package]]\nname = \"{}\"\nversion = \"0.1\"\nsource = {{ virtual = \".\" }}\n{}\n", name, more);
}

std::vector<std::string> selected(const std::string& text, const SelectOptions& options = {}) {
  std::vector<std::string> result;
  for (const SelectedPackage& one : select(parse_uv_lock(text), some_target(), options).packages) {
    result.push_back(one.name + " " + one.version);
  }
  return result;
}

auto selecting(const std::string& text, const SelectOptions& options = {}) {
  return [text, options] { selected(text, options); };
}

SelectOptions with_extras(std::vector<std::string> extras) {
  SelectOptions options;
  options.extras = std::move(extras);
  return options;
}

TEST(UvLock, EveryRevisionOfVersion1) {
  const std::string rest =
      "requires-python = \">=3.10\"\n" + project("dependencies = [{ name = \"a\" }]") + package("a");
  for (const std::string revision : {"", "revision = 1\n", "revision = 2\n", "revision = 3\n", "revision = 5\n"}) {
    EXPECT_THAT(selected("version = 1\n" + revision + rest), ElementsAre("a 1.0")) << revision;
  }
  EXPECT_THAT(selecting("version = 2\n" + rest), refuses("version 2 of uv.lock is not supported"));
  EXPECT_THAT(selecting(rest), refuses("no uv.lock"));
}

// astral-sh/uv#10985, #9370
const std::string conflicting =
    head + "conflicts = [[{ package = \"project\", extra = \"cpu\" }, { package = \"project\", extra = \"gpu\" }]]\n" +
    project(
        "dependencies = [{ name = \"base\" }]\n"
        "[package.optional-dependencies]\n"
        "cpu = [{ name = \"torch\", version = \"1.0\", source = { registry = \"https://index.example/simple\" } }]\n"
        "gpu = [{ name = \"torch\", version = \"2.0\", source = { registry = \"https://index.example/simple\" } }]\n"
        "[package.metadata]\nprovides-extras = [\"cpu\", \"gpu\"]\n") +
    package("base", "1.0",
            "dependencies = [\n"
            "{ name = \"torch\", version = \"1.0\", source = { registry = \"https://index.example/simple\" }, marker = "
            "\"extra == 'extra-7-project-cpu'\" },\n"
            "{ name = \"torch\", version = \"2.0\", source = { registry = \"https://index.example/simple\" }, marker = "
            "\"extra == 'extra-7-project-gpu' or extra != 'extra-7-project-cpu'\" }]") +
    package("torch", "1.0") + package("torch", "2.0");

TEST(UvLock, Case1ConflictingExtrasGiveOneVersionEach) {
  EXPECT_THAT(selected(conflicting, with_extras({"cpu"})), ElementsAre("base 1.0", "torch 1.0"));
  EXPECT_THAT(selected(conflicting, with_extras({"gpu"})), ElementsAre("base 1.0", "torch 2.0"));
  EXPECT_THAT(selected(conflicting), ElementsAre("base 1.0", "torch 2.0"));
  EXPECT_THAT(selecting(conflicting, with_extras({"cpu", "gpu"})),
              refuses("the extra cpu of project and the extra gpu of project are declared as conflicting"));
}

TEST(UvLock, Case1ALengthThatDoesNotFitIsRefused) {
  for (const std::string bad : {"extra-9-project-cpu", "extra-7-projectcpu", "extra--project-cpu", "group-99-a-b",
                                "project-8-project", "extra-18446744073709551616-a-b"}) {
    const std::string lock =
        head + project("dependencies = [{ name = \"a\", marker = \"extra == '" + bad + "'\" }]") + package("a");
    EXPECT_THAT([&] { parse_uv_lock(lock); }, refuses("malformed conflict")) << bad;
  }
}

TEST(UvLock, Case1ConflictingGroups) {
  const std::string lock =
      head +
      "conflicts = [[{ package = \"project\", group = \"one\" }, { package = \"project\", group = \"two\" }]]\n" +
      project(
          "[package.dev-dependencies]\n"
          "one = [{ name = \"a\", version = \"1.0\", source = { registry = \"https://index.example/simple\" }, marker "
          "= "
          "\"extra == 'group-7-project-one'\" }]\n"
          "two = [{ name = \"a\", version = \"2.0\", source = { registry = \"https://index.example/simple\" }, marker "
          "= "
          "\"extra == 'group-7-project-two'\" }]\n"
          "[package.metadata.requires-dev]\none = []\ntwo = []\n") +
      package("a", "1.0") + package("a", "2.0");
  SelectOptions one;
  one.groups = {"one"};
  EXPECT_THAT(selected(lock, one), ElementsAre("a 1.0"));
  SelectOptions both = one;
  both.groups.push_back("two");
  EXPECT_THAT(selecting(lock, both), refuses("conflicting"));
}

// astral-sh/uv#15055: a flat index below the project stays relative, an absolute one absolute.
TEST(UvLock, Case2PathsOfAFlatIndex) {
  const auto location = [](const std::string& index) {
    const std::string lock =
        head + project("dependencies = [{ name = \"a\" }]") +
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"" + index +
        "\" }\nwheels = [{ path = \"a-1.0-py3-none-any.whl\", hash = \"sha256:" + std::string(64, 'a') + "\" }]\n";
    return select(parse_uv_lock(lock), some_target(), {}).packages[0].location;
  };
  EXPECT_EQ(location("wheels"), "wheels/a-1.0-py3-none-any.whl");
  EXPECT_EQ(location("../wheels"), "../wheels/a-1.0-py3-none-any.whl");
  EXPECT_EQ(location("/srv/wheels"), "/srv/wheels/a-1.0-py3-none-any.whl");
}

// astral-sh/uv#16818
TEST(UvLock, Case4AFileWithoutHashIsSelectedWithoutOne) {
  const std::string lock = head + project("dependencies = [{ name = \"a\" }]") + package("a", "1.0", "", "");
  const Selection selection = select(parse_uv_lock(lock), some_target(), {});
  ASSERT_EQ(selection.packages.size(), 1u);
  EXPECT_FALSE(selection.packages[0].hash.has_value());
  EXPECT_THAT(selection.packages[0].hashes, IsEmpty());
}

TEST(UvLock, AnotherAlgorithmIsKept) {
  std::string lock = head + project("dependencies = [{ name = \"a\" }]") + package("a");
  lock.replace(lock.find("sha256:"), 7, "sha512:");
  EXPECT_THAT(select(parse_uv_lock(lock), some_target(), {}).packages[0].hashes,
              ElementsAre("sha512:" + std::string(64, 'a')));
}

// astral-sh/uv#20930: one member chosen, the default groups of the root stay away.
TEST(UvLock, GroupsOfTheRootDoNotComeWithAMember) {
  const std::string lock =
      head + "[manifest]\nmembers = [\"member\", \"project\"]\n" +
      project("[package.dev-dependencies]\ndev = [{ name = \"tool\" }]\n[package.metadata.requires-dev]\ndev = []\n") +
      "[[package]]\nname = \"member\"\nversion = \"0.1\"\nsource = { editable = \"member\" }\n" +
      "dependencies = [{ name = \"a\" }]\n" + package("a") + package("tool");
  SelectOptions options;
  options.packages = {"member"};
  options.default_groups = {"dev"};
  EXPECT_THAT(selected(lock, options), ElementsAre("a 1.0", "member 0.1"));
  options.packages = {};
  EXPECT_THAT(selected(lock, options), ElementsAre("tool 1.0"));
  options.packages = {"member"};
  options.groups = {"dev"};
  EXPECT_THAT(selecting(lock, options), refuses("no dependency group \"dev\""));
}

TEST(UvLock, SaysWhatIsMalformed) {
  EXPECT_THAT(selecting(head + "[[package]]\nname = \"Not_Normal\"\nsource = { virtual = \".\" }\n"),
              refuses("normal form"));
  EXPECT_THAT(selecting(head + "[[package]]\nname = \"a\"\nsource = { moon = \"far\" }\n"), refuses("but: moon"));
  EXPECT_THAT(selecting(head + project("dependencies = [{ name = \"gone\" }]")),
              refuses("gone, which the lock does not have"));
  EXPECT_THAT(
      selecting(head + project("dependencies = [{ name = \"a\" }]") + package("a", "1.0") + package("a", "2.0")),
      refuses("more than once"));
}

TEST(UvLock, AskingTheKernelIsRefusedOnlyWhereItMatters) {
  const auto lock = [](const std::string& marker) {
    return head + project("dependencies = [{ name = \"a\", marker = \"" + marker + "\" }]") + package("a");
  };
  EXPECT_THAT(selecting(lock("platform_release >= '6'")), refuses("kernel of the host"));
  EXPECT_THAT(selected(lock("platform_release >= '6' and sys_platform == 'win32'")), IsEmpty());
  EXPECT_THAT(selected(lock("platform_release >= '6' or sys_platform == 'linux'")), ElementsAre("a 1.0"));
}

TEST(UvLock, RefusesPythonsAndEnvironmentsOutside) {
  EXPECT_THAT(selecting("version = 1\nrequires-python = \">=3.13\"\n" + project("")),
              refuses("outside the lock's requires-python"));
  EXPECT_THAT(
      selecting("version = 1\nrequires-python = \">=3.10\"\nsupported-markers = [\"sys_platform == 'darwin'\"]\n" +
                project("")),
      refuses("outside those that the lock supports"));
}

TEST(UvLock, WheelsForOthersAndNoSourceAreUnusable) {
  const std::string lock = head + project("dependencies = [{ name = \"a\" }]") +
                           "[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = "
                           "\"https://index.example/simple\" }\nwheels = [{ url = "
                           "\"https://files.index.example/a-1.0-cp312-cp312-win_amd64.whl\" }]\n";
  EXPECT_THAT(select(parse_uv_lock(lock), some_target(), {}).unusable, ElementsAre("a"));
}

}  // namespace
}  // namespace veneer::python
