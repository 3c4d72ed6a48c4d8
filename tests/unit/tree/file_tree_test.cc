#include "tree/file_tree.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "tests/support/errors.hh"

namespace veneer::tree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::refusal;

InodePointer file(std::string_view text) {
  return make_file(std::make_shared<archive::MemoryContent>(text), 0644, 0, 0, 0);
}
InodePointer folder() { return make_folder(0755, 0, 0, 0); }
InodePointer link(std::string target) { return make_symlink(std::move(target), 0, 0, 0); }

std::vector<std::string> names(const FileTree& tree) {
  std::vector<std::string> result;
  for (const auto& [path, entry] : tree.entries()) result.push_back(path);
  return result;
}

TEST(FileTree, PutMakesMissingParents) {
  FileTree tree;
  tree.put("a/b/c", file("x"));
  EXPECT_THAT(names(tree), ElementsAre("a", "a/b", "a/b/c"));
  EXPECT_EQ(tree.find("a/b")->mode, 0755u);
  Inode parent;
  parent.mode = 0700;
  parent.uid = 7;
  tree.set_missing_parent(parent);
  tree.put("d/e", file("x"), 3);
  EXPECT_EQ(tree.find("d")->uid, 7u);
  EXPECT_EQ(tree.entries().at("d").layer, 3u);
}

TEST(FileTree, FolderOverFolderKeepsWhatIsBelow) {
  FileTree tree;
  tree.put("a/b", file("x"));
  tree.put("a", make_folder(0700, 0, 0, 0));
  EXPECT_THAT(names(tree), ElementsAre("a", "a/b"));
  EXPECT_EQ(tree.find("a")->mode, 0700u);
}

TEST(FileTree, FileOverFolderReplacesTheSubtreeAndNothingElse) {
  FileTree tree;
  for (const char* path : {"a/b/c", "a-b", "a.b", "a0", "ab"}) tree.put(path, file("x"));
  tree.put("a", file("y"));
  EXPECT_THAT(names(tree), ElementsAre("a", "a-b", "a.b", "a0", "ab"));
}

TEST(FileTree, RemoveTakesTheSubtree) {
  FileTree tree;
  for (const char* path : {"a/b/c", "a-b", "d"}) tree.put(path, file("x"));
  tree.remove("a");
  tree.remove("never there");
  EXPECT_THAT(names(tree), ElementsAre("a-b", "d"));
  tree.remove_below("");
  EXPECT_TRUE(tree.empty());
}

TEST(FileTree, RefusesWhatNoFileSystemHolds) {
  FileTree tree;
  for (const char* path : {"", "/a", "a/", "a//b", ".", "a/./b", "..", "a/../b"}) {
    EXPECT_THAT(refusal([&] { tree.put(path, file("x")); }), HasSubstr("part that is empty")) << path;
  }
  EXPECT_THAT(refusal([&] { tree.put(std::string_view("a\0b", 3), file("x")); }), HasSubstr("NUL"));
  tree.put(std::string(255, 'n'), file("x"));
  EXPECT_THAT(refusal([&] { tree.put(std::string(256, 'n'), file("x")); }), HasSubstr("255"));
  tree.put("f", file("x"));
  EXPECT_THAT(refusal([&] { tree.put("f/g", file("x")); }), HasSubstr("'f', which is not a folder"));
}

TEST(FileTree, DeepPathsAreBounded) {
  FileTree tree;
  std::string deep = "d";
  while (deep.size() + 2 <= 4095) deep += "/d";
  tree.put(deep, file("x"));
  EXPECT_EQ(tree.size(), 2048u);
  EXPECT_THAT(refusal([&] { tree.put(deep + "/d", file("x")); }), HasSubstr("4095"));
  // Many such paths would be gigabytes of made-up parents.
  EXPECT_THAT(refusal([&] {
                for (int i = 0; i < 1000; ++i) {
                  std::string path = std::to_string(100000 + i);
                  while (path.size() + 2 <= 4095) path += "/d";
                  tree.put(path, file("x"));
                }
              }),
              HasSubstr("MiB of names"));
}

TEST(FileTree, WhatEntriesHoldBesideContentIsBounded) {
  Inode attributes;
  attributes.xattrs["user.x"] = std::string(1 << 20, 'x');
  for (const InodePointer& inode :
       {InodePointer(std::make_shared<Inode>(attributes)), link(std::string(1 << 20, 'x'))}) {
    FileTree tree;
    for (int i = 0; i < 400; ++i) {  // what is replaced or removed counts no more
      tree.put("same", inode);
      tree.put("removed", inode);
      tree.remove("removed");
    }
    EXPECT_THAT(refusal([&] {
                  for (int i = 0; i < 400; ++i) tree.put(std::to_string(i), inode);
                }),
                HasSubstr("MiB of names"));
  }
}

TEST(FileTree, ResolveFollowsLinksInsideTheRoot) {
  FileTree tree;
  tree.put("usr/lib/x.so", file("x"));
  tree.put("lib", link("usr/lib"));
  tree.put("absolute", link("/usr/lib"));
  tree.put("usr/up", link("../../../../lib"));
  tree.put("nowhere", link("missing"));
  tree.put("root", link("/"));
  EXPECT_EQ(tree.resolve("lib/x.so"), "usr/lib/x.so");
  EXPECT_EQ(tree.resolve("lib"), "usr/lib");
  EXPECT_EQ(tree.resolve("absolute/x.so"), "usr/lib/x.so");
  EXPECT_EQ(tree.resolve("usr/up/x.so"), "usr/lib/x.so");
  EXPECT_EQ(tree.resolve("nowhere"), std::nullopt);
  EXPECT_EQ(tree.resolve("usr/lib/x.so/y"), std::nullopt);
  EXPECT_EQ(tree.resolve("root"), "");
  EXPECT_EQ(tree.resolve("root/usr/../lib/x.so"), "usr/lib/x.so");
  EXPECT_EQ(tree.resolve(""), "");
}

TEST(FileTree, ResolveStopsAfterFortyLinks) {
  FileTree tree;
  tree.put("x", link("y"));
  tree.put("y", link("x"));
  EXPECT_THAT(refusal([&] { tree.resolve("x"); }), HasSubstr("40"));
  EXPECT_THAT(refusal([&] { tree.locate("x/f"); }), HasSubstr("40"));
  tree.put("0", folder());
  for (int i = 1; i <= 41; ++i) tree.put(std::to_string(i), link(std::to_string(i - 1)));
  EXPECT_EQ(tree.resolve("40"), "0");
  EXPECT_THAT(refusal([&] { tree.resolve("41"); }), HasSubstr("40"));
}

TEST(FileTree, LocateFollowsParentsOnly) {
  FileTree tree;
  tree.put("usr/lib", folder());
  tree.put("lib", link("usr/lib"));
  tree.put("nowhere", link("missing"));
  tree.put("f", file("x"));
  tree.put("root", link("/"));
  EXPECT_EQ(tree.locate("lib"), "lib");
  EXPECT_EQ(tree.locate("lib/a/b"), "usr/lib/a/b");
  EXPECT_EQ(tree.locate("new/a/b"), "new/a/b");
  EXPECT_EQ(tree.locate("root/x"), "x");
  EXPECT_THAT(refusal([&] { tree.locate("nowhere/x"); }), HasSubstr("does not exist"));
  EXPECT_THAT(refusal([&] { tree.locate("f/x"); }), HasSubstr("not a folder"));
}

}  // namespace
}  // namespace veneer::tree
