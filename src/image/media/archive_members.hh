// The files in a tar of unknown origin, by name, with links between them followed inside the archive. Immutable once
// made, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/stream.hh"

namespace veneer::image {

class ArchiveMembers {
 public:
  /// Scans the tar. Throws Error (refused) for a compressed or malformed one, and for names with "..".
  explicit ArchiveMembers(std::shared_ptr<const RandomAccess> file);

  /// Whether there is a file `name`, or a link that leads to one. As strict as open().
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  std::uint64_t size(std::string_view name) const;
  /// Opens the file `name`; not_found when there is none. Throws Error (refused) when the name is absolute, has "..",
  /// occurs twice, or is a link that leads out of the archive or nowhere.
  std::unique_ptr<ByteSource> open(std::string_view name) const;
  /// The whole file; refused above `limit` bytes.
  std::string read(std::string_view name, std::uint64_t limit) const;

 private:
  struct Member {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::optional<std::string> link;  // where a link leads, from the archive's root
    bool is_doubled = false;
  };

  const Member* find(std::string_view name) const;
  const Member& get(std::string_view name) const;

  std::shared_ptr<const RandomAccess> file_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace veneer::image
