// The copy that a project's own wheel is built from, in each state that a checkout can be in: what git says of it, and
// the wheel, against git and `uv build` in the checkout itself.
#include "python/supply/source_copy.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "archive/zip.hh"
#include "foundation/error.hh"
#include "python/supply/app_wheel.hh"
#include "tests/support/project_folder.hh"
#include "tests/unit/python/supply/find_sources.hh"
#include "tests/unit/python/supply/tiny_project.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::ProjectFolder;

constexpr const char* hatch_vcs_project = R"([project]
name = "tiny"
dynamic = ["version"]
requires-python = ">=3.8"
[build-system]
requires = ["hatchling==1.27.0", "hatch-vcs==0.5.0"]
build-backend = "hatchling.build"
[tool.hatch.version]
source = "vcs"
[tool.hatch.build.targets.wheel]
packages = ["src/tiny"]
)";

/// Its version tells how many files git shows as changed or new, and all below src/ gets into the wheel.
constexpr const char* counting_project = R"([project]
name = "tiny"
dynamic = ["version"]
requires-python = ">=3.8"
[build-system]
requires = ["setuptools==80.10.2"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
include-package-data = true
)";

constexpr const char* counting_setup = R"(import subprocess
from setuptools import setup
shown = subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True, text=True).stdout
setup(version=f"1.{len(shown.splitlines())}")
)";

/// A project, at a tag, whose repository has submodules inside of its package and beside it; made once.
const ProjectFolder& origin(const std::string& pyproject) {
  static std::map<std::string, ProjectFolder> made;
  const auto [known, is_new] = made.try_emplace(pyproject);
  const ProjectFolder& project = known->second;
  if (!is_new) return project;
  const auto repository = [&](const std::string& name, const std::map<std::string, std::string>& files) {
    const fs::path folder = project.beside(name);
    make_folders(folder);
    project.git({"-C", folder.native(), "init", "--quiet"});
    for (const auto& [file, text] : files) write_text_file(folder / file, text);
    project.git({"-C", folder.native(), "add", "--all"});
    project.git({"-C", folder.native(), "commit", "--quiet", "--allow-empty", "--message", "First"});
    return folder.native();
  };
  const std::string inner = repository("inner", {{"deep.py", "deep = 1\n"}});
  const std::string empty = repository("empty", {});
  const std::string library = repository("library", {{"lib.py", "lib = 1\n"}, {"page.html", "<p>"}});
  project.git({"-C", library, "submodule", "--quiet", "add", inner, "inner"});
  project.git({"-C", library, "commit", "--quiet", "--message", "With inner"});
  project.write("pyproject.toml", pyproject);
  project.write(".gitignore", "*.egg-info\nbuild/\n");
  project.write("src/tiny/__init__.py", "value = 1\n");
  project.write("src/tiny/data/page.html", "<p>");
  project.write("src/tiny/data/other.html", "<p>");
  project.write("docs/text.md", "text\n");
  if (pyproject == counting_project) {
    project.write("setup.py", counting_setup);
    project.write("MANIFEST.in", "graft src\n");
  }
  project.git({"init", "--quiet"});
  project.git({"submodule", "--quiet", "add", library, "src/tiny/library"});
  project.git({"submodule", "--quiet", "add", empty, "vendor/empty"});
  project.commit_all();
  project.git({"tag", "v1.2.3"});
  project.git({"config", "uploadpack.allowFilter", "true"});
  return project;
}

class Checkout {
 public:
  explicit Checkout(const std::string& pyproject) : origin_(origin(pyproject)) { clone(); }

  /// Makes path() a clone of the project.
  void clone(std::vector<std::string> options = {}) const {
    fs::remove_all(path());
    options.insert(options.begin(), {"clone", "--quiet"});
    options.insert(options.end(), {"file://" + origin_.path().native(), path().native()});
    origin_.git(std::move(options));
  }

  fs::path path() const { return beside("checkout"); }
  fs::path beside(const std::string& name) const { return folder_.path() / name; }
  fs::path library() const { return origin_.beside("library"); }
  void write(const std::string& name, std::string_view text) const {
    make_folders((path() / name).parent_path());
    write_text_file(path() / name, text);
  }

