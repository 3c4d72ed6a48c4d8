#include "python/lock/requirements.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "foundation/error.hh"
#include "tests/support/errors.hh"
#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::refuses;

const std::string a64(64, 'a');
const std::string b64(64, 'b');

auto parsing(const std::string& text) {
  return [text] { parse_requirements(text); };
}

Selection selected(const std::string& text) {
  return select(parse_requirements(text), some_target(), {}, [](const std::string& path) { return "name-of-" + path; });
}

TEST(Requirements, ReadsWhatUvExports) {
  const RequirementsFile file = parse_requirements(
      "# made by a tool\n"
      "anyio==3.7.0 ; python_full_version >= '3.8' \\\n"
      "    --hash=sha256:" +
      a64 +
      " \\\n"
      "    --hash=sha256:" +
      b64 +
      "\n"
      "    # via project\n"
      "idna[all]===3.6  # a comment\n");
  ASSERT_EQ(file.lines.size(), 2u);
  EXPECT_EQ(file.lines[0].name, "anyio");
  EXPECT_EQ(file.lines[0].version, "3.7.0");
  EXPECT_THAT(file.lines[0].hashes, ElementsAre("sha256:" + a64, "sha256:" + b64));
  EXPECT_EQ(file.lines[0].marker.text(), "python_full_version >= \"3.8\"");
  EXPECT_EQ(file.lines[1].name, "idna");
  EXPECT_EQ(file.lines[1].version, "3.6");
}

TEST(Requirements, LineEndsOfWindowsAndAByteOrderMark) {
  const RequirementsFile file = parse_requirements(
      "\xef\xbb\xbf"
      "a==1 \\\r\n  --hash=sha256:" +
      a64 + "\r\nb==2\r\n");
  ASSERT_EQ(file.lines.size(), 2u);
  EXPECT_THAT(file.lines[0].hashes, ElementsAre("sha256:" + a64));
}

TEST(Requirements, KeepsOptionsForTheIndex) {
  const RequirementsFile file = parse_requirements(
      "--index-url https://index.example/simple\n--extra-index-url=https://two.example\n-f ./wheels\n--require-hashes\n"
      "a==1\n");
  EXPECT_THAT(file.index_options, ElementsAre("--index-url https://index.example/simple",
                                              "--extra-index-url https://two.example", "--find-links ./wheels"));
}

TEST(Requirements, FillsInVariablesOfTheEnvironment) {
  const Variables variables = [](const std::string& name) -> std::optional<std::string> {
    if (name == "USER_1") return "me";
    if (name == "LINES") return "a\nb==1";
    return std::nullopt;
  };
  const auto file = [&](const std::string& text) { return parse_requirements(text, variables); };
  EXPECT_THAT(file("-i https://${USER_1}:${USER_1}@i.example/\n--find-links=https://${UNKNOWN}:${lower}@i.example/${}\n"
                   "-f ${USER_1}/wheels\n")
                  .index_options,
              ElementsAre("--index-url https://me:me@i.example/",
                          "--find-links https://${UNKNOWN}:${lower}@i.example/${}", "--find-links me/wheels"));
  EXPECT_EQ(file("a @ https://${USER_1}@h.example/a-1-py3-none-any.whl").lines.at(0).location,
            "https://me@h.example/a-1-py3-none-any.whl");
  EXPECT_EQ(file("-e ${USER_1}/a").lines.at(0).location, "me/a");
  EXPECT_THAT([&] { file("-i https://${LINES}@i.example/"); }, refuses("the variable LINES has a line end"));
  EXPECT_THAT([&] { file("a @ https://${UNKNOWN}@h.example/a-1-py3-none-any.whl"); },
              refuses("a variable in https://***@h"));
}

