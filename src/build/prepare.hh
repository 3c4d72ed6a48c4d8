// Prepared files ([[tool.veneer.prepare]]): what commands of the project make of its finished image, such as Django's
// collectstatic. They run as the image's user, without network, in a copy that is thrown away; what they leave at the
// places that they name is all that counts. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "foundation/sandbox.hh"
#include "image/image.hh"
#include "python/project/project.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

/// What one step may leave.
inline constexpr std::size_t most_prepared_files = 100'000;
inline constexpr std::uint64_t most_prepared_bytes = 4ull << 30;

struct PreparedFiles {
  /// Canonical: 0755 for folders and what is executable, else 0644; root's; the fixed time. Contents are files of the
  /// root, which must outlive it.
  tree::FileTree tree;
  std::vector<std::string> elsewhere;  // files that it wrote beside its outputs, which are lost: at most a few
};

/// "python manage.py collectstatic", as it is called in titles and messages.
std::string prepare_title(const python::PrepareStep& step);

/// The finished image as files on this machine, in which steps run one after another.
class PreparedRoot {
 public:
  /// `staged` has its contents in files (tree::keep_in), which are moved below the empty folder `root`. `config` is the
  /// image's; its VIRTUAL_ENV has an interpreter, and its User is of numbers. `application_layer` is the index of the
  /// first of those that will lie above what is prepared. Throws Error (failed) where programs of the image cannot be
  /// run.
  PreparedRoot(tree::FileTree staged, std::filesystem::path root, const image::RunConfig& config,
               std::optional<std::size_t> application_layer);

  /// Throws Error: failed, with the end of what it said, for a command that fails; refused for outputs that are not
  /// there, are too many, lie behind links, are no files, folders or links, or would be hidden by the application.
  PreparedFiles run(const python::PrepareStep& step);

  const std::filesystem::path& root() const { return root_; }
  const Sandbox& sandbox() const { return sandbox_; }

 private:
  void make_writable(const std::string& path) const;
  void give(const std::filesystem::path& path) const;
  void execute(const python::PrepareStep& step) const;
  std::vector<std::string> written_elsewhere(const std::vector<std::string>& outputs) const;

  tree::FileTree tree_;  // without contents
  std::filesystem::path root_;
  const image::RunConfig& config_;
  std::optional<std::size_t> application_layer_;
  SandboxUser user_;
  Sandbox sandbox_;
  std::string interpreter_;
};

}  // namespace veneer::build