  /// In a folder beside the checkout.
  std::string git(const fs::path& folder, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", (folder_.path() / folder).native()});
    return origin_.git(std::move(arguments));
  }
  std::string git(std::vector<std::string> arguments) const { return git(path(), std::move(arguments)); }
  std::string index() const {
    return read_text_file(git({"rev-parse", "--path-format=absolute", "--git-path", "index"}), 1 << 20);
  }

 private:
  const ProjectFolder& origin_;
  TemporaryFolder folder_{fs::temp_directory_path(), "checkout"};
};

/// As long ago that git need not read the file to know that it is as it was.
void make_old(const fs::path& path) {
  const timespec old{tests::commit_time, 0};
  const std::array times = {old, old};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
}

/// What is left out of copies, in `folder`; git shows all of it unless its names are ignored.
void add_droppings(const Checkout& checkout, const std::string& folder) {
  for (const char* name :
       {"__pycache__/old.pyc", ".venv/pyvenv.cfg", "venv/bin/old.py", ".cache/old", "old.egg-info/PKG-INFO"}) {
    checkout.write(folder + name, "old");
  }
  if (!folder.empty()) return;  // a package may have folders of these names
  for (const char* name : {"build/old.py", "dist/old.whl"}) checkout.write(name, "old");
}

struct State {
  const char* name;
  std::function<void(Checkout&)> make;
};

std::ostream& operator<<(std::ostream& out, const State& state) { return out << state.name; }

/// Each of these shall build as `uv build` does it in the checkout.
const std::vector<State> states = {
    {"PlainClone", [](Checkout&) {}},
    {"SubmodulesInitialisedOnly",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "init"});
     }},
    {"SubmoduleWithoutFiles",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "update", "--init", "vendor/empty"});
     }},
    {"SubmodulesWithFiles",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "update", "--init", "--recursive"});
     }},
    {"SubmoduleThatChanged",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "update", "--init", "src/tiny/library"});
       checkout.write("src/tiny/library/lib.py", "lib = 2\n");
       checkout.write("src/tiny/library/new.py", "");
     }},
    {"SubmoduleAtAnotherCommit",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "update", "--init", "src/tiny/library"});
       checkout.git("checkout/src/tiny/library", {"checkout", "--quiet", "HEAD~1"});
     }},
    {"SparseCheckout",
     [](Checkout& checkout) {
       checkout.git({"sparse-checkout", "set", "--cone", "src"});
     }},
    {"SparseIndex",
     [](Checkout& checkout) {
       checkout.git({"sparse-checkout", "set", "--cone", "--sparse-index", "src"});
     }},
    {"SparseWithinThePackage",
     [](Checkout& checkout) {
       checkout.git({"sparse-checkout", "set", "--no-cone", "/*", "!/src/tiny/data/other.html"});
     }},
    {"SparseCloneWithoutBlobs",
     [](Checkout& checkout) {
       checkout.clone({"--filter=blob:none", "--sparse"});
       checkout.git({"sparse-checkout", "set", "--cone", "src"});
     }},
    {"SkipWorktreeOfAFileThatIsGone",
     [](Checkout& checkout) {
       checkout.git({"update-index", "--skip-worktree", "src/tiny/data/other.html"});
       fs::remove(checkout.path() / "src/tiny/data/other.html");
     }},
    {"SkipWorktreeOfAFileThatChanged",
     [](Checkout& checkout) {
       checkout.git({"update-index", "--skip-worktree", "src/tiny/__init__.py"});
       checkout.write("src/tiny/__init__.py", "value = 2\n");
     }},
    {"AssumeUnchangedOfAFileThatIsGone",
     [](Checkout& checkout) {
       checkout.git({"update-index", "--assume-unchanged", "src/tiny/data/other.html"});
       fs::remove(checkout.path() / "src/tiny/data/other.html");
     }},
    {"AssumeUnchangedOfAFileThatChanged",
     [](Checkout& checkout) {
       checkout.git({"update-index", "--assume-unchanged", "src/tiny/__init__.py"});
       checkout.write("src/tiny/__init__.py", "value = 2\n");
     }},
    {"AddedByIntent",
     [](Checkout& checkout) {
       checkout.write("src/tiny/new.py", "");
       checkout.git({"add", "--intent-to-add", "src/tiny/new.py"});
     }},
    {"ChangedAndGone",
     [](Checkout& checkout) {
       checkout.write("src/tiny/__init__.py", "value = 2\n");
       fs::remove(checkout.path() / "docs/text.md");
     }},
    {"DroppingsThatGitShows",
     [](Checkout& checkout) {
       add_droppings(checkout, "");
       for (const char* name : {"a.log", "docs/.coverage", "src/tiny/__pycache__/old.pyc"}) checkout.write(name, "old");
     }},
    {"DroppingsInSubmodules",
     [](Checkout& checkout) {
       checkout.git({"submodule", "--quiet", "update", "--init", "--recursive"});
       add_droppings(checkout, "vendor/empty/");
       checkout.write("vendor/empty/a.log", "old");
       checkout.write("src/tiny/library/inner/__pycache__/old.pyc", "old");
     }},
    {"WorktreeOfAnotherClone",
     [](Checkout& checkout) {
       checkout.git({"worktree", "add", "--quiet", "--detach", checkout.beside("worktree").native()});
       fs::rename(checkout.path(), checkout.beside("main"));
       fs::rename(checkout.beside("worktree"), checkout.path());
       checkout.git("main", {"worktree", "repair", checkout.path().native()});
       checkout.git({"submodule", "--quiet", "update", "--init", "--recursive"});
     }},
};

