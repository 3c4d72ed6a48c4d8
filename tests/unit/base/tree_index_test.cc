#include "base/tree_index.hh"

#include <gtest/gtest.h>

#include "tests/support/same_tree.hh"

namespace veneer::base {
namespace {

tree::FileTree sample() {
  tree::FileTree tree;
  tree.put("a", tree::make_folder(0750, 1, 2, 3), 0);
  const auto file = tree::make_file(std::make_shared<archive::MemoryContent>("hello"), 04755, 7, 8, -9);
  tree.put("a/file", file, 1);
  tree.put("a/twin", file, 1);
  tree.put(std::string("a/odd \n\xff name"), tree::make_symlink("../\n:x", 0, 0, 0), 2);
  tree::Inode device;
  device.type = archive::EntryType::character_device;
  device.device_major = 5;
  device.device_minor = 1;
  device.xattrs = {{"security.capability", std::string("\0\1\n", 3)}};
  tree.put("dev", std::make_shared<const tree::Inode>(device), 0);
  return tree;
}

std::string index_of(const tree::FileTree& tree) {
  return write_tree_index(tree, [](const archive::Content&) { return DataPlace{1, 512}; });
}

const MakeContent make_content = [](const DataPlace& place,
                                    std::uint64_t size) -> std::shared_ptr<const archive::Content> {
  EXPECT_EQ(place.layer, 1u);
  EXPECT_EQ(place.offset, 512u);
  EXPECT_EQ(size, 5u);
  return std::make_shared<archive::MemoryContent>("hello");
};

TEST(TreeIndex, GivesTheSameTreeBack) {
  const tree::FileTree tree = sample();
  const auto read = read_tree_index(index_of(tree), make_content);
  ASSERT_TRUE(read);
  EXPECT_TRUE(tree::same_tree(tree, *read));
  EXPECT_EQ(read->entries().at("a/file").inode, read->entries().at("a/twin").inode);
  for (const auto& [path, entry] : tree.entries()) EXPECT_EQ(read->entries().at(path).layer, entry.layer) << path;
}

TEST(TreeIndex, ReadsNothingFromDamagedText) {
  const std::string text = index_of(sample());
  EXPECT_FALSE(read_tree_index("", make_content));
  EXPECT_FALSE(read_tree_index("veneer tree index 0\n0\n", make_content));
  const MakeContent any = [](const DataPlace&, std::uint64_t) { return std::make_shared<archive::MemoryContent>("x"); };
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(read_tree_index(text.substr(0, length), any)) << length;
  EXPECT_FALSE(read_tree_index(text + "x", any));
  EXPECT_FALSE(read_tree_index(text, [](const DataPlace&, std::uint64_t) { return nullptr; }));
}

}  // namespace
}  // namespace veneer::base
