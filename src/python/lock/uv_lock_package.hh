// What a [[package]] of uv.lock says by itself, whatever else is in the lock. Pure; KnownPackages is thread-safe, the
// rest is for one thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "foundation/value.hh"
#include "python/lock/lock_markers.hh"
#include "python/lock/uv_lock.hh"

namespace veneer::python {

/// Throws Error (refused) for a kind that is not known.
LockSource read_lock_source(const Value& table);

struct PackageTable {
  LockPackage package;                 // without its dependencies, which are other packages
  std::shared_ptr<const Value> table;  // where they are read
};

/// Throws Error (refused) that says where.
PackageTable read_package_table(std::shared_ptr<const Value> table, LockMarkers& markers);

/// By the text of their tables. Of locks that follow one another most are the same.
class KnownPackages {
 public:
  /// The one with this text; `read` makes it where there is none, and is called outside of any lock.
  std::shared_ptr<const PackageTable> get(std::string_view text,
                                          const std::function<PackageTable(std::string_view)>& read);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const PackageTable>, Hash, std::equal_to<>> by_text_;
};

/// A lock in pieces: everything before its first package, and its packages.
struct LockPieces {
  Value head;
  std::vector<std::shared_ptr<const PackageTable>> packages;
};

/// What reading all of `text` at once gives, package by package. Nothing where the pieces might mean something else
/// than the whole, and where one is malformed: then the whole tells what is wrong.
std::optional<LockPieces> read_lock_pieces(std::string_view text, KnownPackages& known);

}  // namespace veneer::python
