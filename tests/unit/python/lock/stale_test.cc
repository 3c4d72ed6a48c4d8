// A lock against edits of what it was made of: the verdict of `uv lock --check` for each, by the real uv, and ours.
#include "python/lock/stale.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "foundation/toml.hh"
#include "python/lock/read_lock.hh"
#include "tests/support/project_folder.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::ProjectFolder;

constexpr std::string_view root_project = R"([project]
name = "shop"
version = "1.0"
requires-python = ">=3.11,<4"
dependencies = ["one>=1, <3", "lib[fast]", "beside",
  "two ; platform_system == 'Windows'", "three>=1; python_version < '3.12'"]
[project.optional-dependencies]
big = ["four==1.0", "one>0.1 ; sys_platform == 'linux'"]
empty = []
[dependency-groups]
dev = ["five", {include-group = "more"}]
more = ["four>=1"]
[tool.uv]
no-index = true
find-links = ["wheels"]
constraint-dependencies = ["one<9"]
override-dependencies = ["four==1.0"]
build-constraint-dependencies = ["six<100"]
environments = ["sys_platform == 'linux'"]
[tool.uv.sources]
lib = { workspace = true }
beside = { path = "beside", editable = true }
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/old"]
)";

constexpr std::string_view lib_project = R"([project]
name = "lib"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["four"]
[project.optional-dependencies]
fast = ["five"]
[build-system]
requires = ["uv_build>=0.8,<2"]
build-backend = "uv_build"
)";

constexpr std::string_view beside_project = R"([project]
name = "beside"
version = "1.0"
dependencies = ["one"]
[tool.uv]
package = false
)";

/// A project whose every dependency lies in a folder, so that uv resolves without an index.
class LockedProject {
 public:
  LockedProject() {
    for (const char* name : {"one", "two", "three", "four", "five", "six"}) {
      for (const char* version : {"1.0", "2.0"}) {
        tests::WheelBuilder wheel;
        wheel.name = name;
        wheel.version = version;
        const Bytes bytes = tests::build_zip(wheel.all_members());
        folder.write(fmt::format("wheels/{}-{}-py3-none-any.whl", name, version), as_text(bytes));
      }
    }
    folder.write("pyproject.toml", root_project);
    folder.write("packages/lib/pyproject.toml", lib_project);
    folder.write("packages/lib/src/lib/__init__.py", "");
    folder.write("beside/pyproject.toml", beside_project);
    const CommandResult locked = uv({"lock", "--quiet"});
    if (locked.exit_code != 0) throw Error(ErrorKind::failed, locked.errors);
  }

  CommandResult uv(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = {tests::uv_path().native(), "--no-python-downloads", "--offline", "--project",
                         folder.path().native()};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.folder = folder.path();
    return run(command);
  }

  bool uv_accepts() const { return uv({"lock", "--check"}).exit_code == 0; }

  LockAge age(const std::vector<std::string>& groups = {}) const {
    const auto variable = [](const std::string&) { return std::nullopt; };
    return read_lock(folder.path() / "uv.lock", variable)->age("shop", groups);
  }

  ProjectFolder folder;
};

struct Edit {
  const char* name;
  const char* file;
  std::string_view from;  // empty: the new text is put at the end
  std::string_view to;
};

constexpr const char* root = "pyproject.toml";
constexpr const char* lib = "packages/lib/pyproject.toml";
constexpr const char* beside = "beside/pyproject.toml";

