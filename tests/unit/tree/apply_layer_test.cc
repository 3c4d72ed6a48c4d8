#include "tree/apply_layer.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "tests/support/tar_builder.hh"

namespace veneer::tree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::TarBuilder;

std::shared_ptr<const archive::Content> keep(const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
  return std::make_shared<archive::MemoryContent>(read_all(data, entry.size));
}

std::string text_of(const FileTree& tree, std::string_view path) {
  const Inode* inode = tree.find(path);
  if (inode == nullptr || !inode->content) return "<none>";
  const Bytes bytes = read_all(*inode->content->open(), 1000);
  return std::string(as_text(bytes));
}

/// A tree to which layers are applied one after another.
class Stack {
 public:
  AppliedLayer add(const TarBuilder& layer) {
    const std::string tar = layer.finish();
    MemorySource source(as_bytes(tar));
    return apply_layer(tree, source, next_++, keep);
  }
  std::string refusal(const TarBuilder& layer) {
    try {
      add(layer);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
      return error.what();
    }
    ADD_FAILURE() << "the layer was accepted";
    return {};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [path, entry] : tree.entries()) result.push_back(path);
    return result;
  }

  FileTree tree;

 private:
  std::size_t next_ = 0;
};

TEST(ApplyLayer, Case19OpaqueMarkerHidesLowerLayersOnly) {
  Stack stack;
  stack.add(TarBuilder().folder("a").folder("a/b").file("a/b/foo"));
  stack.add(TarBuilder().folder("a").file("a/.wh..wh..opq", ""));
  EXPECT_THAT(stack.names(), ElementsAre("a"));

  Stack late;
  late.add(TarBuilder().folder("a").folder("a/b").file("a/b/foo"));
  late.add(TarBuilder().folder("a").file("a/new").file("a/.wh..wh..opq", ""));
  EXPECT_THAT(late.names(), ElementsAre("a", "a/new"));
}

TEST(ApplyLayer, WhiteoutsHideLowerLayersWhereverTheyStand) {
  for (const bool is_first : {true, false}) {
    Stack stack;
    stack.add(TarBuilder().file("d/a", "old").file("d/b", "b").file("d/sub/x", "x"));
    TarBuilder layer;
    if (is_first) layer.file("d/.wh.a", "").file("d/.wh.sub", "");
    layer.file("d/a", "new").file("d/sub/y", "y");
    if (!is_first) layer.file("d/.wh.a", "").file("d/.wh.sub", "");
    stack.add(layer);
    EXPECT_THAT(stack.names(), ElementsAre("d", "d/a", "d/b", "d/sub", "d/sub/y"));
    EXPECT_EQ(text_of(stack.tree, "d/a"), "new");
  }
}

TEST(ApplyLayer, WhiteoutsOfWhatIsNotThereHideNothing) {
  Stack stack;
  stack.add(TarBuilder().file("a"));
  stack.add(TarBuilder().file(".wh.b", "").file("c/.wh.d", "").file("c/.wh..wh..opq", ""));
  EXPECT_THAT(stack.names(), ElementsAre("a", "c"));
}

TEST(ApplyLayer, OpaqueRootHidesEverything) {
  Stack stack;
  stack.add(TarBuilder().file("a").file("b/c"));
  stack.add(TarBuilder().file(".wh..wh..opq", "").file("new"));
  EXPECT_THAT(stack.names(), ElementsAre("new"));
}

TEST(ApplyLayer, Case20WhiteoutsWithoutANameAreErrorsThatNameLayerAndMember) {
  for (const std::string name : {".wh.", ".wh..", ".wh..."}) {
    Stack stack;
    stack.add(TarBuilder().file("d/a"));
    const std::string text = stack.refusal(TarBuilder().file("d/" + name, ""));
    EXPECT_THAT(text, HasSubstr("layer 2"));
    EXPECT_THAT(text, HasSubstr("'d/" + name + "'"));
    EXPECT_THAT(stack.names(), ElementsAre("d", "d/a"));
  }
}

TEST(ApplyLayer, ReservedAndNestedWhiteoutNamesAreRefused) {
  Stack stack;
  EXPECT_THAT(stack.refusal(TarBuilder().file(".wh..wh.foo", "")), HasSubstr("reserved"));
  EXPECT_THAT(stack.refusal(TarBuilder().file("a/.wh.x/y", "")), HasSubstr("nothing below"));
}

