// Every pylock.toml of the corpus is read, or refused for a stated reason.
#include "python/lock/pylock.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "app/selection_request.hh"
#include "foundation/error.hh"
#include "tests/support/corpus.hh"

namespace veneer::python {
namespace {

TEST(PylockConformance, EveryFileIsReadAndSelectedFrom) {
  VENEER_NEEDS_CORPUS();
  const Target target = app::parse_target("3.12.7", "linux/amd64", "glibc-2.36");
  std::map<std::string, int> counts;
  for (const auto& entry : std::filesystem::directory_iterator(tests::corpus_folder() / "pylock")) {
    const std::string name = entry.path().filename().native();
    SCOPED_TRACE(name);
    EXPECT_TRUE(is_pylock_name(name));
    const std::string text = tests::read_corpus("pylock/" + name);
    const Pylock lock = parse_pylock(text);
    try {
      const Selection selection = select(lock, target, {});
      EXPECT_LE(selection.packages.size(), lock.packages.size());
      ++counts["selected from"];
    } catch (const Error& error) {
      // The tests that the files come from have put "[X]" where a patch version stood.
      EXPECT_NE(text.find("[X]"), std::string::npos) << error.what();
      ++counts[fmt::format("refused: {}", error.message())];
    }
  }
  for (const auto& [what, count] : counts) fmt::print("{:5} {}\n", count, what);
  EXPECT_GE(counts["selected from"], 15);
}

}  // namespace
}  // namespace veneer::python
