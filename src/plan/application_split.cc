#include "plan/application_split.hh"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "plan/fixed_point.hh"

namespace veneer::plan {

namespace {

constexpr std::uint64_t chance_of_a_folder = one * 3 / 100;
constexpr std::uint64_t least_other_bytes = 16 * 1024;
constexpr std::uint64_t least_gain = 1000;  // about what one more layer costs in the image's lists
constexpr std::size_t deepest = 4;

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/'));
}

/// The first `parts` parts of a path.
std::string_view cut(std::string_view path, std::size_t parts) {
  std::size_t end = 0;
  while (parts > 0 && end < path.size()) {
    end = std::min(path.find('/', end == 0 ? 0 : end + 1), path.size());
    --parts;
  }
  return path.substr(0, end);
}

std::size_t depth_of(std::string_view path) {
  return path.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(path, '/')) + 1;
}

/// A folder with the files of a kind that lie in it, or deeper than folders are told apart.
struct Unit {
  FileKind kind = FileKind::code;
  std::string folder;
  std::uint64_t bytes = 0;
};

class Splitter {
 public:
  explicit Splitter(const std::vector<SplitFile>& files) {
    std::optional<std::string_view> common;
    for (const SplitFile& file : files) {
      const std::string_view folder = folder_of(file.path);
      if (!common) common = folder;
      while (!is_below(folder, *common)) common = folder_of(*common);
      total_ = std::min(total_ + file.bytes, most_bytes);
    }
    const std::size_t deep = depth_of(common.value_or("")) + deepest;
    shallowest_ = deep - deepest;
    std::map<std::pair<FileKind, std::string>, std::uint64_t> units;
    for (const SplitFile& file : files) {
      const FileKind kind = kind_of_file(file.path);
      units[{kind, std::string(cut(folder_of(file.path), deep))}] += file.bytes;
      if (kind == FileKind::other) other_bytes_ += file.bytes;
    }
    for (auto& [key, bytes] : units) units_.push_back({key.first, key.second, std::min(bytes, most_bytes)});
  }

  ApplicationSplit split(OwnWheels wheels, const ApplicationSplit& previous, std::size_t cap) const {
    ApplicationSplit parts = kept(previous, cap);
    const SplitPart files{FileKind::other, ""};
    const bool has_code = wheels == OwnWheels::some ||
                          std::ranges::any_of(units_, [](const Unit& unit) { return unit.kind == FileKind::code; });
    if (parts.size() + 1 < cap && std::ranges::find(parts, files) == parts.end() && has_code &&
        other_bytes_ >= least_other_bytes) {
      parts.push_back(files);
    }
    parts.push_back({FileKind::code, ""});
    while (total_ > least_split_bytes && parts.size() < cap) {
      const auto best = best_cut(parts);
      if (!best) break;
      parts.push_back(*best);
    }
    order(parts, previous);
    return parts;
  }

