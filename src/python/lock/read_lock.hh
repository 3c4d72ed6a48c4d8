// A lock of any format: read by its file's name, and asked without knowing which it is. A new format is a file with a
// class and a LockFormat of its own, and a line in read_lock.cc. Reads the disk; locks are values,
// thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/lock/select.hh"
#include "python/lock/stale.hh"
#include "python/selection.hh"
#include "python/target.hh"

namespace veneer::python {

/// Variables of the environment by name.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Whether the groups come along that `uv sync` takes without being asked.
enum class DefaultGroups { left_out, taken };

struct SelectRequest {
  Target target;
  SelectOptions options;
  DefaultGroups default_groups = DefaultGroups::left_out;
  /// Whose dependencies are asked for where the lock has several projects and `options` name none; may be empty.
  std::string project;
};

class AnyLock {
 public:
  virtual ~AnyLock() = default;

  /// What is installed. A format that names no files gives packages of kind `release`.
  virtual Selection select(const SelectRequest& request) const = 0;

  /// The folder of a member of the workspace, as seen from the lock. Throws Error: not_found for a name that is none,
  /// usage for a format that does not know members, which is every one that does not say otherwise.
  virtual std::string member_folder(const std::string& name) const;

  /// What it holds that is no longer what the projects ask for (see compare_with_projects()). Of a format that does not
  /// keep what was asked, nothing. Reads their pyproject.toml; Errors name it.
  virtual LockAge age(const std::string& project, const std::vector<std::string>& groups) const;

  /// Whether age() compares anything.
  virtual bool keeps_what_was_asked() const { return false; }

  /// Names of the members of the workspace, sorted; of a format that does not know them, none.
  virtual std::vector<std::string> members() const { return {}; }

  /// "--index-url https://…" and the like, in the order of the lock.
  virtual std::vector<std::string> index_options() const { return {}; }

  const std::filesystem::path& path() const { return path_; }

 protected:
  explicit AnyLock(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path folder() const { return path_.parent_path(); }

 private:
  std::filesystem::path path_;
};

/// "its members are: api, worker"; what to do about a member that was not named, or named wrongly.
std::string members_hint(const std::vector<std::string>& names);

struct LockFormat {
  bool (*takes)(std::string_view file_name);
  /// `text` is what lies at `path`. `known` as parse_uv_lock() has it.
  std::unique_ptr<const AnyLock> (*read)(std::string_view text, const std::filesystem::path& path,
                                         const Variables& variables, KnownPackages* known);
};

/// Throws Error (refused) that says where, for what the format does not allow.
std::unique_ptr<const AnyLock> read_lock(const std::filesystem::path& path, const Variables& variables);

/// The same for a `text` that need not lie at `path`; `known` as parse_uv_lock() has it.
std::unique_ptr<const AnyLock> parse_lock(std::string_view text, const std::filesystem::path& path,
                                          const Variables& variables, KnownPackages* known = nullptr);

/// lock.select(), whose errors name the lock.
Selection select(const AnyLock& lock, const SelectRequest& request);

}  // namespace veneer::python