/// States that only git is asked about.
const std::vector<State> states_of_git = {
    {"SplitIndex",
     [](Checkout& checkout) {
       checkout.git({"update-index", "--split-index"});
     }},
    {"DetachedHead",
     [](Checkout& checkout) {
       checkout.git({"checkout", "--quiet", "v1.2.3"});
     }},
    {"Shallow", [](Checkout& checkout) { checkout.clone({"--depth=1"}); }},
    {"ChangedInTheSameSecondToTheSameSize",
     [](Checkout& checkout) {
       const fs::path file = checkout.path() / "src/tiny/__init__.py";
       make_old(file);
       checkout.git({"update-index", "--refresh"});
       std::ofstream(file) << "value = 2\n";
       make_old(file);
     }},
    {"TouchedButTheSame",
     [](Checkout& checkout) {
       make_old(checkout.path() / "docs/text.md");
       checkout.write("docs/text.md", "text\n");
     }},
    {"LineEndsThatGitWouldChange",
     [](Checkout& checkout) {
       checkout.write("crlf.txt", "a\r\nb\r\n");
       make_old(checkout.path() / "crlf.txt");
       checkout.git({"add", "crlf.txt"});
       checkout.git({"commit", "--quiet", "--message", "Line ends"});
       checkout.write(".gitattributes", "* text=auto\n");
       checkout.git({"add", ".gitattributes"});
       checkout.git({"commit", "--quiet", "--message", "Attributes"});
     }},
    {"LineEndsOfAnotherSystem",
     [](Checkout& checkout) {
       checkout.clone({"--config=core.autocrlf=true", "--config=core.eol=crlf"});
     }},
    {"AFilter",
     [](Checkout& checkout) {
       checkout.git({"config", "filter.upper.clean", "tr a-z A-Z"});
       checkout.git({"config", "filter.upper.smudge", "tr A-Z a-z"});
       checkout.write(".gitattributes", "*.up filter=upper\n");
       checkout.write("a.up", "small\n");
       checkout.git({"add", "--all"});
       checkout.git({"commit", "--quiet", "--message", "A filter"});
     }},
    {"Conflict",
     [](Checkout& checkout) {
       checkout.git({"checkout", "--quiet", "-b", "other"});
       checkout.write("docs/text.md", "other\n");
       checkout.git({"commit", "--quiet", "--all", "--message", "Other"});
       checkout.git({"checkout", "--quiet", "main"});
       checkout.write("docs/text.md", "main\n");
       checkout.git({"commit", "--quiet", "--all", "--message", "Main"});
       EXPECT_THROW(checkout.git({"merge", "--quiet", "other"}), Error);
     }},
    {"LinkInPlaceOfAFolder",
     [](Checkout& checkout) {
       fs::rename(checkout.path() / "docs", checkout.beside("docs"));
       fs::create_symlink(checkout.beside("docs"), checkout.path() / "docs");
     }},
    {"RepositoryWithinThatGitDoesNotTrack",
     [](Checkout& checkout) { fs::copy(checkout.library(), checkout.path() / "nested", fs::copy_options::recursive); }},
    {"RepositoryWithinWithoutFiles",
     [](Checkout& checkout) {
       checkout.git({"init", "--quiet", "nested"});
     }},
    {"RepositoryWithinOfWhichAllIsIgnored",
     [](Checkout& checkout) {
       fs::copy(checkout.library(), checkout.path() / "nested", fs::copy_options::recursive);
       checkout.write(".gitignore", "*.py\n*.html\n.gitmodules\ninner\n");
     }},
    {"DroppingsWhereByteCodeIsIgnored",
     [](Checkout& checkout) {
       checkout.write(".gitignore", "*.pyc\n.svn/\n");
       add_droppings(checkout, "");
     }},
    {"DroppingsWhereAllIsIgnoredButPrograms",
     [](Checkout& checkout) {
       checkout.write(".gitignore", "*\n!*/\n!*.py\n");
       add_droppings(checkout, "");
     }},
    {"NothingButDroppingsInANewFolder",
     [](Checkout& checkout) {
       checkout.write("new/build/old.py", "");
       checkout.write("new/a.log", "");
       checkout.write("new/deep/a.log", "");
     }},
    {"DroppingsWithNamesThatGitQuotes",
     [](Checkout& checkout) {
       for (const char* name : {":(top)\n\xff.log", "*caf\xc3\xa9/build/old.py"}) checkout.write(name, "");
     }},
    {"DroppingsThatAreLinks",
     [](Checkout& checkout) {
       fs::create_symlink("nowhere", checkout.path() / "a.log");
       fs::create_symlink("docs", checkout.path() / "dist");
     }},
    {"FilesInASubmoduleThatIsNotCheckedOut",
     [](Checkout& checkout) { checkout.write("vendor/empty/put_here.txt", "x"); }},
    {"NamesThatGitQuotes",
     [](Checkout& checkout) {
       for (const char* name : {"caf\xc3\xa9 \"x\"\\.txt", "line\nend.txt"}) checkout.write(name, "x");
       checkout.git({"add", "--all"});
       checkout.write("line\nend.txt", "changed");
       checkout.write("new\n\xff.txt", "x");
     }},
};

