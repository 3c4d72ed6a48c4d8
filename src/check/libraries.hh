// Whether every library that programs and extension modules need is there, in a version that is new enough. Reads
// files; thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "check/environment.hh"
#include "check/finding.hh"
#include "foundation/stream.hh"
#include "tree/file_tree.hh"

namespace veneer::check {

/// Opens the data of a file of the tree.
using OpenFile = std::function<std::unique_ptr<RandomAccess>(const tree::Inode&)>;

/// Looks at every ELF file below the environments' prefixes, at their interpreters and at what these need in turn, as
/// the dynamic loader would (ld.so(8): RPATH, LD_LIBRARY_PATH, RUNPATH, ld.so.conf, the usual folders). A library that
/// is only found where the loader does not look is a note: programs may load it themselves beforehand. So is a driver,
/// which comes from the host; that a library is found by who loads the file is a detail. Returns how many files were
/// looked at.
std::size_t check_libraries(const tree::FileTree& tree, const std::vector<Environment>& environments,
                            const std::string& library_path, const OpenFile& open, Findings& findings);

}  // namespace veneer::check