TEST(Requirements, RefusesMalformedUrls) {
  EXPECT_THAT(parsing("a==1\n-i https://u:p@ho[st/simple\n"), refuses("line 2: the URL https://*** is malformed"));
  EXPECT_THAT(parsing("-f u:p@host/simple"), refuses("the URL ***@host/simple is malformed"));
  for (const char* path : {"./a@2", "/a@2", "a", "a@2/b"}) {
    EXPECT_EQ(parse_requirements("-f " + std::string(path)).index_options.size(), 1u) << path;
  }
  for (const char* url : {"https://u:p@host.example/", "HTTPS://u:p@host.example/a", "-e https://u:p@host.example/a",
                          "a @ ftp://u:p@host.example/a"}) {
    EXPECT_THAT([&] { selected(url); }, refuses("://***@host.example/")) << url;
  }
  EXPECT_EQ(selected("-e FILE:///a/b").packages.at(0).location, "/a/b");
}

TEST(Requirements, RefusesByNameWhatIsNoLock) {
  EXPECT_THAT(parsing("a>=1\n"), refuses("line 1: a is not pinned"));
  EXPECT_THAT(parsing("\na\n"), refuses("line 2: a is not pinned"));
  EXPECT_THAT(parsing("a==1.*\n"), refuses("not pinned"));
  EXPECT_THAT(parsing("a==1,!=2\n"), refuses("not pinned"));
  EXPECT_THAT(parsing("-r other.txt\n"), refuses("includes another file, other.txt"));
  EXPECT_THAT(parsing("-c other.txt\n"), refuses("includes another file"));
  EXPECT_THAT(parsing("--no-binary :all:\n"), refuses("the option --no-binary is not supported"));
  EXPECT_THAT(parsing("a==1 --config-settings=x\n"), refuses("the option --config-settings=x"));
  EXPECT_THAT(parsing("a==1 --hash=md5:00\n"), refuses("no hash of SHA-256"));
  EXPECT_THAT(parsing("a==1 --hash=sha256:zz\n"), refuses("no hash of SHA-256"));
  EXPECT_THAT(parsing("a @ https://${TOKEN}@host.example/a-1-py3-none-any.whl\n"), refuses("a variable in"));
  EXPECT_THAT(parsing("a==1 --hash=sha256:zz https://u:p@h.example"), refuses("something that is none"));
  EXPECT_THAT(parsing("a==1 ; colour == 'red'\n"), refuses("no variable of markers"));
}

TEST(Requirements, SelectsByMarkerAndSorts) {
  const Selection selection =
      selected("b==1\na==1 ; sys_platform == 'win32'\na==2 ; sys_platform == 'linux' --hash=sha256:" + a64 + "\n");
  ASSERT_EQ(selection.packages.size(), 2u);
  EXPECT_EQ(selection.packages[0].name, "a");
  EXPECT_EQ(selection.packages[0].version, "2");
  EXPECT_EQ(selection.packages[0].kind, PackageKind::release);
  EXPECT_THAT(selection.packages[0].hashes, ElementsAre("sha256:" + a64));
  EXPECT_THAT([] { selected("a==1\nA==2\n"); }, refuses("a is there twice"));
  EXPECT_THAT([] { selected("a==1 ; platform_release == '6'\n"); }, refuses("kernel of the host"));
}

TEST(Requirements, FoldersFilesAndCommits) {
  const std::string commit(40, 'c');
  const Selection selection = selected(
      "-e .\n-e ./child\n./other\n"
      "w @ https://h.example/w-1.0-py3-none-any.whl --hash=sha256:" +
      a64 +
      "\n"
      "g @ git+https://h.example/g.git@" +
      commit +
      "#subdirectory=a%2Fb\n"
      "./wheels/p-2.0-py3-none-any.whl\n");
  std::map<std::string, SelectedPackage> by_name;
  for (const SelectedPackage& package : selection.packages) by_name[package.name] = package;
  ASSERT_EQ(by_name.size(), 6u);
  EXPECT_TRUE(by_name["name-of-."].is_project);
  EXPECT_TRUE(by_name["name-of-child"].is_project);
  EXPECT_FALSE(by_name["name-of-other"].is_project);
  EXPECT_EQ(by_name["name-of-other"].kind, PackageKind::tree);
  EXPECT_EQ(by_name["w"].hash->hex(), a64);
  EXPECT_EQ(by_name["w"].location, "https://h.example/w-1.0-py3-none-any.whl");
  EXPECT_EQ(by_name["g"].git_commit, commit);
  EXPECT_EQ(by_name["g"].subdirectory, "a/b");
  EXPECT_EQ(by_name["g"].location, "https://h.example/g.git");
  EXPECT_EQ(by_name["p"].version, "2.0");
  EXPECT_THAT([] { selected("g @ git+https://h.example/g.git@main\n"); }, refuses("g is not pinned to a commit"));
}