class SourceCopyTest : public testing::TestWithParam<State> {};

std::string name_of_state(const testing::TestParamInfo<State>& info) { return info.param.name; }

/// What git says of a work tree and of the submodules in it.
std::string git_says(const Checkout& checkout, const fs::path& work_tree) {
  std::string text;
  const std::vector<std::vector<std::string>> questions = {{"status", "--porcelain=v2", "-z"},
                                                           {"status", "--porcelain=v2", "--ignore-submodules=none"},
                                                           {"submodule", "foreach", "--recursive", "git status -s"},
                                                           {"ls-files", "--stage", "-v", "-z"},
                                                           {"ls-files", "--recurse-submodules", "-z"},
                                                           {"describe", "--tags", "--long", "--dirty"},
                                                           {"submodule", "status", "--recursive"},
                                                           {"rev-parse", "--abbrev-ref", "HEAD"},
                                                           {"diff-index", "--name-status", "-z", "HEAD"},
                                                           {"archive", "--format=tar", "HEAD"}};
  for (const auto& question : questions) text += question.front() + ":\n" + checkout.git(work_tree, question) + "\n";
  return text;
}

TEST_P(SourceCopyTest, LooksToGitAsTheOriginal) {
  Checkout checkout(setuptools_scm_project);
  GetParam().make(checkout);
  const std::string index = checkout.index();
  const fs::path copy = checkout.beside("copy");
  make_folders(copy);
  const ProjectSources sources = find_sources(checkout.path());
  copy_sources(sources, copy);
  EXPECT_TRUE(checkout.index() == index) << "the original was written to";
  EXPECT_EQ(git_says(checkout, copy), git_says(checkout, checkout.path()));
  EXPECT_EQ(find_sources(checkout.path()).fingerprint, sources.fingerprint);
}

INSTANTIATE_TEST_SUITE_P(Wheel, SourceCopyTest, testing::ValuesIn(states), name_of_state);
INSTANTIATE_TEST_SUITE_P(Git, SourceCopyTest, testing::ValuesIn(states_of_git), name_of_state);

