#include "python/supply/build_failure.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::python {
namespace {

TEST(FindMissing, KnowsHowToolsSayIt) {
  struct Row {
    std::string output;
    std::string what;
  };
  for (const Row& row : std::vector<Row>{
           {"cext.c:2:10: fatal error: ffi/ffi.h: No such file or directory", "the header ffi/ffi.h"},
           {"x.c:1:10: fatal error: 'lber.h' file not found", "the header lber.h"},
           {"/usr/bin/ld: cannot find -lpq: No such file or directory", "the library pq"},
           {"/usr/bin/ld: cannot find -lz", "the library z"},
           {"ld.lld: error: unable to find library -lssl", "the library ssl"},
           {"error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
            "the compiler x86_64-linux-gnu-gcc"},
           {"unable to execute 'gcc': No such file or directory", "the compiler gcc"},
           {"ERROR: Unknown compiler(s): [['icc'], ['cc']]", "the compiler icc"},
           {"  No CMAKE_CXX_COMPILER could be found.", "a CXX compiler"},
           {"error: linker `cc` not found", "the linker cc"},
           {"error: can't find Rust compiler", "the Rust compiler"},
           {"Cargo, the Rust package manager, is not installed or is not on PATH.", "cargo, Rust's package manager"},
           {"Error: pg_config executable not found.", "the program pg_config"},
           {"/bin/sh: 1: mysql_config: not found", "the program mysql_config"}}) {
    const auto missing = find_missing("building\n" + row.output + "\nfailed\n");
    ASSERT_TRUE(missing) << row.output;
    EXPECT_EQ(missing->what, row.what);
    EXPECT_FALSE(missing->hint.empty());
  }
  EXPECT_EQ(find_missing("Error: pg_config executable not found.")->package, "libpq-dev");
  EXPECT_EQ(find_missing("/bin/sh: 1: own_config: not found")->package, "");
  EXPECT_THAT(find_missing("fatal error: Python.h: No such file")->hint, ::testing::HasSubstr("python3-dev"));
}

TEST(FindMissing, TakesTheFirstAndGuessesNothing) {
  EXPECT_EQ(find_missing("a.c:1: fatal error: a.h: No such file\nb.c:1: fatal error: b.h: No such file")->what,
            "the header a.h");
  EXPECT_FALSE(find_missing("error: expected ';' before '}' token\n"));
  EXPECT_FALSE(find_missing(""));
  EXPECT_FALSE(find_missing("fatal error: \x1b[0m"));
}

}  // namespace
}  // namespace veneer::python
