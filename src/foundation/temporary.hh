// Files and folders that are of use to this process alone: under names that nobody else takes, locked while they are in
// use, removed when it ends. What a killed process left has no lock, and is removed by a later one. Thread-safe.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "foundation/file_descriptor.hh"

namespace veneer {

/// 16 random hexadecimal digits. Process ids and counters are no names: two containers have the same ones.
std::string random_name();

/// A new file or folder under a name of its own, locked by flock() as long as the object lives. remove() or
/// remove_temporaries() removes it, not the destructor.
class Temporary {
 public:
  /// A folder `parent`/veneer-`kind`-<random>, mode 0700.
  static Temporary folder(const std::filesystem::path& parent, std::string_view kind);
  /// An empty file for writing, named .`name`.<random>.tmp, that will get the name `name` of the same folder.
  static Temporary file_for(const std::filesystem::path& path);
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary();

  const std::filesystem::path& path() const { return path_; }
  const FileDescriptor& descriptor() const { return descriptor_; }
  void remove() const;

 private:
  enum class Type { file, folder };
  Temporary(Type type, const std::filesystem::path& wanted, std::string_view before, std::string_view after);
  bool make(Type type, const std::filesystem::path& wanted);

  std::filesystem::path path_;
  FileDescriptor descriptor_;
};

/// A private folder (mode 0700) that is removed with everything in it.
class TemporaryFolder {
 public:
  /// Makes it in `parent`, named after its `kind`, and removes what killed processes left there.
  TemporaryFolder(const std::filesystem::path& parent, std::string_view kind);
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { folder_.remove(); }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  Temporary folder_;
};

/// Removes the Temporaries of this user in `folder` whose processes ended without doing so. Never fails.
void remove_abandoned(const std::filesystem::path& folder);

/// Removes all Temporaries of this process, which is about to end: whoever makes another afterwards waits for ever.
void remove_temporaries();

}  // namespace veneer