TEST(ApplyLayer, MetadataOfAufsIsPassedOver) {
  Stack stack;
  stack.add(TarBuilder().file(".wh..wh.aufs", "").folder(".wh..wh.plnk").file(".wh..wh.plnk/1.2").file("a"));
  EXPECT_THAT(stack.names(), ElementsAre("a"));
}

TEST(ApplyLayer, SmolvmPr401WhiteoutStoredAsHardLinkIsAWhiteout) {
  Stack stack;
  stack.add(TarBuilder().file("keep", "k").file("gone"));
  stack.add(TarBuilder().hard_link(".wh.gone", "keep"));
  EXPECT_THAT(stack.names(), ElementsAre("keep"));
  EXPECT_EQ(text_of(stack.tree, "keep"), "k");
}

TEST(ApplyLayer, Kaniko2308WhiteoutBelowANewLinkIsForTheOldFolder) {
  Stack stack;
  stack.add(TarBuilder().file("d/x").file("target/x"));
  stack.add(TarBuilder().file("d/.wh.x", "").symlink("d", "target"));
  EXPECT_THAT(stack.names(), ElementsAre("d", "target", "target/x"));
  EXPECT_EQ(stack.tree.find("d")->type, archive::EntryType::symlink);
}

TEST(ApplyLayer, HardLinksShareTheInode) {
  Stack stack;
  stack.add(TarBuilder().file("a", "one").hard_link("b", "a").symlink("s", "a").hard_link("t", "s"));
  EXPECT_EQ(stack.tree.find("a"), stack.tree.find("b"));
  EXPECT_EQ(stack.tree.find("s"), stack.tree.find("t"));
  EXPECT_EQ(stack.tree.find("t")->type, archive::EntryType::symlink);
  const AppliedLayer applied = stack.add(TarBuilder().hard_link("c", "a").file("a", "two"));
  EXPECT_EQ(text_of(stack.tree, "c"), "one");
  EXPECT_EQ(text_of(stack.tree, "b"), "one");
  EXPECT_EQ(text_of(stack.tree, "a"), "two");
  EXPECT_THAT(applied.findings, Contains(HasSubstr("lower layer")));
}

TEST(ApplyLayer, HardLinksToNothingFoldersOrThemselvesAreRefused) {
  Stack stack;
  stack.add(TarBuilder().folder("d").file("a").symlink("l", "/etc"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("h", "nope")), HasSubstr("does not exist"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("h", "d")), HasSubstr("is a folder"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("a", "a")), HasSubstr("itself"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("h", "l/hostname")), HasSubstr("does not exist"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("h", "../a")), HasSubstr("'..'"));
  EXPECT_THAT(stack.refusal(TarBuilder().file(".wh.a", "").hard_link("h", "a")), HasSubstr("does not exist"));
}

TEST(ApplyLayer, Case22HardLinksWithAbsoluteTargetsStayInTheRoot) {
  Stack stack;
  stack.add(TarBuilder().file("a", "one").hard_link("b", "/a"));
  EXPECT_EQ(stack.tree.find("a"), stack.tree.find("b"));
  EXPECT_THAT(stack.refusal(TarBuilder().hard_link("h", "/etc/shadow")), HasSubstr("does not exist"));
}

TEST(ApplyLayer, Case23FoldersReplaceLinksOfLowerLayersAndAreFindings) {
  for (const bool is_listed : {true, false}) {
    Stack stack;
    stack.add(TarBuilder().file("usr/lib/libc.so").symlink("lib", "usr/lib"));
    TarBuilder layer;
    if (is_listed) layer.folder("lib");
    const AppliedLayer applied = stack.add(layer.file("lib/x.so"));
    EXPECT_THAT(stack.names(), ElementsAre("lib", "lib/x.so", "usr", "usr/lib", "usr/lib/libc.so"));
    EXPECT_EQ(stack.tree.find("lib")->type, archive::EntryType::folder);
    EXPECT_THAT(applied.findings, Contains(HasSubstr("replaces a symbolic link to 'usr/lib'")));
  }
}

