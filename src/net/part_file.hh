// The file that grows while bytes come in, and what must hold for going on with it in another process: a download that
// was cut off. One user at a time, by a lock of the caller's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "foundation/file_descriptor.hh"
#include "foundation/stream.hh"

namespace veneer::net {

using OnBytes = std::function<void(std::int64_t)>;  // told how many came, less than 0 when some were dropped

class PartFile : public ByteSink {
 public:
  /// The file at `path`, with what is in it unless that is more than `limit` bytes. `on_bytes`, which must outlive
  /// this, may be empty.
  PartFile(std::filesystem::path path, std::uint64_t limit, const OnBytes& on_bytes);

  std::uint64_t size() const { return size_; }
  /// Bytes written through this object, those that were dropped again counted too.
  std::uint64_t received() const { return received_; }
  /// The entity tag of the server's file that this is a part of; empty when it gave none.
  const std::string& tag() const { return tag_; }

  void restart();
  void set_tag(const std::string& tag);

  /// Error (verification) for more than `limit` bytes in all.
  void write(ByteView bytes) override;
  void commit() override {}

  /// Syncs and renames; the object may not be used afterwards.
  void rename_to(const std::filesystem::path& target);
  void discard();

 private:
  void report(std::int64_t bytes) const {
    if (on_bytes_ && bytes != 0) on_bytes_(bytes);
  }

  std::filesystem::path path_;
  std::filesystem::path note_;
  std::uint64_t limit_;
  const OnBytes& on_bytes_;
  FileDescriptor descriptor_;
  std::uint64_t size_ = 0;
  std::uint64_t received_ = 0;
  std::string tag_;
};

}  // namespace veneer::net
