#include "python/project/python_request.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"

namespace veneer::python {
namespace {

using testing::HasSubstr;

TEST(PythonRequest, EveryFormThatUvReads) {
  const auto read = [](std::string_view text) {
    const PythonRequest request = parse_python_request(text);
    return request.exact.empty() ? request.specifiers : request.exact;
  };
  for (const char* text : {"3.12", "312", "cp312", "cpython@3.12", "cpython3.12", "cpython-3.12", "python3.12",
                           "python312", " 3.12 ", "v3.12", "any-3.12", "CPython@3.12", "cpython-3.12-linux-x86_64-gnu"})
    EXPECT_EQ(read(text), "==3.12.*") << text;
  EXPECT_EQ(read("3"), "==3.*");
  EXPECT_EQ(read("3.12.4"), "3.12.4");
  EXPECT_EQ(read("cpython-3.12.4-linux-x86_64-gnu"), "3.12.4");
  EXPECT_EQ(read("3.15rc1"), "3.15.0rc1");
  EXPECT_EQ(read("3.15.0b2"), "3.15.0b2");
  EXPECT_EQ(read(">=3.11, <3.13"), "<3.13,>=3.11");
  EXPECT_EQ(read("cpython>=3.11,<3.12"), "<3.12,>=3.11");
  EXPECT_EQ(read("~=3.12.0"), "~=3.12.0");
  for (const char* text : {"cpython", "any", "default", "python"}) EXPECT_EQ(read(text), "") << text;
}

TEST(PythonRequest, OthersAreRefusedByName) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"pypy", "is PyPy"},
      {"pypy@3.10", "is PyPy"},
      {"pp310", "is PyPy"},
      {"pypy3.10-7.3.12", "is PyPy"},
      {"graalpy-3.11", "is GraalPy"},
      {"pyodide", "is Pyodide"},
      {"3.13t", "free-threaded"},
      {"cp313t", "free-threaded"},
      {"3.13.1t", "free-threaded"},
      {"3.13td", "free-threaded"},
      {"3.14+freethreaded", "free-threaded"},
      {"cpython-3.13.0+freethreaded-linux-x86_64-gnu", "free-threaded"},
      {"3.13d", "debug build"},
      {"3.13+debug", "debug build"},
      {"/usr/bin/python3", "a path"},
      {"./venv", "a path"},
      {"2.7", "not Python 3"},
      {"mypython", "no version"},
      {"3.12.x", "no version"},
      {"3.12.*", "no version"},
      {"3.12.4.5", "no version"},
      {"3.99999.4", "no version"},
      {"3.dev1", "no version"},
      {"", "no version"},
      {">=x", "no version specifiers"},
  };
  for (const auto& [text, why] : cases) {
    try {
      parse_python_request(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
      EXPECT_THAT(error.what(), HasSubstr(why)) << text;
      EXPECT_FALSE(error.hint().empty()) << text;
    }
  }
}

TEST(PythonRequest, APatchLevelIsExact) {
  EXPECT_TRUE(satisfies(parse_python_request("3.12.4"), "3.12.4"));
  EXPECT_FALSE(satisfies(parse_python_request("3.12.4"), "3.12.5"));
  EXPECT_TRUE(satisfies(parse_python_request("3.12"), "3.12.5"));
  EXPECT_FALSE(satisfies(parse_python_request("3.15rc1"), "3.15.0"));
  EXPECT_TRUE(satisfies(parse_python_request("any"), "3.9.1"));
}

TEST(VersionFile, TheFirstLineThatSaysSomething) {
  const auto line = read_version_file("# ours\r\n\r\n 3.12\r\n3.11\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "3.12");
  EXPECT_EQ(line->line, 3u);
  EXPECT_FALSE(read_version_file("# nothing\n\n"));
}

TEST(VersionFile, OfTheFolderOrTheNearestParentUpToTheRoot) {
  const TemporaryFolder top(std::filesystem::temp_directory_path(), "version-file");
  const std::filesystem::path root = top.path() / "workspace";
  make_folders(root / "members" / "one");
  write_text_file(top.path() / ".python-version", "3.8\n");
  EXPECT_FALSE(find_version_file(root / "members" / "one", root));
  write_text_file(root / ".python-version", "3.12\n");
  EXPECT_EQ(find_version_file(root / "members" / "one", root)->place, ".python-version:1");
  write_text_file(root / "members" / ".python-versions", "\n3.11\n3.10\n");
  const auto found = find_version_file(root / "members" / "one", root);
  EXPECT_EQ(found->place, "members/.python-versions:2");
  EXPECT_EQ(found->request.specifiers, "==3.11.*");
  write_text_file(root / "members" / "one" / ".python-version", "# nothing\n");
  EXPECT_EQ(find_version_file(root / "members" / "one", root)->place, "members/.python-versions:2");
  write_text_file(root / "members" / ".python-version", "pypy@3.10\n");
  try {
    find_version_file(root / "members" / "one", root);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("members/.python-version:1"));
  }
}

}  // namespace
}  // namespace veneer::python