/// "tiny.dist-info/RECORD" for "tiny-1.2.dist-info/RECORD".
std::set<std::string> without_version(const std::set<std::string>& members) {
  std::set<std::string> names;
  for (const std::string& name : members) {
    const std::size_t end = name.find(".dist-info/");
    names.insert(end == std::string::npos ? name : name.substr(0, name.find('-')) + name.substr(end));
  }
  return names;
}

// Needs the package index: the build requirements come from there.
class OwnWheelLikeUv : public testing::TestWithParam<State> {
 protected:
  void SetUp() override { VENEER_NEEDS_UV(); }

  static fs::path ours(const Checkout& checkout) {
    const Target target{
        .major = 3, .minor = 11, .full_version = "3.11.2", .libc = {}, .machine = "x86_64", .interpreter = {}};
    BuiltWheels cache(checkout.beside("cache"));
    return build_app_wheel(read_project(checkout.path()), target, find_uv(tests::uv_path()), cache).wheel.path;
  }

  static fs::path theirs(const Checkout& checkout) {
    Command command;
    command.arguments = {
        tests::uv_path().native(), "build", "--quiet", "--wheel", "--out-dir", checkout.beside("theirs").native(),
        checkout.path().native()};
    command.environment = {{"SOURCE_DATE_EPOCH", std::to_string(tests::commit_time)}};
    run_checked(command);
    for (const auto& entry : fs::directory_iterator(checkout.beside("theirs"))) {
      if (entry.path().extension() == ".whl") return entry.path();
    }
    return {};
  }

  static void compare(const std::string& pyproject, const State& state) {
    Checkout checkout(pyproject);
    state.make(checkout);
    const fs::path wheel = ours(checkout);
    const fs::path wanted = theirs(checkout);
    EXPECT_EQ(wheel.filename(), wanted.filename());
    EXPECT_EQ(members(wheel), members(wanted));
  }
};

TEST_P(OwnWheelLikeUv, IsTheOneThatUvBuildsInTheCheckout) { compare(setuptools_scm_project, GetParam()); }

INSTANTIATE_TEST_SUITE_P(Setuptools, OwnWheelLikeUv, testing::ValuesIn(states), name_of_state);

class OtherWheelLikeUv : public OwnWheelLikeUv {};

TEST_P(OtherWheelLikeUv, IsTheOneThatUvBuildsInTheCheckout) {
  compare(hatch_vcs_project, GetParam());
  compare(uv_build_project, GetParam());
}

std::vector<State> some_states() {
  std::vector<State> some;
  for (const State& state : states) {
    const std::string_view name = state.name;
    if (name == "PlainClone" || name == "SubmodulesWithFiles" || name == "SparseWithinThePackage" ||
        name == "AssumeUnchangedOfAFileThatChanged" || name == "DroppingsThatGitShows" ||
        name == "WorktreeOfAnotherClone") {
      some.push_back(state);
    }
  }
  return some;
}

INSTANTIATE_TEST_SUITE_P(HatchAndUv, OtherWheelLikeUv, testing::ValuesIn(some_states()), name_of_state);

class DroppingsTest : public OwnWheelLikeUv {};

TEST_F(DroppingsTest, AVersionThatCountsThemIsTheOneOfUv) {
  const auto some = [](Checkout& checkout) {
    for (const char* name : {"dist/old.whl", "docs/__pycache__/old.pyc", "a.log"}) checkout.write(name, "old");
  };
  compare(counting_project, {"three", some});
}

TEST_F(DroppingsTest, NoWheelHoldsAnythingInTheirPlace) {
  for (const char* pyproject : {setuptools_scm_project, counting_project, hatch_vcs_project, uv_build_project}) {
    SCOPED_TRACE(pyproject);
    Checkout checkout(pyproject);
    const std::set<std::string> clean = without_version(members(theirs(checkout)));
    checkout.clone();
    for (const char* folder : {"", "src/", "src/tiny/", "src/tiny/data/"}) add_droppings(checkout, folder);
    for (const char* name : {"a.log", "build/lib/tiny/old.py"}) checkout.write(name, "old");
    checkout.write(".gitignore", "");
    EXPECT_EQ(without_version(members(ours(checkout))), clean);
  }
}

