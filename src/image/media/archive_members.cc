#include "image/media/archive_members.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/tar.hh"
#include "foundation/error.hh"

namespace veneer::image {

using archive::EntryType;

namespace {

constexpr std::size_t most_members = 200'000;
constexpr std::size_t most_links = 40;

void refuse_compressed(const RandomAccess& file) {
  std::array<std::byte, 4> start{};
  if (file.size() < start.size()) refuse("the file is too short for an archive");
  file.read_at(0, start);
  const std::string_view text = as_text(start);
  for (const auto& [magic, name] : {std::pair<std::string_view, std::string_view>{"\x1f\x8b", "gzip"},
                                    {"\x28\xb5\x2f\xfd", "zstd"},
                                    {"BZh", "bzip2"},
                                    {"\xfd"
                                     "7zX",
                                     "xz"}}) {
    if (text.starts_with(magic)) {
      throw Error(ErrorKind::refused, fmt::format("the archive is compressed by {}", name),
                  "decompress it first, or by gzip or zstd");
    }
  }
}

/// Where a symbolic link `target`, found in the folder of `path`, leads; nothing when that is outside the archive.
std::optional<std::string> link_path(std::string_view path, std::string_view target) {
  if (target.starts_with('/')) return std::nullopt;
  std::string here(path.substr(0, path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/')));
  while (!target.empty()) {
    const std::size_t end = std::min(target.find('/'), target.size());
    const std::string_view part = target.substr(0, end);
    target.remove_prefix(std::min(end + 1, target.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (here.empty()) return std::nullopt;
      const std::size_t slash = here.rfind('/');
      here.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    if (!here.empty()) here += '/';
    here += part;
  }
  return here;
}

}  // namespace

ArchiveMembers::ArchiveMembers(std::shared_ptr<const RandomAccess> file) : file_(std::move(file)) {
  refuse_compressed(*file_);
  archive::TarLimits limits;
  limits.entries = most_members;
  limits.path_length = 4096;
  archive::TarReader reader(file_, limits);
  while (const auto entry = reader.next()) {
    if (entry->type == EntryType::folder) continue;
    if (archive::has_parent_parts(entry->path)) {
      refuse(fmt::format("the archive has a file '{}', which leads out of it", printable(entry->path)));
    }
    Member member;
    switch (entry->type) {
      case EntryType::file:
        member.offset = reader.data_offset();
        member.size = entry->size;
        break;
      case EntryType::symlink: member.link = link_path(entry->path, entry->link_target).value_or(""); break;
      case EntryType::hard_link: member.link = entry->link_target; break;
      default: continue;  // devices and pipes hold nothing
    }
    const auto [found, is_new] = members_.emplace(entry->path, member);
    if (!is_new) found->second.is_doubled = true;
  }
}

const ArchiveMembers::Member* ArchiveMembers::find(std::string_view name) const {
  if (name.starts_with('/') || archive::has_parent_parts(name)) {
    refuse(fmt::format("the name '{}' leads out of the archive", printable(name)));
  }
  std::string here(name);
  for (std::size_t links = 0; links <= most_links; ++links) {
    const auto found = members_.find(here);
    if (found == members_.end()) {
      if (links == 0) return nullptr;
      refuse(fmt::format("'{}' is a link that leads nowhere in the archive", printable(name)));
    }
    if (found->second.is_doubled) {
      refuse(fmt::format("the archive has two files '{}'", printable(here)));
    }
    if (!found->second.link) return &found->second;
    if (found->second.link->empty() || archive::has_parent_parts(*found->second.link)) {
      refuse(fmt::format("'{}' is a link that leads out of the archive", printable(here)));
    }
    here = *found->second.link;
  }
  refuse(fmt::format("'{}' is a chain of more than {} links", printable(name), most_links));
}

const ArchiveMembers::Member& ArchiveMembers::get(std::string_view name) const {
  const Member* member = find(name);
  if (member == nullptr) {
    throw Error(ErrorKind::not_found, fmt::format("the archive has no file '{}'", printable(name)));
  }
  return *member;
}

std::uint64_t ArchiveMembers::size(std::string_view name) const { return get(name).size; }

std::unique_ptr<ByteSource> ArchiveMembers::open(std::string_view name) const {
  const Member& member = get(name);
  return std::make_unique<SliceSource>(file_, member.offset, member.size);
}

std::string ArchiveMembers::read(std::string_view name, std::uint64_t limit) const {
  if (const std::uint64_t found = size(name); found > limit) {
    refuse(fmt::format("'{}' has {} bytes; more than {} are not accepted", printable(name), found, limit));
  }
  const auto source = open(name);
  const Bytes bytes = read_all(*source, limit);
  return std::string(as_text(bytes));
}

}  // namespace veneer::image
