// The application's files by the layers that they lie in. Reads the files; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "build/application.hh"
#include "plan/application_split.hh"

namespace veneer::build {

struct ApplicationPart {
  std::string title;  // plan::part_title()
  ApplicationFiles files;
};

/// How large each file is in a layer, in the order of the tree's files; told only of a large application.
using FileSizes = std::function<std::vector<std::uint64_t>(const ApplicationFiles&)>;

/// Compresses each by itself.
std::vector<std::uint64_t> compressed_sizes(const ApplicationFiles& files, std::size_t workers);

/// At most `cap` of them, bottom to top. The last has, besides its own files, what lies below `prefix_path` (where the
/// project's wheels are installed, and may be replaced) and folders with nothing in them. One part is all of `files` as
/// they stand.
std::vector<ApplicationPart> application_parts(const ApplicationFiles& files, const std::string& prefix_path,
                                               plan::OwnWheels wheels, const plan::ApplicationSplit& previous,
                                               std::size_t cap, const FileSizes& sizes);

}  // namespace veneer::build