const std::vector<Edit> edits = {
    {"nothing", root, "", "\n# a comment\n"},
    {"spelling", root, "\"one>=1, <3\"", "\"One <3.0,>= 1.0\""},
    {"order", root, "\"lib[fast]\", \"beside\"", "\"beside\", \"lib[FAST]\""},
    {"marker spelled otherwise", root, "platform_system == 'Windows'", "sys_platform == \\\"win32\\\""},
    {"marker of the full version", root, "python_version < '3.12'", "python_full_version < '3.12.0'"},
    {"the same twice", root, "\"beside\",", "\"beside\", \"beside\","},
    {"specifier", root, "\"one>=1, <3\"", "\"one>=2, <3\""},
    {"specifier gone", root, "\"one>=1, <3\"", "\"one\""},
    {"dependency added", root, "\"beside\",", "\"beside\", \"six\","},
    {"dependency gone", root, "\"lib[fast]\", ", ""},
    {"another dependency", root, "\"two ;", "\"six ;"},
    {"extra of a dependency gone", root, "lib[fast]", "lib"},
    {"marker", root, "platform_system == 'Windows'", "platform_system == 'Linux'"},
    {"marker gone", root, " ; platform_system == 'Windows'", ""},
    {"marker's version", root, "python_version < '3.12'", "python_version < '3.13'"},
    {"dependency of an extra", root, "\"four==1.0\", \"one>0.1", "\"one>0.1"},
    {"specifier of an extra", root, "one>0.1", "one>0.2"},
    {"extra added", root, "empty = []", "empty = []\nother = []"},
    {"extra gone", root, "empty = []\n", ""},
    {"extra renamed", root, "big =", "large ="},
    {"extra spelled otherwise", root, "big =", "BIG ="},
    {"requires-python", root, ">=3.11,<4", ">=3.12,<4"},
    {"requires-python's upper bound", root, ">=3.11,<4", ">=3.11"},
    {"requires-python spelled otherwise", root, ">=3.11,<4", "<4.0, >=3.11.0"},
    {"constraint", root, "one<9", "one<8"},
    {"constraint gone", root, "constraint-dependencies = [\"one<9\"]\n", ""},
    {"override", root, "override-dependencies = [\"four==1.0\"]", "override-dependencies = [\"four==2.0\"]"},
    {"override added", root, "override-dependencies = [", "override-dependencies = [\"one==1.0\", "},
    {"override of what is not locked", root, "override-dependencies = [", "override-dependencies = [\"six==1.0\", "},
    {"constraint of what is not locked", root, "one<9\"", "one<9\", \"other<9\""},
    {"build constraint", root, "six<100", "six<101"},
    {"environments", root, "environments = [\"sys_platform == 'linux'\"]",
     "environments = [\"sys_platform == 'darwin'\"]"},
    {"environments gone", root, "environments = [\"sys_platform == 'linux'\"]\n", ""},
    {"required environments", root, "find-links", "required-environments = [\"sys_platform == 'linux'\"]\nfind-links"},
    {"excluded dependency", root, "find-links", "exclude-dependencies = [\"five\"]\nfind-links"},
    {"source gone", root, "beside = { path = \"beside\", editable = true }\n", ""},
    {"source elsewhere", root, "path = \"beside\"", "path = \"packages/old\""},
    {"a package now", root, "", "[build-system]\nrequires = [\"uv_build>=0.8,<2\"]\nbuild-backend = \"uv_build\"\n"},
    {"renamed", root, "name = \"shop\"", "name = \"store\""},
    {"members elsewhere", root, "packages/*", "other/*"},
    {"members by more stars", root, "packages/*", "**"},
    {"dependency of a member", lib, "\"four\"", "\"four\", \"six\""},
    {"extra of a member", lib, "fast = [\"five\"]", "fast = [\"six\"]"},
    {"requires-python of a member", lib, ">=3.10", ">=3.9"},
    {"stricter requires-python of a member", lib, ">=3.10", ">=3.12"},
    {"member renamed", lib, "name = \"lib\"", "name = \"library\""},
    {"no managed member", lib, "", "[tool.uv]\nmanaged = false\n"},
    {"dependency of a folder beside", beside, "\"one\"", "\"one\", \"six\""},
    {"resolution", root, "find-links", "resolution = \"lowest-direct\"\nfind-links"},
    {"resolution as it is anyway", root, "find-links", "resolution = \"highest\"\nfind-links"},
    {"prerelease", root, "find-links", "prerelease = \"allow\"\nfind-links"},
    {"prerelease as it is anyway", root, "find-links", "prerelease = \"if-necessary-or-explicit\"\nfind-links"},
    {"fork strategy", root, "find-links", "fork-strategy = \"fewest\"\nfind-links"},
    {"index strategy", root, "find-links", "index-strategy = \"unsafe-best-match\"\nfind-links"},
    {"exclude-newer", root, "find-links", "exclude-newer = \"2099-01-01T00:00:00Z\"\nfind-links"},
    {"exclude-newer by a span", root, "find-links", "exclude-newer = \"1 week\"\nfind-links"},
    {"exclude-newer of a package", root, "find-links", "exclude-newer-package = { one = \"1 week\" }\nfind-links"},
    {"exclude-newer of no package", root, "find-links", "exclude-newer-package = { one = false }\nfind-links"},
    {"conflicts", root, "find-links", "conflicts = [[{ extra = \"big\" }, { extra = \"empty\" }]]\nfind-links"},
    {"conflicts of a member", lib, "",
     "[tool.uv]\nconflicts = [[{ extra = \"fast\" }, { package = \"shop\", extra = \"big\" }]]\n"},
    {"dependency of a folder beside gone", beside, "dependencies = [\"one\"]\n", ""},
};