// A wheel of one state must not serve another one of the same commit.
TEST(SourceFingerprint, DiffersFromStateToStateOfACommit) {
  Checkout checkout(setuptools_scm_project);
  std::map<std::string, std::string> seen;
  const auto look = [&](const char* name) {
    const auto [known, is_new] = seen.try_emplace(find_sources(checkout.path()).fingerprint.hex(), name);
    EXPECT_TRUE(is_new) << name << " has the key of " << known->second;
  };
  for (const State& state : states) {
    // They look like the plain clone, or are commits of their own.
    if (std::string_view(state.name) == "SparseIndex" || std::string_view(state.name) == "WorktreeOfAnotherClone")
      continue;
    checkout.clone();
    state.make(checkout);
    look(state.name);
  }
  checkout.clone();
  checkout.git({"checkout", "--quiet", "-b", "release/1"});
  look("another branch");
  checkout.git({"tag", "v2"});
  look("another tag");
  checkout.git({"config", "core.abbrev", "20"});
  look("another length of short names");
}

TEST(SourceFingerprint, HoldsOfDroppingsThatTheyAreThere) {
  Checkout checkout(setuptools_scm_project);
  checkout.write("a.log", "1");
  checkout.write("dist/old.whl", "1");
  const Hash first = find_sources(checkout.path()).fingerprint;
  checkout.write("a.log", "2");
  checkout.write("dist/another.whl", "1");
  EXPECT_EQ(find_sources(checkout.path()).fingerprint, first);
  fs::remove(checkout.path() / "a.log");
  EXPECT_NE(find_sources(checkout.path()).fingerprint, first);
}

/// What is pinned is no input of a build back end: one that looks at git must not find another version for it.
TEST(SourceFingerprint, IsTheSameWhateverIsPinned) {
  Checkout checkout(setuptools_scm_project);
  Hash first = find_sources(checkout.path()).fingerprint;
  int copies = 0;
  const auto look = [&](const std::string& pinned) {
    const ProjectSources sources = find_sources(checkout.path());
    EXPECT_EQ(sources.fingerprint, first);
    const fs::path copy = checkout.beside(fmt::format("copy{}", ++copies));
    make_folders(copy);
    copy_sources(sources, copy);
    EXPECT_EQ(run_checked(git_command(copy, {"status", "--porcelain"})), "");
    EXPECT_EQ(read_text_file_if_exists(copy / "veneer.lock", 100).value_or("none"), pinned);
  };
  checkout.write("veneer.lock", "1");
  look("none");
  checkout.git({"add", "veneer.lock"});
  look("none");
  checkout.git({"commit", "--quiet", "--message", "Pinned"});
  first = find_sources(checkout.path()).fingerprint;
  look("1");
  checkout.write("veneer.lock", "2");
  look("1");
  checkout.git({"add", "veneer.lock"});
  look("1");
  fs::remove(checkout.path() / "veneer.lock");
  look("1");
}

TEST(SourceTree, HasWhatBackEndsTakeAndNoSecrets) {
  ProjectFolder folder;
  folder.write("pyproject.toml", uv_build_project);
  folder.write("src/tiny/__init__.py", "");
  folder.write("src/tiny/kept.pem", "-----BEGIN PRIVATE KEY-----\n");
  folder.write(".gitignore", "dist/\nbuild/\n.env\n_version.py\n*.mo\n");
  folder.commit_all();
  for (const char* name :
       {"dist/tiny-1.0.whl", "build/lib/tiny/old.py", "src/tiny/static/dist/app.js", "src/tiny/build/a.js",
        "src/tiny/_version.py", "src/tiny/locale/a.mo", "src/tiny/.env.example", ".env", "src/tiny/.env",
        "src/tiny/id_rsa", "src/tiny/cacert.pem"}) {
    folder.write(name, "x");
  }
  folder.write("src/tiny/server.key", "-----BEGIN EC PRIVATE KEY-----\n");
  const auto tree = find_sources(folder.path()).tree;
  EXPECT_THAT(tree->paths, ElementsAre(".gitignore", "pyproject.toml", "src/tiny/.env.example", "src/tiny/__init__.py",
                                       "src/tiny/_version.py", "src/tiny/build/a.js", "src/tiny/cacert.pem",
                                       "src/tiny/kept.pem", "src/tiny/locale/a.mo", "src/tiny/static/dist/app.js"));
  EXPECT_THAT(tree->ignored, ElementsAre("src/tiny/_version.py", "src/tiny/build/a.js", "src/tiny/locale/a.mo",
                                         "src/tiny/static/dist/app.js"));
  std::set<std::string> secrets;
  for (const Secret& secret : tree->secrets) secrets.insert(secret.path);
  EXPECT_EQ(secrets, (std::set<std::string>{".env", "src/tiny/.env", "src/tiny/id_rsa", "src/tiny/server.key"}));
}

