#include "setup/unified_diff.hh"

#include <gtest/gtest.h>

#include <random>

#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/temporary.hh"

namespace veneer::setup {
namespace {

TEST(UnifiedDiffTest, AsDiffPrintsIt) {
  EXPECT_EQ(unified_diff("a\n", "a\n", "f"), "");
  EXPECT_EQ(unified_diff("", "a\nb\n", "f"), "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
  EXPECT_EQ(unified_diff("a\nb\nc\n", "a\nx\nc\n", "f"), "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
  EXPECT_EQ(unified_diff("a", "a\nb\n", "f"),
            "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n");
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n", "f"),
            "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -6,4 +7,3 @@\n 6\n 7\n 8\n-9\n");
}

/// git puts every diff back, whatever it is of.
TEST(UnifiedDiffTest, GitAppliesIt) {
  std::mt19937 random(17);
  const TemporaryFolder folder(testing::TempDir(), "diff");
  const auto text = [&] {
    std::string lines;
    for (std::size_t count = random() % 30; count > 0; --count) lines += std::string(1, "abc\r"[random() % 4]) + "\n";
    return lines + (random() % 4 == 0 ? "end" : "end\n");
  };
  for (int i = 0; i < 40; ++i) {
    const std::string from = text();
    const std::string to = text();
    if (from == to) continue;
    write_text_file(folder.path() / "file", from);
    write_text_file(folder.path() / "diff", unified_diff(from, to, "file"));
    Command command;
    command.arguments = {"git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "diff"};
    command.folder = folder.path();
    command.environment["GIT_CEILING_DIRECTORIES"] = testing::TempDir();
    const CommandResult result = run(command);
    ASSERT_EQ(result.exit_code, 0) << result.errors << unified_diff(from, to, "file");
    EXPECT_EQ(read_text_file(folder.path() / "file", 1 << 20), to);
  }
}

TEST(UnifiedDiffTest, LongPartsAreReplacedAsAWhole) {
  std::string from;
  std::string to;
  for (int i = 0; i < 3000; ++i) {
    from += "a" + std::to_string(i) + "\n";
    to += "b" + std::to_string(i) + "\n";
  }
  const std::string diff = unified_diff(from, to, "f");
  EXPECT_NE(diff.find("@@ -1,3000 +1,3000 @@\n-a0\n-a1\n"), std::string::npos);
}

}  // namespace
}  // namespace veneer::setup