 private:
  /// Those of `previous` that still have files, the first `cap` of them.
  ApplicationSplit kept(const ApplicationSplit& previous, std::size_t cap) const {
    ApplicationSplit parts;
    for (const SplitPart& part : previous) {
      if (part == SplitPart{FileKind::code, ""} || parts.size() + 1 >= cap) continue;
      if (std::ranges::find(parts, part) == parts.end()) parts.push_back(part);
    }
    std::set<std::size_t> used;
    for (const Unit& unit : units_) used.insert(owner(parts, unit));
    ApplicationSplit kept;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (used.contains(i)) kept.push_back(std::move(parts[i]));
    }
    return kept;
  }

  /// The part that has the unit; behind them all where none has.
  static std::size_t owner(const ApplicationSplit& parts, const Unit& unit) {
    std::size_t found = parts.size();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].kind != unit.kind || !is_below(unit.folder, parts[i].folder)) continue;
      if (found == parts.size() || parts[i].folder.size() > parts[found].folder.size()) found = i;
    }
    if (found < parts.size()) return found;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == SplitPart{FileKind::code, ""}) return i;
    }
    return found;
  }

  struct Sum {
    std::uint64_t bytes = 0;
    std::size_t folders = 0;
    std::uint64_t expected() const {
      std::uint64_t miss = one;
      for (std::size_t i = 0; i < folders && miss > 0; ++i) miss = miss * (one - chance_of_a_folder) / one;
      return std::min(bytes, most_bytes) * (one - miss) / one;
    }
  };

  std::optional<SplitPart> best_cut(const ApplicationSplit& parts) const {
    std::vector<Sum> whole(parts.size());
    std::map<std::pair<std::size_t, SplitPart>, Sum> cuts;  // by the part that they are cut from
    for (const Unit& unit : units_) {
      const std::size_t part = owner(parts, unit);
      whole[part].bytes += unit.bytes;
      ++whole[part].folders;
      for (std::size_t depth = shallowest_ + 1; depth <= depth_of(unit.folder); ++depth) {
        SplitPart wanted{unit.kind, std::string(cut(unit.folder, depth))};
        if (std::ranges::find(parts, wanted) != parts.end()) continue;
        Sum& sum = cuts[{part, std::move(wanted)}];
        sum.bytes += unit.bytes;
        ++sum.folders;
      }
    }
    std::optional<SplitPart> best;
    std::uint64_t most = least_gain - 1;
    for (const auto& [key, sum] : cuts) {
      const Sum& all = whole[key.first];
      if (sum.folders == all.folders) continue;
      const Sum rest{all.bytes - sum.bytes, all.folders - sum.folders};
      const std::uint64_t split = sum.expected() + rest.expected();
      if (all.expected() <= split || all.expected() - split <= most) continue;
      most = all.expected() - split;
      best = key.second;
    }
    return best;
  }

  /// Files below code, and what takes the rest of its kind above the folders; those that were there as they lay, the
  /// new ones above them by name.
  static void order(ApplicationSplit& parts, const ApplicationSplit& previous) {
    const auto place = [&](const SplitPart& part) {
      const auto before = std::ranges::find(previous, part);
      return std::tuple(part.kind == FileKind::code, part.folder.empty(),
                        static_cast<std::size_t>(before - previous.begin()), part.folder);
    };
    std::ranges::sort(parts, {}, place);
  }

  std::vector<Unit> units_;
  std::size_t shallowest_ = 0;  // depth of the folder that all files are in
  std::uint64_t total_ = 0;
  std::uint64_t other_bytes_ = 0;
};

constexpr std::string_view all_title = "application";
constexpr std::string_view files_title = "application files";
constexpr std::string_view code_in = "application code in ";
constexpr std::string_view files_in = "application files in ";

}  // namespace

FileKind kind_of_file(std::string_view path) {
  return path.ends_with(".py") || path.ends_with(".pyi") ? FileKind::code : FileKind::other;
}

ApplicationSplit split_application(const std::vector<SplitFile>& files, OwnWheels wheels,
                                   const ApplicationSplit& previous, std::size_t cap) {
  return Splitter(files).split(wheels, previous, cap);
}

std::size_t part_of(const ApplicationSplit& split, std::string_view path) {
  const FileKind kind = kind_of_file(path);
  std::size_t found = split.size() - 1;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (split[i].kind != kind || !is_below(folder_of(path), split[i].folder)) continue;
    if (split[found].kind != kind || split[i].folder.size() > split[found].folder.size()) found = i;
  }
  return found;
}

std::string part_title(const SplitPart& part) {
  if (part.folder.empty()) return std::string(part.kind == FileKind::code ? all_title : files_title);
  return std::string(part.kind == FileKind::code ? code_in : files_in) + part.folder;
}

std::optional<SplitPart> read_part_title(std::string_view title) {
  if (title == all_title) return SplitPart{FileKind::code, ""};
  if (title == files_title) return SplitPart{FileKind::other, ""};
  for (const auto& [start, kind] : {std::pair(code_in, FileKind::code), std::pair(files_in, FileKind::other)}) {
    if (title.starts_with(start) && title.size() > start.size())
      return SplitPart{kind, std::string(title.substr(start.size()))};
  }
  return std::nullopt;
}

}  // namespace veneer::plan