TEST(SourceTree, HasNoSecretsWithoutGit) {
  ProjectFolder folder;
  for (const char* name : {"a.py", ".env", "id_ed25519", "id_ed25519.pub"}) folder.write(name, "x");
  EXPECT_THAT(find_sources(folder.path()).tree->paths, ElementsAre("a.py", "id_ed25519.pub"));
}

TEST(SourceFingerprint, IsEqualForTwoClones) {
  Checkout checkout(setuptools_scm_project);
  const Hash first = find_sources(checkout.path()).fingerprint;
  fs::rename(checkout.path(), checkout.beside("first"));
  checkout.clone();
  EXPECT_EQ(find_sources(checkout.path()).fingerprint, first);
  EXPECT_EQ(find_sources(checkout.beside("first")).fingerprint, first);
}

TEST(CopySources, RefusesWhenFilesChangeMeanwhile) {
  Checkout checkout(setuptools_scm_project);
  const ProjectSources sources = find_sources(checkout.path());
  checkout.write("src/tiny/__init__.py", "value = 2\n");
  make_folders(checkout.beside("copy"));
  try {
    copy_sources(sources, checkout.beside("copy"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("src/tiny/__init__.py changed while it was copied"));
  }
}

// With this setting `git status` tells of the stash too, which no copy has.
TEST(CopySources, AreMadeOfACheckoutWithAStash) {
  Checkout checkout(setuptools_scm_project);
  checkout.write("docs/text.md", "stashed\n");
  checkout.git({"stash", "--quiet"});
  checkout.git({"config", "status.showStash", "true"});
  make_folders(checkout.beside("copy"));
  EXPECT_EQ(copy_sources(find_sources(checkout.path()), checkout.beside("copy")), checkout.beside("copy") / "");
}

TEST(CopySources, KeepsWhatGitSeesAndItsState) {
  ProjectFolder folder;
  folder.write("a.txt", "1");
  folder.write("run.sh", "#!/bin/sh\n", 0777);
  std::filesystem::create_symlink("a.txt", folder.path() / "link");
  folder.commit_all();
  folder.git({"tag", "v1"});
  folder.write("gone.txt", "1");
  folder.commit_all();
  std::filesystem::remove(folder.path() / "gone.txt");
  folder.write("a.txt", "2");
  folder.write("new.txt", "3");
  folder.git({"add", "new.txt"});
  const std::filesystem::path copy = folder.beside("copy");
  make_folders(copy);
  EXPECT_EQ(copy_sources(find_sources(folder.path()), copy), copy / "");
  const auto git_there = [&](std::vector<std::string> arguments) {
    return run_checked(git_command(copy, std::move(arguments)));
  };
  EXPECT_EQ(git_there({"status", "--porcelain"}), " M a.txt\n D gone.txt\nA  new.txt\n");
  EXPECT_EQ(git_there({"describe", "--tags", "--long"}), folder.git({"describe", "--tags", "--long"}) + "\n");
  EXPECT_EQ(git_there({"symbolic-ref", "HEAD"}), "refs/heads/main\n");
  EXPECT_EQ(std::filesystem::read_symlink(copy / "link"), "a.txt");
  EXPECT_EQ(std::filesystem::status(copy / "run.sh").permissions(), std::filesystem::perms(0755));
  EXPECT_EQ(std::filesystem::status(copy / "a.txt").permissions(), std::filesystem::perms(0644));
  // The copy shares nothing that could be changed.
  git_there({"-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "--all", "--message", "x"});
  EXPECT_EQ(folder.git({"rev-list", "--count", "HEAD"}), "2");
}

}  // namespace
}  // namespace veneer::python
