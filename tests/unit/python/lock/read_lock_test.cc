#include "python/lock/read_lock.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tests/support/project_folder.hh"
#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::ProjectFolder;

constexpr const char* uv_lock = R"(version = 1
revision = 3
requires-python = ">=3.8"
[manifest]
members = ["app", "lib"]
[[package]]
name = "app"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "a" }]
[package.dev-dependencies]
dev = [{ name = "lib" }]
docs = [{ name = "b" }]
[[package]]
name = "lib"
version = "1.0"
source = { editable = "members/lib" }
[[package]]
name = "a"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://index.example/a-1.0-py3-none-any.whl" }]
[[package]]
name = "b"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://index.example/b-1.0-py3-none-any.whl" }]
)";

constexpr const char* pylock = R"(lock-version = "1.0"
created-by = "hand"
[[packages]]
name = "a"
version = "1.0"
wheels = [{ url = "https://index.example/a-1.0-py3-none-any.whl", hashes = { sha256 = "00" } }]
)";

std::optional<std::string> no_variable(const std::string&) { return std::nullopt; }

class ReadLock : public testing::Test {
 protected:
  std::unique_ptr<const AnyLock> read(const std::string& name, std::string_view text) {
    folder_.write(name, text);
    return read_lock(folder_.path() / name, no_variable);
  }

  static std::vector<std::string> names(const AnyLock& lock, const SelectRequest& request) {
    std::vector<std::string> result;
    for (const SelectedPackage& package : select(lock, request).packages) result.push_back(package.name);
    return result;
  }

  ProjectFolder folder_;
  SelectRequest request_{some_target(), {}, DefaultGroups::left_out, ""};
};

TEST_F(ReadLock, KnowsTheFormatByTheName) {
  EXPECT_THAT(names(*read("uv.lock", uv_lock), request_), ElementsAre("a"));
  EXPECT_THAT(names(*read("other.name", uv_lock), request_), ElementsAre("a"));
  const auto requirements = read("some.txt", "--index-url https://index.example/simple\na==1.0\n");
  EXPECT_THAT(names(*requirements, request_), ElementsAre("a"));
  EXPECT_THAT(requirements->index_options(), ElementsAre("--index-url https://index.example/simple"));
  EXPECT_EQ(requirements->path(), folder_.path() / "some.txt");
}

TEST_F(ReadLock, ErrorsNameTheLock) {
  const auto refusal = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const char* name : {"uv.lock", "pylock.toml", "requirements.txt"}) {
    const std::string path = (folder_.path() / name).native();
    EXPECT_THAT(refusal([&] { read(name, "<html>"); }), HasSubstr(path));
  }
  const auto lock = read("requirements.txt", "a==1.0\n");
  request_.options.extras = {"x"};
  EXPECT_THAT(refusal([&] { select(*lock, request_); }), HasSubstr(lock->path().native()));
  EXPECT_THAT(refusal([&] { lock->member_folder("lib"); }), HasSubstr("does not know the members"));
  EXPECT_THAT(refusal([&] { read("pylock.toml", pylock)->member_folder("lib"); }), HasSubstr("pylock.toml"));
}

TEST_F(ReadLock, AWorkspaceHasMembers) {
  const auto lock = read("uv.lock", uv_lock);
  EXPECT_EQ(lock->member_folder("lib"), "members/lib");
  EXPECT_THROW(lock->member_folder("a"), Error) << "a dependency is no member";
  request_.project = "lib";
  EXPECT_THAT(names(*lock, request_), ElementsAre("lib"));
}

TEST_F(ReadLock, DefaultGroupsAreThoseOfTheProjectBesideIt) {
  const auto lock = read("uv.lock", uv_lock);
  request_.default_groups = DefaultGroups::taken;
  EXPECT_THAT(names(*lock, request_), ElementsAre("a", "lib"));
  folder_.write("pyproject.toml", "[tool.uv]\ndefault-groups = [\"Docs\"]\n");
  EXPECT_THAT(names(*lock, request_), ElementsAre("a", "b"));
  folder_.write("pyproject.toml", "[tool.uv]\ndefault-groups = \"all\"\n");
  EXPECT_THAT(names(*lock, request_), ElementsAre("a", "b", "lib"));
  folder_.write("pyproject.toml", "[tool.uv]\ndefault-groups = \"some\"\n");
  EXPECT_THROW(select(*lock, request_), Error);
}

// A project that can be built can be selected from: pyproject.toml has one limit, whoever reads it.
TEST_F(ReadLock, ALongProjectFileHasDefaultGroupsToo) {
  const auto lock = read("uv.lock", uv_lock);
  folder_.write("pyproject.toml", "[tool.uv]\ndefault-groups = []\n#" + std::string(5 << 20, ' '));
  request_.default_groups = DefaultGroups::taken;
  EXPECT_THAT(names(*lock, request_), ElementsAre("a"));
}

TEST_F(ReadLock, AFolderOfARequirementsFileIsCalledByItsProject) {
  folder_.write("lib/pyproject.toml", "[project]\nname = \"Some.Lib\"\n");
  EXPECT_THAT(names(*read("requirements.txt", "-e ./lib\n"), request_), ElementsAre("some-lib"));
}

}  // namespace
}  // namespace veneer::python