TEST(Requirements, ErrorsTellNoUserInfo) {
  for (const std::string line :
       {"a @ https://u:secret@host.example/a.tar.gz junk", "a @ git+https://u:secret@host.example/a@main",
        "git+https://u:secret@host.example/a@main", "https://u:secret@host.example/a.whl ; platform_release == '1'"}) {
    try {
      selected(line + "\n");
      FAIL() << line;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret"))) << line;
    }
  }
}

TEST(Requirements, ExtrasAndGroupsWereChosenWhenItWasMade) {
  for (const auto list : {&SelectOptions::extras, &SelectOptions::groups, &SelectOptions::default_groups,
                          &SelectOptions::excluded_groups, &SelectOptions::packages}) {
    SelectOptions options;
    options.*list = {"x"};
    EXPECT_THAT([&] { select(parse_requirements("a==1\n"), some_target(), options, {}); }, refuses("knows no extras"));
  }
}

TEST(Requirements, SeveralHashesOfAFileAreAllKept) {
  const Selection selection =
      selected("w @ https://h.example/w-1.0-py3-none-any.whl --hash=sha256:" + a64 + " --hash=sha256:" + b64 + "\n");
  EXPECT_FALSE(selection.packages[0].hash.has_value());
  EXPECT_THAT(selection.packages[0].hashes, ElementsAre("sha256:" + a64, "sha256:" + b64));
}

TEST(Requirements, AHashOfAnotherKindIsLeftToTheDownload) {
  const Pylock index = parse_pylock(
      "lock-version = \"1.0\"\ncreated-by = \"x\"\n[[packages]]\nname = \"a\"\nversion = \"1.0\"\n"
      "wheels = [{ url = \"https://h.example/a-1.0-py3-none-any.whl\", hashes = { sha256 = \"" +
      a64 + "\" } }]\n");
  const std::string sha512 = "sha512:" + a64 + b64;
  const Selection selection = fill_in(selected("a==1.0 --hash=" + sha512 + "\n"), index, some_target());
  EXPECT_FALSE(selection.packages[0].hash.has_value());
  EXPECT_THAT(selection.packages[0].hashes, ElementsAre(sha512));
}

Pylock index_of(const std::string& wheel_hash, const std::string& sdist_hash) {
  return parse_pylock(
      "lock-version = \"1.0\"\ncreated-by = \"x\"\n[[packages]]\nname = \"a\"\nversion = \"1.0\"\n"
      "sdist = { url = \"https://h.example/a-1.0.tar.gz\", hashes = { sha256 = \"" +
      sdist_hash +
      "\" } }\n"
      "wheels = [{ url = \"https://h.example/a-1.0-py3-none-any.whl\", hashes = { sha256 = \"" +
      wheel_hash + "\" } }]\n");
}

TEST(Requirements, FillsInTheBestFileWithAHashThatIsAskedFor) {
  const Pylock index = index_of(a64, b64);
  const auto filled = [&](const std::string& text) { return fill_in(selected(text), index, some_target()); };
  EXPECT_EQ(filled("a==1 --hash=sha256:" + a64 + " --hash=sha256:" + b64 + "\n").packages[0].kind, PackageKind::wheel);
  EXPECT_EQ(filled("a==1 --hash=sha256:" + b64 + "\n").packages[0].kind, PackageKind::sdist);
  EXPECT_THAT(filled("a==1 --hash=sha256:" + std::string(64, 'c') + "\n").unusable, ElementsAre("a"));
  EXPECT_THAT(filled("a==2 --hash=sha256:" + a64 + "\n").unusable, ElementsAre("a"));
  // What the index says of a file is no promise of the lock.
  EXPECT_FALSE(filled("a==1.0\n").packages[0].hash.has_value());
}

}  // namespace
}  // namespace veneer::python