TEST(StaleLocksLikeUv, EachEditHasTheVerdictOfUv) {
  VENEER_NEEDS_UV();
  const LockedProject locked;
  ASSERT_TRUE(locked.uv_accepts()) << locked.uv({"lock", "--check"}).errors;
  std::size_t refused = 0;
  for (const Edit& edit : edits) {
    SCOPED_TRACE(edit.name);
    const std::string before = read_text_file(locked.folder.path() / edit.file, 1 << 20);
    std::string text = before;
    if (edit.from.empty()) {
      text += edit.to;
    } else {
      ASSERT_NE(text.find(edit.from), std::string::npos);
      text.replace(text.find(edit.from), edit.from.size(), edit.to);
    }
    locked.folder.write(edit.file, text);
    const bool is_accepted = locked.uv_accepts();
    const LockAge age = locked.age();
    EXPECT_EQ(age.differences.empty(), is_accepted) << testing::PrintToString(age.differences) << "\n"
                                                    << locked.uv({"lock", "--check"}).errors;
    fmt::print("{:40} {}\n", edit.name,
               is_accepted ? "up to date" : "stale: " + testing::PrintToString(age.differences));
    if (!is_accepted) ++refused;
    locked.folder.write(edit.file, before);
  }
  fmt::print("{} edits, {} stale\n", edits.size(), refused);
  EXPECT_TRUE(locked.age().differences.empty());
}

/// A project of which a part is dynamic, by a back end of its own that writes what its extras ask of each other in
/// full.
constexpr std::string_view own_extras_project = R"([project]
name = "shop"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["one"]
[project.optional-dependencies]
big = ["four==1.0", "shop[small] ; sys_platform == 'linux'"]
small = ["five", "shop[round]"]
round = ["shop[small]", "two>=1"]
all = ["shop[big,small]"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[tool.uv]
no-index = true
find-links = ["wheels"]
)";

constexpr std::string_view flattening_backend = R"py(
import pathlib

REQUIRED = {"": ["one"], "big": ["four==1.0", "five; sys_platform == 'linux'", "two>=1; sys_platform == 'linux'"],
            "small": ["five", "two>=1"], "round": ["two>=1", "five"],
            "all": ["four==1.0", "five", "two>=1", "five; sys_platform == 'linux'", "two>=1; sys_platform == 'linux'"]}

def prepare_metadata_for_build_wheel(folder, settings=None):
    place = pathlib.Path(folder) / "shop-1.0.dist-info"
    place.mkdir()
    lines = ["Metadata-Version: 2.1", "Name: shop", "Version: 1.0", "Requires-Python: >=3.11"]
    for extra, requirements in REQUIRED.items():
        lines += ["Provides-Extra: " + extra] if extra else []
        for one in requirements:
            name, _, marker = (part.strip() for part in one.partition(";"))
            markers = ["(" + marker + ")"] if marker else []
            markers += ["extra == '" + extra + "'"] if extra else []
            lines.append("Requires-Dist: " + name + ("; " + " and ".join(markers) if markers else ""))
    (place / "METADATA").write_text("\n".join(lines) + "\n")
    (place / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    return place.name

prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
)py";

