// Reading a wheel file strictly: what it holds, and whether it is what it says. A Wheel is a value that shares the
// file; its contents may be read by several threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/content.hh"
#include "foundation/stream.hh"
#include "python/wheel/entry_points.hh"
#include "python/wheel/finding.hh"
#include "python/wheel/record.hh"

namespace veneer::python {

/// A file in the wheel.
struct WheelMember {
  std::string path;         // in the archive, without "." parts and doubled slashes
  bool executable = false;  // one of the three permission bits is set
  /// Verified against RECORD when read to its end; keeps the archive's deflated form at hand.
  std::shared_ptr<const archive::Content> content;
  std::optional<RecordRow> row;  // of RECORD, with `path` as here; none for files that RECORD does not list
};

struct Wheel {
  std::string file_name;
  std::string name;                  // normalised (PEP 503)
  std::string version;               // as METADATA has it
  std::vector<std::string> tags;     // of the file name, expanded, sorted
  std::string dist_info;             // "Pkg-1.0.dist-info", as spelled in the archive
  std::vector<WheelMember> members;  // all files, sorted by path
  std::vector<EntryPoint> commands;  // console and gui scripts, sorted by name
  std::vector<Finding> findings;     // sorted

  /// The file at `path`, or nullptr.
  const WheelMember* find(std::string_view path) const;
};

/// Reads the structure and the metadata; other contents are read, and verified, when they are used. Follows the binary
/// distribution format (PEP 427, 491), RECORD (PEP 376, 627) and what uv 0.12 refuses; the list is in docs/formats.md,
/// "Wheels in the image". Throws Error (refused) that names the wheel and what is wrong with it.
Wheel open_wheel(std::shared_ptr<const RandomAccess> file, std::string_view file_name,
                 Strictness strictness = Strictness::tolerant);

/// The same wheel after all its contents were once verified: reading them again checks their sizes and CRCs only.
Wheel with_verified_contents(Wheel wheel);

/// Reads all contents to their ends and so verifies sizes, CRCs and hashes. Throws Error (refused) that names the file.
void verify(const Wheel& wheel);

}  // namespace veneer::python
