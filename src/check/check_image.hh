// Whether an image works: what is installed fits together, every library is there, every program can be started by the
// image's user, everything can be imported. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "check/finding.hh"
#include "foundation/sandbox.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::check {

enum class ImportChoice { tried, left_out };

struct CheckOptions {
  std::filesystem::path scratch;  // an empty folder with room for the unpacked image
  ImportChoice imports = ImportChoice::tried;
  std::function<void(const std::string&)> progress;  // may be empty
};

struct CheckReport {
  Findings findings;  // problems first, each group sorted by id, one finding an id
  std::size_t distributions = 0;
  std::size_t libraries = 0;  // ELF files looked at
  std::size_t scripts = 0;
  std::size_t imports = 0;      // modules and commands that were tried
  std::string without_imports;  // why none was tried; empty otherwise
};

/// Reads all layers, which are verified. Throws Error: as merging layers does; refused when there is no Python.
CheckReport check_image(const image::Image& image, const image::Blobs& blobs, const CheckOptions& options);

/// Whether what an image starts can be imported, where its files are unpacked in `root` and it can be run by `sandbox`.
/// Throws Error as check_imports() does.
Findings check_start(const std::filesystem::path& root, const Sandbox& sandbox, const image::RunConfig& config);

}  // namespace veneer::check
