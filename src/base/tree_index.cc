#include "base/tree_index.hh"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <vector>

#include "foundation/error.hh"

namespace veneer::base {

namespace {

// A header line; then for every name its fields, each ended by a NUL: path, layer, inode number. The first name of an
// inode (they are numbered in order of appearance) goes on with type, mode, uid, gid, mtime, link target, device
// numbers, count of xattrs, their names and values, and for files size, layer and offset of the data.
constexpr std::string_view header = "veneer tree index 1\n";

class Writer {
 public:
  void text(std::string_view value) {
    // Only xattr values may hold a NUL; a length in front makes that harmless.
    out_ += fmt::format("{}:", value.size());
    out_ += value;
  }
  template <typename Number>
  void number(Number value) {
    out_ += fmt::format("{}\n", value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_{header};
};

class IndexReader {
 public:
  explicit IndexReader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }

  std::string text() {
    const auto size = prefix<std::size_t>(':');
    if (failed_ || size > rest_.size()) return fail(), std::string();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  template <typename Number>
  Number number() {
    return prefix<Number>('\n');
  }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  template <typename Number>
  Number prefix(char end_mark) {
    Number value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || end == rest_.data() + rest_.size() || *end != end_mark) {
      fail();
      return 0;
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()) + 1);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::string write_tree_index(const tree::FileTree& tree, const FindPlace& find_place) {
  Writer writer;
  writer.number(tree.size());
  std::map<const tree::Inode*, std::size_t> numbers;
  for (const auto& [path, entry] : tree.entries()) {
    writer.text(path);
    writer.number(entry.layer);
    const auto [place, is_new] = numbers.try_emplace(entry.inode.get(), numbers.size());
    writer.number(place->second);
    if (!is_new) continue;
    const tree::Inode& inode = *entry.inode;
    writer.number(static_cast<int>(inode.type));
    writer.number(inode.mode);
    writer.number(inode.uid);
    writer.number(inode.gid);
    writer.number(inode.mtime);
    writer.text(inode.link_target);
    writer.number(inode.device_major);
    writer.number(inode.device_minor);
    writer.number(inode.xattrs.size());
    for (const auto& [name, value] : inode.xattrs) {
      writer.text(name);
      writer.text(value);
    }
    if (inode.type != archive::EntryType::file) continue;
    const DataPlace data = find_place(*inode.content);
    writer.number(inode.content->size());
    writer.number(data.layer);
    writer.number(data.offset);
  }
  return writer.take();
}

std::optional<tree::FileTree> read_tree_index(std::string_view text, const MakeContent& make_content) {
  if (!text.starts_with(header)) return std::nullopt;
  IndexReader reader(text.substr(header.size()));
  const auto count = reader.number<std::size_t>();
  tree::FileTree tree;
  std::vector<tree::InodePointer> inodes;
  while (!reader.at_end() && !reader.failed()) {
    const std::string path = reader.text();
    const auto layer = reader.number<std::size_t>();
    const auto number = reader.number<std::size_t>();
    if (reader.failed() || number > inodes.size()) return std::nullopt;
    if (number == inodes.size()) {
      tree::Inode inode;
      const int type = reader.number<int>();
      if (type < 0 || type > static_cast<int>(archive::EntryType::fifo)) return std::nullopt;
      inode.type = static_cast<archive::EntryType>(type);
      inode.mode = reader.number<std::uint32_t>();
      inode.uid = reader.number<std::uint64_t>();
      inode.gid = reader.number<std::uint64_t>();
      inode.mtime = reader.number<std::int64_t>();
      inode.link_target = reader.text();
      inode.device_major = reader.number<std::uint32_t>();
      inode.device_minor = reader.number<std::uint32_t>();
      for (auto left = reader.number<std::size_t>(); left > 0 && !reader.failed(); --left) {
        std::string name = reader.text();
        inode.xattrs.emplace(std::move(name), reader.text());
      }
      if (inode.type == archive::EntryType::file) {
        const auto size = reader.number<std::uint64_t>();
        DataPlace place;
        place.layer = reader.number<std::size_t>();
        place.offset = reader.number<std::uint64_t>();
        if (reader.failed()) return std::nullopt;
        inode.content = make_content(place, size);
        if (inode.content == nullptr) return std::nullopt;
      }
      inodes.push_back(std::make_shared<const tree::Inode>(std::move(inode)));
    }
    if (reader.failed()) return std::nullopt;
    try {
      tree.put(path, inodes[number], layer);
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  if (reader.failed() || tree.size() != count) return std::nullopt;
  return tree;
}

}  // namespace veneer::base
