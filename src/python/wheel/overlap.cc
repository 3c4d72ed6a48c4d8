#include "python/wheel/overlap.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "python/wheel/verified_content.hh"

namespace veneer::python {
namespace {

struct Wanted {
  const std::string* name;
  const Claim* claim;
};

/// Everything that is wanted, by path, the greatest name first.
std::map<std::string_view, std::vector<Wanted>> by_path(std::span<const Claims> all) {
  std::map<std::string_view, std::vector<Wanted>> paths;
  for (const Claims& claims : all) {
    for (const Claim& claim : claims.files) paths[claim.path].push_back({&claims.name, &claim});
  }
  for (auto& [path, wanted] : paths) {
    std::sort(wanted.begin(), wanted.end(),
              [](const Wanted& left, const Wanted& right) { return *left.name > *right.name; });
  }
  return paths;
}

void refuse_repeated_names(std::span<const Claims> all) {
  std::vector<std::string_view> names;
  for (const Claims& claims : all) names.push_back(claims.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  throw Error(ErrorKind::refused, fmt::format("{} would be installed twice", printable(*twice)));
}

}  // namespace

Claims claims_of(std::string_view name, const tree::FileTree& installed) {
  Claims claims{std::string(name), {}};
  for (const auto& [path, entry] : installed.entries()) {
    const tree::Inode& inode = *entry.inode;
    if (inode.type == archive::EntryType::file) {
      claims.files.push_back({path, inode.mode, "sha256:" + promised_sha256(*inode.content).hex()});
    } else if (inode.type == archive::EntryType::symlink) {
      claims.files.push_back({path, inode.mode, "link:" + inode.link_target});
    }
  }
  return claims;
}

std::string claims_to_text(const Claims& claims) {
  Value::Array files;
  for (const Claim& claim : claims.files) {
    files.push_back(Value::Array{claim.path, std::int64_t{claim.mode}, claim.content});
  }
  Value text;
  text.set("name", claims.name);
  text.set("files", std::move(files));
  return to_json(text);
}

Claims claims_from_text(std::string_view text) {
  return in_context(
      [] { return "reading claims"; },
      [&] {
        const Value value = parse_json(text);
        Claims claims{value.at("name").string(), {}};
        for (const Value& file : value.at("files").array()) {
          const Value::Array& fields = file.array();
          if (fields.size() != 3) throw Error(ErrorKind::refused, "a claim has not three fields");
          const std::int64_t mode = fields[1].integer();
          if (mode < 0 || mode > 07777) throw Error(ErrorKind::refused, "a claim has an impossible mode");
          claims.files.push_back({fields[0].string(), static_cast<std::uint32_t>(mode), fields[2].string()});
        }
        return claims;
      });
}

std::vector<PathOverlap> find_overlaps(std::span<const Claims> all) {
  refuse_repeated_names(all);
  const auto paths = by_path(all);
  std::vector<PathOverlap> overlaps;
  for (const auto& [path, wanted] : paths) {
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      const auto file = paths.find(path.substr(0, slash));
      if (file == paths.end()) continue;
      throw Error(ErrorKind::refused,
                  fmt::format("{} is a file of {} and a folder of {}", printable(file->first),
                              printable(*file->second.front().name), printable(*wanted.front().name)));
    }
    for (std::size_t i = 1; i < wanted.size(); ++i) {
      if (wanted[i].claim->mode == wanted[0].claim->mode && wanted[i].claim->content == wanted[0].claim->content)
        continue;
      overlaps.push_back({std::string(path), *wanted[0].name, *wanted[i].name});
    }
  }
  return overlaps;
}

std::vector<Finding> overlap_findings(std::span<const PathOverlap> overlaps) {
  std::vector<Finding> findings;
  for (const PathOverlap& overlap : overlaps) {
    findings.push_back(
        {"path-overlap", printable(overlap.path),
         fmt::format("{} and {} install different files as {}; that of {} is used", printable(overlap.loser),
                     printable(overlap.winner), printable(overlap.path), printable(overlap.winner)),
         Weight::note});
  }
  return findings;
}

}  // namespace veneer::python
