// The wheel of a project that lies here as a folder: the one that the image is made for, a workspace member, another
// directory that the lock names. Runs git and uv; one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "python/project/project.hh"
#include "python/supply/source_copy.hh"
#include "python/supply/uv_build.hh"
#include "python/target.hh"

namespace veneer::python {

struct AppWheel {
  BuiltWheel wheel;
  std::vector<std::string> left_out;  // see SourceTree
  /// Files that git lists below the folders of the wheel's packages (or src/ and them) and that the wheel lacks,
  /// relative to the project, sorted: data that the build backend was not told of, mostly.
  std::vector<std::string> missing;
  /// Files that the wheel holds and that git neither tracks nor ignores, but that are no sources (a log, say), relative
  /// to the project: in the wheel they are empty (see add_stand_ins).
  std::vector<std::string> emptied;
  std::vector<std::string> ignored;  // files of the wheel that git ignores, relative to the project, sorted
  std::vector<Secret> left_secrets;  // among its packages' files, that the wheel was built without (see SourceFinder)
  std::vector<Secret> secrets;       // members of the wheel
  std::vector<std::string> lfs_pointers;  // members that are pointers of Git LFS
};

/// Builds the wheel of `project` from a clean copy of its checkout (see copy_sources), or takes it from `cache` when
/// nothing that matters has changed: the files, all that git says of them, uv, the target's Python, build constraints.
/// SOURCE_DATE_EPOCH is the commit's time (outside of git 315532800, 1980-01-01).
/// Errors: refused when the project is no package, when its version comes from git but the clone is shallow or there is
/// no repository, and when judge_built_wheel() refuses the wheel; failed with what uv said.
AppWheel build_app_wheel(const Project& project, const Target& target, const UvProgram& uv, BuiltWheels& cache,
                         SourceFinder& finder);

/// Judges the file of a wheel that was built here, before it is kept: throws Error (refused) unless it can be read, is
/// of the distribution `name` and can run on `target`.
void judge_built_wheel(const std::filesystem::path& wheel, const std::string& name, const Target& target);

/// Throws Error (refused) unless a wheel with `tags` that was built here can run on `target`.
void check_built_tags(const WheelTags& tags, const Target& target);

}  // namespace veneer::python
