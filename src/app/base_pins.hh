// veneer.lock as a build sees it: what it pins, what came instead of that, and the lock as it is written when all ended
// well. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/build_request.hh"
#include "app/surroundings.hh"
#include "base/base_files.hh"
#include "base/base_lock.hh"
#include "base/mmdebstrap.hh"

namespace veneer::app {

/// Something that is not as the lock says.
struct BaseMove {
  std::string what;  // "libc6", "Python", "image"
  std::string from;  // empty: it is new
  std::string to;    // empty: it is gone
};

/// Who builds by one veneer.lock: what one member of a workspace does not take, another may need.
enum class BaseLockOf : std::uint8_t { one_project, workspace };

class BasePins {
 public:
  /// Reads veneer.lock in `folder`, if there is one. Errors: refused, with path and line, for what is no such lock;
  /// not for one that is ignored or made anew.
  BasePins(const std::filesystem::path& folder, BaseLockUse use, BaseLockOf of = BaseLockOf::one_project);

  /// Which base the questions below are about. Throws Error (refused) when it must be pinned and is not.
  void choose(const std::string& name, const std::string& platform);

  const std::vector<base::LockedPackage>& packages() const;
  const std::vector<base::LockedPackage>& build_packages() const;
  std::optional<base::Interpreter> interpreter() const;
  std::string snapshot() const;
  base::LockedImage image() const;
  /// What is known of its files; empty where that is nothing.
  const std::vector<base::LockedFile>& files() const;
  const std::vector<base::LockedPython>& pythons() const;
  base::Refresh refresh() const { return use_ == BaseLockUse::renewed ? base::Refresh::yes : base::Refresh::no; }

  /// Compares what was taken with what is pinned, and says what differs. With CI=true, where nothing will be written,
  /// also what is not pinned. Errors: refused where the lock is to be kept strictly and is not; verification where the
  /// same bytes are said to have another interpreter, C library, machine or other folders.
  /// `files`: those of which the lock is to say what was looked up, or null.
  void take(base::LockedBase taken, std::shared_ptr<const base::BaseFiles> files, Surroundings& surroundings);

  /// The same for the packages with which wheels were compiled; none where nothing was. After take().
  void take_build_packages(std::vector<base::LockedPackage> taken, Messages& messages);

  /// After take().
  const std::vector<BaseMove>& moves() const { return moves_; }
  const base::LockedBase& taken() const { return taken_; }
  /// Whether the lock had the base before.
  bool had_base() const { return pinned_.has_value(); }
  /// What the lock has of it, whatever is taken.
  const std::optional<base::LockedBase>& before() const { return pinned_; }
  const std::filesystem::path& path() const { return path_; }

  /// Writes what was taken, and what was looked up of `files` by now, if anything is new in it and it is this build's
  /// to write. A folder that cannot be written to is a warning: the image is there.
  void write(Messages& messages) const;

 private:
  const base::LockedBase* pinned() const;
  bool keeps_what_is_not_taken() const {
    return pinned_ && (use_ != BaseLockUse::renewed || of_ == BaseLockOf::workspace);
  }
  std::vector<std::string> compare(const base::LockedBase& taken);
  base::LockedBase to_be_written() const;
  /// Likewise, of packages alone.
  void compare(const std::vector<base::LockedPackage>& old, const std::vector<base::LockedPackage>& taken,
               std::vector<BaseMove>& moves, std::vector<std::string>& unpinned) const;
  void refuse_if_strict(const std::vector<BaseMove>& moves, const std::vector<std::string>& unpinned) const;
  void check_facts(const base::LockedBase& taken) const;
  void say(const std::vector<BaseMove>& moves, const std::vector<std::string>& unpinned, Messages& messages) const;

  std::filesystem::path path_;
  BaseLockUse use_;
  bool was_there_ = false;
  BaseLockOf of_;
  base::BaseLock lock_;
  std::optional<base::LockedBase> pinned_;
  std::vector<BaseMove> moves_;
  base::LockedBase taken_;
  std::shared_ptr<const base::BaseFiles> files_;
  bool is_to_be_written_ = false;
};

}  // namespace veneer::app
