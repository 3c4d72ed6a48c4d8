#include "setup/generated_file.hh"

#include <gtest/gtest.h>

#include "foundation/digest.hh"

namespace veneer::setup {
namespace {

const GeneratedFile makefile{"veneer.mk", "image:\n\tveneer build\n", Comments::hash, "targets"};
const GeneratedFile page{"docs/page.md", "# Page\n", Comments::markup, "a page"};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

TEST(GeneratedFileTest, TheFirstLineHasVersionAndHash) {
  EXPECT_EQ(text_of(makefile, "1.2.3"), "# Made by veneer 1.2.3 (veneer init); sha256:" + sha256(makefile.body).hex() +
                                            " of what follows\n" + makefile.body);
  EXPECT_TRUE(text_of(page, "1.2.3").starts_with("<!-- Made by veneer 1.2.3 (veneer init); sha256:"));
  EXPECT_NE(text_of(page, "1.2.3").find(" of what follows -->\n# Page\n"), std::string::npos);
  for (const GeneratedFile& file : {makefile, page}) {
    const auto stamp = read_stamp(text_of(file, "1.2.3"));
    ASSERT_TRUE(stamp);
    EXPECT_EQ(stamp->version, "1.2.3");
    EXPECT_EQ(stamp->hash, sha256(file.body).hex());
  }
}

TEST(GeneratedFileTest, OtherFirstLinesAreNoStamps) {
  for (const char* text :
       {"", "\n", "# Made by hand\n", "# Made by veneer 1 (veneer init); sha256:12 of what follows\n",
        "# Made by veneer 1 (veneer init)", "FROM scratch\n"}) {
    EXPECT_FALSE(read_stamp(text)) << text;
  }
  EXPECT_FALSE(read_stamp("\n" + text_of(makefile, "1"))) << "a second line";
}

TEST(GeneratedFileTest, WhatIsThereDecides) {
  const std::string now = text_of(makefile, "1.2.3");
  const auto state = [](const std::optional<std::string>& there) { return compare(makefile, "1.2.3", there); };
  EXPECT_EQ(state({}).state, FileState::absent);
  EXPECT_TRUE(state({}).is_stale);
  EXPECT_EQ(state(now).state, FileState::same);
  EXPECT_FALSE(state(now).is_stale);

  const Comparison older = state(text_of(makefile, "1.0"));
  EXPECT_EQ(older.state, FileState::ours);
  EXPECT_TRUE(older.is_stale);
  EXPECT_EQ(older.version, "1.0");
  GeneratedFile other = makefile;
  other.body += "push:\n";
  EXPECT_EQ(state(text_of(other, "1.2.3")).state, FileState::ours);

  const Comparison edited = state(now + "mine:\n");
  EXPECT_EQ(edited.state, FileState::edited);
  EXPECT_FALSE(edited.is_stale) << "what it was made from is what would be made now";
  const Comparison stale = state(text_of(other, "1.2.3") + "mine:\n");
  EXPECT_EQ(stale.state, FileState::edited);
  EXPECT_TRUE(stale.is_stale);

  const Comparison theirs = state("image:\n\tdocker build .\n");
  EXPECT_EQ(theirs.state, FileState::theirs);
  EXPECT_FALSE(theirs.is_stale);
  EXPECT_EQ(state("").state, FileState::theirs);
}

TEST(GeneratedFileTest, LineBreaksOfWindowsAreNoEdit) {
  std::string text = text_of(makefile, "1.2.3");
  for (std::size_t i = text.find('\n'); i != std::string::npos; i = text.find('\n', i + 2)) text.insert(i, "\r");
  EXPECT_EQ(compare(makefile, "1.2.3", text).state, FileState::same);
  EXPECT_EQ(compare(makefile, "2", text).state, FileState::ours);
  EXPECT_EQ(compare(makefile, "1.2.3", replaced(text, "build", "plan")).state, FileState::edited);
}

}  // namespace
}  // namespace veneer::setup