TEST(ApplyLayer, LinksOfTheLayerItselfAreFollowedInsideTheRoot) {
  Stack stack;
  const AppliedLayer applied = stack.add(TarBuilder().folder("tmp").symlink("l", "../../../../tmp").file("l/x"));
  EXPECT_TRUE(stack.tree.contains("tmp/x"));
  EXPECT_THAT(applied.findings, Contains(HasSubstr("'tmp/x' through a symbolic link")));
  EXPECT_THAT(stack.refusal(TarBuilder().file("../x")), HasSubstr("'..'"));
  EXPECT_THAT(stack.refusal(TarBuilder().file("tmp/../../x")), HasSubstr("'..'"));
  EXPECT_THAT(stack.refusal(TarBuilder().file("../../tmp/.wh.x", "")), HasSubstr("'..'"));
}

TEST(ApplyLayer, FoldersThatAreNotListedKeepTheirAttributes) {
  Stack stack;
  stack.add(TarBuilder().folder("d", 0700).file("d/a"));
  stack.add(TarBuilder().file("d/b"));
  EXPECT_EQ(stack.tree.find("d")->mode, 0700u);
  EXPECT_EQ(stack.tree.entries().at("d").layer, 0u);
}

TEST(ApplyLayer, ParentsThatAreLoopsOrFilesOfTheLayerAreRefused) {
  Stack stack;
  EXPECT_THAT(stack.refusal(TarBuilder().symlink("x", "y").symlink("y", "x").file("x/a")), HasSubstr("40"));
  EXPECT_THAT(stack.refusal(TarBuilder().file("f").file("f/a")), HasSubstr("not a folder"));
}

TEST(ApplyLayer, TheLastEntryOfANameWins) {
  Stack stack;
  stack.add(TarBuilder().file("a", "1").file("a", "2").file("d/x").file("d", "file"));
  EXPECT_EQ(text_of(stack.tree, "a"), "2");
  EXPECT_EQ(text_of(stack.tree, "d"), "file");
  EXPECT_THAT(stack.names(), ElementsAre("a", "d"));
}

TEST(ApplyLayer, FolderOverFolderChangesItsAttributesOnly) {
  Stack stack;
  stack.add(TarBuilder().folder("d", 0755).file("d/a"));
  stack.add(TarBuilder().folder("d", 0700));
  EXPECT_THAT(stack.names(), ElementsAre("d", "d/a"));
  EXPECT_EQ(stack.tree.find("d")->mode, 0700u);
  EXPECT_EQ(stack.tree.entries().at("d").layer, 1u);
  EXPECT_EQ(stack.tree.entries().at("d/a").layer, 0u);
}

TEST(ApplyLayer, TheRootsOwnEntryIsPassedOver) {
  Stack stack;
  stack.add(TarBuilder().add("./", '5').file("./a"));
  EXPECT_THAT(stack.names(), ElementsAre("a"));
}

TEST(ApplyLayer, OverlayWhiteoutDevicesAreRefusedOthersKept) {
  Stack stack;
  EXPECT_THAT(stack.refusal(TarBuilder().device("d/a", 0, 0)), HasSubstr("0:0"));
  stack.add(TarBuilder().device("null", 1, 3));
  EXPECT_EQ(stack.tree.find("null")->device_major, 1u);
  EXPECT_EQ(stack.tree.find("null")->device_minor, 3u);
}

TEST(ApplyLayer, CountsWhatTheLayerLists) {
  Stack stack;
  const AppliedLayer applied =
      stack.add(TarBuilder().folder("d").file("d/a", "abc").file("b", "de").symlink("s", "b").file(".wh.x", ""));
  EXPECT_EQ(applied.folders, 1u);
  EXPECT_EQ(applied.files, 2u);
  EXPECT_EQ(applied.file_bytes, 5u);
  EXPECT_EQ(applied.links, 1u);
  EXPECT_EQ(applied.whiteouts, 1u);
  EXPECT_THAT(applied.findings, IsEmpty());
}

TEST(ApplyLayer, TenThousandFoldersDeepAreRefusedInBoundedTime) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "d/";
  deep += "f";
  const std::string record = "path=" + deep + "\n";
  std::string length = std::to_string(record.size() + 6);
  Stack stack;
  const std::string text = stack.refusal(TarBuilder().pax(length + " " + record).file("short"));
  EXPECT_THAT(text, HasSubstr("layer 1"));
}

}  // namespace
}  // namespace veneer::tree
