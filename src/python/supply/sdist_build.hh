// Wheels of distributions that have no usable wheel: source distributions, archives, commits of git repositories. Runs
// uv and git; thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "python/selection.hh"
#include "python/supply/uv_build.hh"
#include "python/target.hh"

namespace veneer::python {

struct SourceBuild {
  SelectedPackage package;               // of kind sdist, archive or git
  std::filesystem::path archive;         // the downloaded file (sdist, archive); unused for git
  FileHash archive_hash;                 // its verified hash; unused for git
  std::vector<std::string> constraints;  // build-constraint-dependencies of the project
};

/// What decides the wheel's bytes as far as it is known beforehand: the source's hash (or git's commit), subdirectory,
/// build constraints, target (Python, ABI, machine), uv, what it would be compiled with. The layer of such a wheel is
/// keyed by this.
Hash source_build_key(const SourceBuild& build, const Target& target, const UvProgram& uv);

/// The wheel if `cache` has it.
std::optional<BuiltWheel> find_built(const SourceBuild& build, const Target& target, const UvProgram& uv,
                                     const BuiltWheels& cache);

/// Builds the wheel or takes it from `cache`. .tar.gz goes to uv as it is; .zip and a subdirectory are unpacked first
/// (refused: paths that lead outside, anything but files, folders and links); other kinds of archives are refused by
/// name. Errors: refused for a wheel that judge_built_wheel() refuses; failed with what uv or git said.
BuiltWheel build_source(const SourceBuild& build, const Target& target, const UvProgram& uv, BuiltWheels& cache);

}  // namespace veneer::python
