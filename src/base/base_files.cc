#include "base/base_files.hh"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <utility>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/utf8.hh"

namespace veneer::base {

namespace {

constexpr std::uint64_t most_text = 3 << 10;  // twice as much in a line of the lock
constexpr std::string_view absent = "absent";
constexpr std::pair<archive::EntryType, std::string_view> types[] = {
    {archive::EntryType::file, "file"}, {archive::EntryType::folder, "folder"}, {archive::EntryType::symlink, "link"}};

/// The words of LockedFile::is, one by one.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  std::string_view word() {
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(word.size() + 1, rest_.size()));
    return word;
  }
  template <typename Number>
  Number number(int base = 10) {
    const std::string_view text = word();
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw Error(ErrorKind::refused, fmt::format("'{}' is no number", printable(text, 40)));
    }
    return value;
  }
  std::string rest() const { return std::string(rest_); }

 private:
  std::string_view rest_;
};

}  // namespace

/// All files, read when they are first asked for.
class BaseFiles::Whole {
 public:
  explicit Whole(Read read) : read_(std::move(read)) {}
  const tree::FileTree& tree() {
    std::call_once(once_, [&] {
      tree_ = read_();
      is_read_ = true;
    });
    return tree_;
  }
  bool is_read() const { return is_read_; }

 private:
  Read read_;
  std::once_flag once_;
  tree::FileTree tree_;
  std::atomic<bool> is_read_ = false;
};

struct BaseFiles::Asked {
  std::mutex mutex;
  std::map<std::string, bool, std::less<>> paths;  // whether the data was opened
};

namespace {

/// A file of which the lock tells the size and perhaps the text.
class KnownContent : public archive::Content {
 public:
  KnownContent(std::uint64_t size, std::optional<std::string> text, std::function<const tree::FileTree&()> all,
               std::string path)
      : size_(size), text_(std::move(text)), all_(std::move(all)), path_(std::move(path)) {}
  std::uint64_t size() const override { return size_; }
  std::unique_ptr<ByteSource> open() const override {
    if (text_) return std::make_unique<MemorySource>(as_bytes(*text_));
    const tree::Inode* inode = all_().find(path_);
    if (inode == nullptr || inode->content == nullptr) {
      throw Error(ErrorKind::verification, fmt::format("the base has no file {}", printable(path_)));
    }
    return inode->content->open();
  }

 private:
  std::uint64_t size_;
  std::optional<std::string> text_;
  std::function<const tree::FileTree&()> all_;
  std::string path_;
};

tree::InodePointer inode_of(const LockedFile& file, std::function<const tree::FileTree&()> all) {
  if (file.is == absent) return nullptr;
  Words words(file.is);
  const std::string_view type = words.word();
  const auto known =
      std::find_if(std::begin(types), std::end(types), [&](const auto& row) { return row.second == type; });
  if (known == std::end(types)) {
    throw Error(ErrorKind::refused, fmt::format("'{}' is no kind of file", printable(type, 40)));
  }
  tree::Inode inode;
  inode.type = known->first;
  inode.mode = words.number<std::uint32_t>(8);
  inode.uid = words.number<std::uint64_t>();
  inode.gid = words.number<std::uint64_t>();
  inode.mtime = words.number<std::int64_t>();
  if (inode.type == archive::EntryType::symlink) inode.link_target = words.rest();
  if (inode.type == archive::EntryType::file) {
    const auto size = words.number<std::uint64_t>();
    if (file.text && file.text->size() != size) {
      throw Error(ErrorKind::refused, fmt::format("the text of {} has not {} bytes", printable(file.path), size));
    }
    inode.content = std::make_shared<KnownContent>(size, file.text, std::move(all), file.path);
  }
  return std::make_shared<const tree::Inode>(std::move(inode));
}

}  // namespace

/// Notes that the data of a file was opened.
class BaseFiles::Recorded : public archive::Content {
 public:
  Recorded(std::shared_ptr<const archive::Content> content, std::shared_ptr<Asked> asked, std::string path)
      : content_(std::move(content)), asked_(std::move(asked)), path_(std::move(path)) {}
  std::uint64_t size() const override { return content_->size(); }
  std::unique_ptr<ByteSource> open() const override {
    {
      const std::lock_guard lock(asked_->mutex);
      asked_->paths[path_] = true;
    }
    return content_->open();
  }

