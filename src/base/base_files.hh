// The files of a base as a build looks them up. What veneer.lock says of them suffices for most builds: the layers are
// read, and fetched for that, when something is asked that it does not say. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base_lock.hh"
#include "tree/file_tree.hh"

namespace veneer::base {

/// What is said of `path` in veneer.lock; nothing of what cannot be said there: devices, extended attributes. Without
/// the text of a file.
std::optional<LockedFile> locked_file(const tree::Lookup& files, const std::string& path);

/// Throws Error (refused) that says what is wrong with a row.
void check_locked_file(const LockedFile& file);

/// The text of a file as veneer.lock holds it: a small one of plain lines.
std::optional<std::string> locked_text(const archive::Content& content);

class BaseFiles : public tree::Lookup {
 public:
  using Read = std::function<tree::FileTree()>;

  /// `read` gives all files; it is called once, and not before that is needed. `known`: what is said of some of them.
  explicit BaseFiles(Read read, const std::vector<LockedFile>& known = {});

  tree::InodePointer inode(std::string_view path) const override;

  /// Reads them when that was not done. Throws Error as the reading does.
  const tree::FileTree& all() const;
  bool is_read() const;
  /// Whether something is known without reading.
  bool has_known() const { return !known_.empty(); }

  /// What was looked up so far, sorted by path, without what lies below something absent.
  std::vector<LockedFile> asked() const;

 private:
  class Whole;
  class Recorded;
  struct Known {
    tree::InodePointer inode;  // null: nothing is there
  };
  tree::InodePointer find(std::string_view path) const;

  std::shared_ptr<Whole> whole_;
  std::map<std::string, Known, std::less<>> known_;
  struct Asked;
  std::shared_ptr<Asked> asked_;
};

}  // namespace veneer::base