TEST(StaleLocksLikeUv, AProjectMayAskForItself) {
  VENEER_NEEDS_UV();
  LockedProject locked;
  fs::remove_all(locked.folder.path() / "packages");
  locked.folder.write("backend.py", flattening_backend);
  // The lock holds what the back end wrote, and what stands in pyproject.toml.
  for (const bool is_dynamic : {true, false}) {
    SCOPED_TRACE(is_dynamic);
    std::string project(own_extras_project);
    const std::string dynamic = "dynamic = [\"version\"]";
    if (!is_dynamic) project.replace(project.find(dynamic), dynamic.size(), "version = \"1.0\"");
    fs::remove(locked.folder.path() / "uv.lock");
    locked.folder.write("pyproject.toml", project);
    ASSERT_EQ(locked.uv({"lock", "--quiet"}).exit_code, 0) << locked.uv({"lock"}).errors;
    const std::string lock = read_text_file(locked.folder.path() / "uv.lock", 1 << 20);
    EXPECT_EQ(lock.find("{ name = \"shop\", extras") == std::string::npos, is_dynamic) << lock;
    ASSERT_TRUE(locked.uv_accepts());
    EXPECT_EQ(locked.age().differences, std::vector<std::string>());
    // A dependency of an extra that others reach by asking for it.
    const std::string two = "two>=1";
    std::string changed = project;
    locked.folder.write("pyproject.toml", changed.replace(changed.find(two), two.size(), "two>=2"));
    std::string backend(flattening_backend);
    for (std::size_t at = 0; (at = backend.find(two, at)) != std::string::npos; ++at) backend[at + 5] = '2';
    locked.folder.write("backend.py", backend);
    EXPECT_FALSE(locked.uv_accepts());
    EXPECT_FALSE(locked.age().differences.empty());
    locked.folder.write("backend.py", flattening_backend);
  }
}