 private:
  std::shared_ptr<const archive::Content> content_;
  std::shared_ptr<Asked> asked_;
  std::string path_;
};

std::optional<LockedFile> locked_file(const tree::Lookup& files, const std::string& path) {
  const tree::InodePointer inode = files.inode(path);
  if (inode == nullptr) return LockedFile{path, std::string(absent), std::nullopt};
  const auto type =
      std::find_if(std::begin(types), std::end(types), [&](const auto& row) { return row.first == inode->type; });
  if (type == std::end(types) || !inode->xattrs.empty()) return std::nullopt;
  LockedFile file{path,
                  fmt::format("{} {:o} {} {} {}", type->second, inode->mode, inode->uid, inode->gid, inode->mtime),
                  std::nullopt};
  if (inode->content != nullptr) file.is += fmt::format(" {}", inode->content->size());
  if (inode->type == archive::EntryType::symlink) file.is += " " + inode->link_target;
  return file;
}

void check_locked_file(const LockedFile& file) { inode_of(file, {}); }

std::optional<std::string> locked_text(const archive::Content& content) {
  if (content.size() > most_text) return std::nullopt;
  std::string text(as_text(read_all(*content.open(), most_text)));
  const auto is_odd = [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 127; };
  if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_odd)) return std::nullopt;
  return text;
}

BaseFiles::BaseFiles(Read read, const std::vector<LockedFile>& known)
    : whole_(std::make_shared<Whole>(std::move(read))), asked_(std::make_shared<Asked>()) {
  for (const LockedFile& file : known) {
    known_[file.path] = {inode_of(file, [whole = whole_]() -> const tree::FileTree& { return whole->tree(); })};
  }
}

const tree::FileTree& BaseFiles::all() const { return whole_->tree(); }
bool BaseFiles::is_read() const { return whole_->is_read(); }

tree::InodePointer BaseFiles::find(std::string_view path) const {
  if (known_.empty() || is_read()) return all().inode(path);
  if (const auto found = known_.find(path); found != known_.end()) return found->second.inode;
  for (std::string_view parent = tree::parent_path(path); !parent.empty(); parent = tree::parent_path(parent)) {
    const auto above = known_.find(parent);
    if (above == known_.end()) continue;
    const tree::InodePointer& inode = above->second.inode;
    if (inode == nullptr || inode->type != archive::EntryType::folder) return nullptr;
    break;
  }
  return all().inode(path);
}

tree::InodePointer BaseFiles::inode(std::string_view path) const {
  {
    const std::lock_guard lock(asked_->mutex);
    asked_->paths.try_emplace(std::string(path), false);
  }
  tree::InodePointer found = find(path);
  if (found == nullptr || found->content == nullptr) return found;
  auto recorded = std::make_shared<tree::Inode>(*found);
  recorded->content = std::make_shared<Recorded>(found->content, asked_, std::string(path));
  return recorded;
}

std::vector<LockedFile> BaseFiles::asked() const {
  std::map<std::string, bool, std::less<>> paths;
  {
    const std::lock_guard lock(asked_->mutex);
    paths = asked_->paths;
  }
  std::map<std::string, LockedFile, std::less<>> files;
  for (const auto& [path, was_opened] : paths) {  // parents come before what lies below them
    const auto above = files.find(tree::parent_path(path));
    if (above != files.end() && above->second.is == absent) {
      files.emplace(path, LockedFile{path, std::string(absent), std::nullopt});
      continue;
    }
    struct Unrecorded : tree::Lookup {
      explicit Unrecorded(const BaseFiles& files) : files_(files) {}
      tree::InodePointer inode(std::string_view name) const override { return files_.find(name); }
      const BaseFiles& files_;
    };
    auto file = locked_file(Unrecorded(*this), path);
    if (!file) continue;
    const tree::InodePointer inode = find(path);
    if (was_opened && inode != nullptr && inode->content != nullptr) file->text = locked_text(*inode->content);
    files.emplace(path, *std::move(file));
  }
  std::vector<LockedFile> result;
  for (const auto& [path, file] : files) {
    const auto above = files.find(tree::parent_path(path));
    if (above == files.end() || above->second.is != absent) result.push_back(file);
  }
  return result;
}

}  // namespace veneer::base
