// Which files of an application share a layer: code apart from the rest, and of a large one folders apart, so that what
// did not change does not travel with what did. Integers only. Pure, thread-safe.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::plan {

enum class FileKind {
  code,  // what changes with each commit: Python's modules, and what a wheel of the project installs
  other,
};
FileKind kind_of_file(std::string_view path);

/// A file as the application's layers hold it; the path is as a layer has it, "app/shop/views.py".
struct SplitFile {
  std::string path;
  std::uint64_t bytes = 0;
};

/// All files of a kind below `folder`, but for those below the folder of another part of that kind. Code without a
/// folder takes what no other part takes.
struct SplitPart {
  FileKind kind = FileKind::code;
  std::string folder;  // "": all of the kind

  auto operator<=>(const SplitPart&) const = default;
};

/// Bottom to top; the last is {code, ""}. None has nothing in it but, at times, that one.
using ApplicationSplit = std::vector<SplitPart>;

/// Whether wheels of the project's own lie in the part {code, ""} too.
enum class OwnWheels { none, some };

inline constexpr std::size_t most_application_layers = 8;
/// Files of an application that is no larger are not split by folders, nor looked at for it. Compressed bytes.
inline constexpr std::uint64_t least_split_bytes = 1'000'000;

/// How the files lie: parts of `previous` stay as long as they have files. Other files get a layer when they have 16 kB
/// or more. When all together have more than `least_split_bytes`, folders at most four deep below the one that all
/// files are in are cut out, each time the one by which the expected bytes of the next deploy fall most, as long as
/// that is a kilobyte: a layer's bytes times the chance that a file of one of its folders changes, with 3 % for each
/// folder, as for distributions. At most `cap` parts, which must be 1 or more. The same for any order of `files`.
ApplicationSplit split_application(const std::vector<SplitFile>& files, OwnWheels wheels,
                                   const ApplicationSplit& previous, std::size_t cap);

/// The place in `split` of the part that has the file.
std::size_t part_of(const ApplicationSplit& split, std::string_view path);

/// As a layer is called: "application", "application files", "application files in app/static", "application code in
/// app/shop". Anything else is no part.
std::string part_title(const SplitPart& part);
std::optional<SplitPart> read_part_title(std::string_view title);

}  // namespace veneer::plan
