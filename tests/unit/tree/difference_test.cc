#include "tree/difference.hh"

#include <gmock/gmock.h>

#include <random>

#include "archive/compression.hh"
#include "foundation/error.hh"
#include "tests/support/same_tree.hh"
#include "tests/support/validate_layer.hh"
#include "tree/apply_layer.hh"
#include "tree/hashed_content.hh"

namespace veneer::tree {
namespace {

using archive::EntryType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

InodePointer file(std::string_view text, std::uint32_t mode = 0644) {
  return make_file(std::make_shared<archive::MemoryContent>(text), mode, 0, 0, 0);
}

std::shared_ptr<const archive::Content> keep(const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
  return std::make_shared<archive::MemoryContent>(read_all(data, entry.size));
}

/// The uncompressed layer of `entries`.
Bytes written(const std::vector<LayerEntry>& entries) {
  BytesSink blob;
  write_entries(entries, blob);
  const Bytes bytes = blob.take();
  const auto tar = archive::open_gzip(std::make_unique<MemorySource>(bytes));
  return read_all(*tar, 100'000'000);
}

FileTree applied(FileTree tree, const Bytes& tar) {
  MemorySource source(tar);
  apply_layer(tree, source, 1, keep);
  return tree;
}

std::vector<std::string> entry_names(const Difference& difference) {
  std::vector<std::string> names;
  for (const LayerEntry& entry : difference.entries) {
    names.push_back(entry.tar.path + (entry.tar.type == EntryType::hard_link ? "=>" + entry.tar.link_target : ""));
  }
  return names;
}

TEST(Difference, EqualTreesDifferInNothing) {
  FileTree lower;
  lower.put("a/b", file("x"));
  FileTree upper;
  upper.put("a/b", file("x"));
  EXPECT_THAT(difference(lower, upper).entries, IsEmpty());
  EXPECT_TRUE(same_tree(lower, upper));
}

TEST(Difference, ListsTheFoldersAboveWhatChanged) {
  FileTree lower;
  lower.put("a/b/c", file("x"));
  lower.put("a/z", file("x"));
  FileTree upper = lower;
  upper.put("a/b/c", file("y"));
  upper.remove("a/z");
  EXPECT_THAT(entry_names(difference(lower, upper)), ElementsAre("a", "a/b", "a/b/c", "a/.wh.z"));
}

TEST(Difference, Kaniko2308FolderReplacedByALinkIsWhitedOutFirst) {
  FileTree lower;
  lower.put("d/x", file("x"));
  lower.put("target/y", file("y"));
  FileTree upper = lower;
  upper.put("d", make_symlink("target", 0, 0, 0));
  const Difference found = difference(lower, upper);
  EXPECT_THAT(entry_names(found), ElementsAre(".wh.d", "d"));
  EXPECT_TRUE(same_tree(applied(lower, written(found.entries)), upper));
}

TEST(Difference, NamesBetweenAFolderAndItsContentDoNotConfuse) {
  FileTree lower;
  for (const char* path : {"a/x", "a-b/y", "a.c", "a/z/w"}) lower.put(path, file("x"));
  const FileTree upper;
  EXPECT_THAT(entry_names(difference(lower, upper)), ElementsAre(".wh.a", ".wh.a-b", ".wh.a.c"));
}

TEST(Difference, Moby48140HardLinksStayTogetherAndTheCostIsStated) {
  FileTree lower;
  lower.put("a", file("data"));
  FileTree upper = lower;
  upper.put("b", upper.entries().at("a").inode);
  const Difference found = difference(lower, upper);
  EXPECT_THAT(entry_names(found), ElementsAre("a", "b=>a"));
  EXPECT_EQ(found.rewritten_bytes, 4u);
  EXPECT_TRUE(same_tree(applied(lower, written(found.entries)), upper));
}

TEST(Difference, LinksThatWereCutAreWrittenApart) {
  FileTree lower;
  lower.put("a", file("data"));
  lower.put("b", lower.entries().at("a").inode);
  FileTree upper;
  upper.put("a", file("data"));
  upper.put("b", file("data"));
  EXPECT_FALSE(same_tree(lower, upper));
  const Difference found = difference(lower, upper);
  EXPECT_THAT(entry_names(found), ElementsAre("b"));
  EXPECT_TRUE(same_tree(applied(lower, written(found.entries)), upper));
}

TEST(Difference, NamesThatWouldBeWhiteoutsAreRefused) {
  FileTree upper;
  upper.put(".wh.x", file("x"));
  EXPECT_THROW(difference({}, upper), Error);
  EXPECT_THROW(tree_entries(upper), Error);
}

TEST(Difference, ReadsContentsOnlyWhereInodesAndSizesLeaveADoubt) {
  // HashedContent cannot be read, so a comparison that tries to would throw.
  const auto hashed = [](std::uint64_t size, std::string_view text) {
    return make_file(std::make_shared<HashedContent>(size, sha256(text)), 0644, 0, 0, 0);
  };
  FileTree lower;
  lower.put("a", hashed(1, "x"));
  lower.put("b", hashed(1, "x"));
  FileTree upper;
  upper.put("a", hashed(1, "x"));
  upper.put("b", hashed(2, "y"));
  EXPECT_THAT(entry_names(difference(lower, upper)), ElementsAre("b"));
}

/// A tree of few names, so that all kinds of replacement occur.
FileTree random_tree(std::mt19937& random, const FileTree* start) {
  const auto below = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
  FileTree tree = start != nullptr ? *start : FileTree();
  static const std::vector<std::string> parts = {"a", "b", "a-b", "a.b", "!", "c"};
  const unsigned count = 1 + below(12);
  for (unsigned i = 0; i < count; ++i) {
    std::string path = parts[below(6)];
    while (below(2) == 0 && path.size() < 8) path += "/" + parts[below(6)];
    try {
      switch (below(8)) {
        case 0: tree.remove(path); break;
        case 1: tree.put(path, make_symlink(parts[below(6)], below(2), 0, 0)); break;
        case 2:
        case 3: {  // a further name for a file
          if (tree.empty()) break;
          auto entry = tree.entries().begin();
          std::advance(entry, below(static_cast<unsigned>(tree.size())));
          if (entry->second.inode->type != EntryType::folder) tree.put(path, InodePointer(entry->second.inode));
          break;
        }
        case 4: tree.put(path, make_folder(below(2) == 0 ? 0755 : 0700, 0, 0, below(2))); break;
        default: tree.put(path, file(below(2) == 0 ? "one" : "two", below(2) == 0 ? 0644 : 0755)); break;
      }
    } catch (const Error&) {
      // a parent was no folder
    }
  }
  return tree;
}

std::string listing(const FileTree& tree) {
  std::string text;
  for (const auto& [path, entry] : tree.entries()) {
    text += path + " type " + std::to_string(static_cast<int>(entry.inode->type)) + " mode " +
            std::to_string(entry.inode->mode) + " " + entry.inode->link_target + "\n";
  }
  return text;
}

TEST(Difference, AppliedToTheLowerTreeGivesTheUpperOne) {
  std::mt19937 random(20240607);
  std::size_t entries = 0;
  for (int i = 0; i < 3000; ++i) {
    const FileTree lower = random_tree(random, nullptr);
    const FileTree upper = random_tree(random, random() % 4 == 0 ? nullptr : &lower);
    const Difference found = difference(lower, upper);
    entries += found.entries.size();
    const Bytes tar = written(found.entries);
    const FileTree result = applied(lower, tar);
    ASSERT_TRUE(same_tree(result, upper)) << "round " << i << "\nlower\n"
                                          << listing(lower) << "upper\n"
                                          << listing(upper) << "result\n"
                                          << listing(result);
    MemorySource source(tar);
    ASSERT_THAT(validate_layer(source), IsEmpty()) << "round " << i;
  }
  EXPECT_GT(entries, 5000u);
}

TEST(WriteLayer, WholeTreesComeBack) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const FileTree tree = random_tree(random, nullptr);
    const Bytes tar = written(tree_entries(tree));
    ASSERT_TRUE(same_tree(applied({}, tar), tree)) << listing(tree);
    MemorySource source(tar);
    ASSERT_THAT(validate_layer(source), IsEmpty());
  }
}

TEST(WriteLayer, KeepsAttributes) {
  FileTree tree;
  Inode inode = *file("x", 04755);
  inode.uid = 3'000'000'000;
  inode.gid = 5;
  inode.mtime = 1'700'000'000;
  inode.xattrs["security.capability"] = std::string("\1\0\0\2", 4);
  tree.put("bin/tool", std::make_shared<const Inode>(inode));
  Inode device;
  device.type = EntryType::block_device;
  device.device_major = 8;
  device.device_minor = 1;
  tree.put("dev/sda1", std::make_shared<const Inode>(device));
  tree.put("\xc3\xa9/\xff", file("odd names"));
  EXPECT_TRUE(same_tree(applied({}, written(tree_entries(tree))), tree));
}

TEST(WriteLayer, SaysWhichEntryFailed) {
  FileTree tree;
  tree.put("a/b", make_file(std::make_shared<HashedContent>(1, Hash{}), 0644, 0, 0, 0));
  BytesSink sink;
  try {
    write_layer(tree, sink);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'a/b'"));
  }
}

}  // namespace
}  // namespace veneer::tree