/// The same settings in uv's own words and in others, and none at all.
TEST(StaleLocksLikeUv, SettingsOfTheResolutionAreThoseOfTheLock) {
  VENEER_NEEDS_UV();
  const LockedProject locked;
  const auto settings = [&](const std::string& lines) {
    std::string text(root_project);
    text.replace(text.find("find-links"), 0, lines);
    locked.folder.write(root, text);
  };
  const auto expect_verdict_of_uv = [&](const std::string& lines) {
    settings(lines);
    const bool is_accepted = locked.uv_accepts();
    EXPECT_EQ(locked.age().differences.empty(), is_accepted)
        << lines << testing::PrintToString(locked.age().differences);
    return is_accepted;
  };
  settings(R"(exclude-newer = "30 days"
resolution = "lowest"
exclude-newer-package = { one = "2099-01-01T00:00:00Z", two = "P2D" }
conflicts = [[{ group = "more" }, { extra = "big" }], [{ extra = "empty" }, { package = "lib", extra = "fast" }]]
)");
  ASSERT_EQ(locked.uv({"lock", "--quiet"}).exit_code, 0) << locked.uv({"lock"}).errors;
  EXPECT_TRUE(locked.uv_accepts());
  EXPECT_THAT(locked.age().differences, testing::IsEmpty());
  EXPECT_TRUE(expect_verdict_of_uv(R"(exclude-newer = "P30D"
resolution = "lowest"
exclude-newer-package = { two = "2 days", one = "2099-01-01T02:00:00+02:00" }
conflicts = [[{ extra = "big" }, { group = "more" }], [{ package = "lib", extra = "fast" }, { extra = "EMPTY" }]]
)"));
  EXPECT_FALSE(expect_verdict_of_uv(R"(exclude-newer = "31 days"
resolution = "lowest"
exclude-newer-package = { one = "2099-01-01T00:00:00Z", two = "P2D" }
conflicts = [[{ group = "more" }, { extra = "big" }], [{ extra = "empty" }, { package = "lib", extra = "fast" }]]
)"));
  EXPECT_FALSE(expect_verdict_of_uv(R"(exclude-newer = "30 days"
resolution = "lowest"
exclude-newer-package = { one = "2099-01-01T00:00:00Z", two = "P2D" }
conflicts = [[{ group = "more" }, { extra = "big" }]]
)"));
  EXPECT_FALSE(expect_verdict_of_uv(""));
  EXPECT_THAT(locked.age().differences,
              testing::UnorderedElementsAre(HasSubstr("conflict of extra big and group dev"),
                                            HasSubstr("conflict of extra big and group more"),
                                            HasSubstr("conflict of extra fast and extra empty")));
  EXPECT_THAT(locked.age().not_compared,
              testing::UnorderedElementsAre(
                  HasSubstr("resolution of [tool.uv] is \"highest\", in the lock \"lowest\": it was given to"),
                  HasSubstr("exclude-newer of [tool.uv] is not set, in the lock \"P30D\""),
                  HasSubstr("exclude-newer-package of one"), HasSubstr("exclude-newer-package of two")));
}

/// What the user's own uv.toml says is no difference; what nobody says may have been an option of `uv lock`.
TEST(StaleLocks, SettingsOfTheUserCount) {
  ProjectFolder folder;
  folder.write("pyproject.toml", "[project]\nname = \"shop\"\nversion = \"1\"\nrequires-python = \">=3.11\"\n");
  folder.write("uv.lock", R"(version = 1
requires-python = ">=3.11"
[options]
exclude-newer = "2026-01-02T05:00:00Z"
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
)");
  const auto age = [&](const std::string& home) {
    const auto variable = [&](const std::string& name) {
      return name == "HOME" ? std::optional((folder.path() / home).native()) : std::nullopt;
    };
    return read_lock(folder.path() / "uv.lock", variable)->age("shop", {});
  };
  EXPECT_THAT(age("elsewhere").differences, testing::IsEmpty());
  EXPECT_THAT(age("elsewhere").not_compared, testing::ElementsAre(HasSubstr("exclude-newer of [tool.uv] is not set")));
  folder.write("home/.config/uv/uv.toml", "exclude-newer = \"2026-01-01\"\n");  // New York's end of that day
  EXPECT_THAT(age("home").differences, testing::IsEmpty());
  folder.write("home/.config/uv/uv.toml", "exclude-newer = \"2026-01-03\"\n");
  EXPECT_THAT(age("home").differences, testing::SizeIs(1));
}

/// These uv refuses, and a build does not: nothing of the image hangs on them.
TEST(StaleLocksLikeUv, OwnVersionAndOtherGroupsMayDiffer) {
  VENEER_NEEDS_UV();
  const LockedProject locked;
  const auto edit = [&](std::string_view from, std::string_view to) {
    std::string text(root_project);
    text.replace(text.find(from), from.size(), to);
    locked.folder.write(root, text);
  };
  edit("version = \"1.0\"", "version = \"1.1\"");
  EXPECT_TRUE(locked.age().differences.empty());
  edit("more = [\"four>=1\"]", "more = [\"four>=1.0.1\"]");
  EXPECT_FALSE(locked.uv_accepts());
  EXPECT_TRUE(locked.age().differences.empty());
  EXPECT_THAT(locked.age({"dev"}).differences, testing::ElementsAre(HasSubstr("group dev: ")));
  EXPECT_THAT(locked.age({"more"}).differences, testing::ElementsAre(HasSubstr("group more: ")));
  edit("dependencies = [\"one", "dynamic = [\"dependencies\"]\nother = [\"one");
  EXPECT_TRUE(locked.age().differences.empty());
  EXPECT_THAT(locked.age().not_compared, testing::ElementsAre(HasSubstr("the dependencies of shop are dynamic")));
}

Value toml(std::string_view text) { return parse_toml(text); }

/// Sources that no test can reach.
TEST(StaleLocks, SourcesAreCompared) {
  const Lock lock = parse_uv_lock(R"(version = 1
revision = 3
requires-python = ">=3.11"
[[package]]
name = "shop"
version = "1.0"
source = { virtual = "." }
[package.metadata]
requires-dist = [
  { name = "a", git = "https://git.example/a?tag=v1&subdirectory=python" },
  { name = "b", git = "https://git.example/b?rev=main" },
  { name = "c", url = "https://files.example/c-1.0-py3-none-any.whl" },
  { name = "d", specifier = ">=1", index = "https://index.example/cpu" },
  { name = "e", marker = "sys_platform == 'linux'", url = "https://files.example/e.whl" },
  { name = "e", marker = "sys_platform != 'linux'", specifier = ">=2" },
]
)");
  const std::string project = R"([project]
name = "shop"
version = "2.0"
requires-python = ">=3.11"
dependencies = ["a", "b @ git+https://git.example/b@main", 
  "c @ https://files.example/c-1.0-py3-none-any.whl", "d>=1", "e>=2"]
[tool.uv.sources]
a = { git = "https://git.example/a", tag = "v1", subdirectory = "python" }
d = { index = "cpu" }
e = [{ url = "https://files.example/e.whl", marker = "sys_platform == 'linux'" }]
[[tool.uv.index]]
name = "cpu"
url = "https://index.example/cpu"
explicit = true
)";
  const auto differences = [&](std::string_view from, std::string_view to) {
    std::string text = project;
    text.replace(text.find(from), from.size(), to);
    LockSurroundings surroundings;
    surroundings.project = [&](const std::string& folder) {
      return folder == "." ? std::optional(toml(text)) : std::nullopt;
    };
    surroundings.folders = [](const auto&, const auto&) { return std::vector<std::string>(); };
    return compare_with_projects(lock, surroundings, "shop", {}).differences;
  };
  EXPECT_THAT(differences("2.0", "2.0"), testing::IsEmpty());
  // uv leaves user and password out of the lock.
  for (const char* url : {"index.example/cpu\"", "git.example/a\"", "files.example/e.whl\""}) {
    EXPECT_THAT(differences(url, std::string("me:s3cret@") + url), testing::IsEmpty()) << url;
  }
  EXPECT_THAT(differences("tag = \"v1\"", "tag = \"v2\""), testing::ElementsAre(HasSubstr("tag=v2")));
  EXPECT_THAT(differences("@main", "@next"), testing::ElementsAre(HasSubstr("rev=next")));
  EXPECT_THAT(differences("c-1.0-", "c-1.1-"), testing::SizeIs(1));
  EXPECT_THAT(differences("/cpu\"", "/cuda\""), testing::SizeIs(1));
  EXPECT_THAT(
      differences("e.whl\", marker = \"sys_platform == 'linux'\"", "e.whl\", marker = \"sys_platform == 'win32'\""),
      testing::SizeIs(2));
}

TEST(StaleLocks, WhatALockWithoutMetadataGivesIsCompared) {
  Selection selection;
  for (const char* name : {"one", "two"}) {
    SelectedPackage package;
    package.name = name;
    package.version = "1.5";
    selection.packages.push_back(package);
  }
  selection.unusable = {"three"};
  const Target target{
      .major = 3, .minor = 12, .full_version = "3.12.1", .libc = {}, .machine = "x86_64", .interpreter = {}};
  const auto unmet = [&](std::string_view dependencies, const std::vector<std::string>& extras = {}) {
    return unmet_requirements(
        toml(fmt::format(
            "[project]\nname = \"shop\"\ndependencies = {}\n[project.optional-dependencies]\nbig = [\"six\"]\n",
            dependencies)),
        selection, target, extras);
  };
  EXPECT_THAT(unmet(R"(["One>=1", "two", "three", "shop[big]", "four; python_version < '3.12'"])"), testing::IsEmpty());
  EXPECT_THAT(unmet(R"(["one>=2"])"), testing::ElementsAre("pyproject.toml says 'one>=2', the lock has one 1.5"));
  EXPECT_THAT(unmet(R"(["four"])"), testing::ElementsAre("'four' is not in the lock"));
  EXPECT_THAT(unmet("[]", {"big"}), testing::ElementsAre("'six' is not in the lock"));
}

}  // namespace
}  // namespace veneer::python
