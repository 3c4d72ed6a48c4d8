#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "foundation/file.hh"
#include "foundation/json.hh"
#include "tests/support/places.hh"
#include "tests/support/tar_builder.hh"
#include "tree/apply_layer.hh"

namespace veneer::tree {
namespace {

/// A layer of the table's entries; tests/engines/merge_test.py says what they look like.
std::string layer(const Value& entries, const std::string& mark) {
  tests::TarBuilder tar;
  for (const Value& value : entries.array()) {
    const std::string& entry = value.string();
    if (const std::size_t arrow = entry.find(" -> "); arrow != std::string::npos) {
      tar.symlink(entry.substr(0, arrow), entry.substr(arrow + 4));
    } else if (const std::size_t hard = entry.find(" => "); hard != std::string::npos) {
      tar.hard_link(entry.substr(0, hard), entry.substr(hard + 4));
    } else if (entry.ends_with('/')) {
      tar.folder(entry.substr(0, entry.size() - 1));
    } else {
      tar.file(entry, ("/" + entry).find("/.wh.") == std::string::npos ? mark + " " + entry : "");
    }
  }
  return tar.finish();
}

std::shared_ptr<const archive::Content> keep(const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
  return std::make_shared<archive::MemoryContent>(read_all(data, entry.size));
}

std::vector<std::string> lines(const FileTree& tree) {
  std::vector<std::string> result;
  for (const auto& [path, entry] : tree.entries()) {
    switch (entry.inode->type) {
      case archive::EntryType::folder: result.push_back(path + "/"); break;
      case archive::EntryType::symlink: result.push_back(path + " -> " + entry.inode->link_target); break;
      default: result.push_back(path + " = " + std::string(as_text(read_all(*entry.inode->content->open(), 1000))));
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

TEST(LayerPairs, TreesAreWhatEnginesShow) {
  const Value table = parse_json(read_text_file(tests::source_folder() / "tests/engines/layer_pairs.json", 1 << 20));
  for (const Value& pair : table.array()) {
    SCOPED_TRACE(pair.at("name").string());
    FileTree tree;
    AppliedLayer applied;
    for (const auto& [index, part, mark] : {std::tuple(0, "lower", "low"), std::tuple(1, "upper", "up")}) {
      const std::string tar = layer(pair.at(part), mark);
      MemorySource source(as_bytes(tar));
      applied = apply_layer(tree, source, static_cast<std::size_t>(index), keep);
    }
    EXPECT_EQ(lines(tree), pair.strings_or_empty("tree"));
    // Whoever looks at the layer learns that engines refuse it or show something else.
    if (pair.find("refused_by") != nullptr || pair.find("engines") != nullptr) {
      EXPECT_FALSE(applied.findings.empty());
    }
  }
}

}  // namespace
}  // namespace veneer::tree
