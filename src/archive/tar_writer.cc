#include "archive/tar_writer.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr std::size_t name_size = 100;
constexpr std::size_t prefix_size = 155;
constexpr std::uint64_t largest_7_digits = 07777777;       // 8-byte fields
constexpr std::uint64_t largest_11_digits = 077777777777;  // 12-byte fields

// Where the fields of a ustar header begin (POSIX.1-2001, pax, "ustar Interchange Format").
enum Field : std::size_t {
  name_at = 0,
  mode_at = 100,
  uid_at = 108,
  gid_at = 116,
  size_at = 124,
  mtime_at = 136,
  checksum_at = 148,
  type_at = 156,
  link_at = 157,
  magic_at = 257,
  major_at = 329,
  minor_at = 337,
  prefix_at = 345,
};

char type_flag(EntryType type) {
  switch (type) {
    case EntryType::file: return '0';
    case EntryType::hard_link: return '1';
    case EntryType::symlink: return '2';
    case EntryType::character_device: return '3';
    case EntryType::block_device: return '4';
    case EntryType::folder: return '5';
    case EntryType::fifo: return '6';
  }
  return '0';
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

class HeaderBlock {
 public:
  void text(Field at, std::size_t size, std::string_view value) {
    std::memcpy(bytes_ + at, value.data(), std::min(size, value.size()));
  }
  /// `digits` octal digits and a NUL.
  void number(Field at, int digits, std::uint64_t value) {
    const std::string octal = fmt::format("{:0{}o}", value, digits);
    std::memcpy(bytes_ + at, octal.c_str(), octal.size() + 1);
  }
  void seal_into(Bytes& out) {
    std::memset(bytes_ + checksum_at, ' ', 8);
    unsigned sum = 0;
    for (const char byte : bytes_) sum += static_cast<unsigned char>(byte);
    const std::string octal = fmt::format("{:06o}", sum);
    std::memcpy(bytes_ + checksum_at, octal.c_str(), 7);  // six digits, NUL, and the space that is there
    append(out, std::as_bytes(std::span(bytes_)));
  }

 private:
  char bytes_[tar_block_size] = {};
};

/// A PAX record: its own length in decimal, a space, key=value, a line break.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;  // it counts its own digits, of which it may need one more for that
  while (length != rest + fmt::formatted_size("{}", length)) length = rest + fmt::formatted_size("{}", length);
  return fmt::format("{} {}={}\n", length, key, value);
}

void check_path(std::string_view path, std::string_view what) {
  const bool bad = path.empty() || path.front() == '/' || path.back() == '/' ||
                   path.find('\0') != std::string_view::npos || has_parent_parts(path);
  if (bad)
    throw Error(ErrorKind::refused, fmt::format("'{}' cannot be the {} of a layer's entry", printable(path), what));
}

/// The place of the slash that splits `path` into prefix and name; npos when there is none that fits.
std::size_t split_place(std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (slash > prefix_size) break;
    const std::size_t rest = path.size() - slash - 1;
    if (slash > 0 && rest > 0 && rest <= name_size) return slash;
  }
  return std::string_view::npos;
}

}  // namespace

Bytes tar_header(const TarEntry& entry) {
  check_path(entry.path, "path");
  if (entry.type == EntryType::hard_link) check_path(entry.link_target, "target");
  const std::string path = entry.type == EntryType::folder ? entry.path + "/" : entry.path;
  const std::uint64_t size = entry.type == EntryType::file ? entry.size : 0;

  std::map<std::string, std::string> records;
  HeaderBlock block;
  // ustar does not say in which encoding its names are; only PAX does. Readers that know no PAX get what fits.
  const std::size_t split = path.size() <= name_size ? 0 : split_place(path);
  if (split == std::string_view::npos || !is_ascii(path)) {
    records["path"] = path;
    block.text(name_at, name_size, path);
  } else if (split == 0) {
    block.text(name_at, name_size, path);
  } else {
    block.text(prefix_at, prefix_size, std::string_view(path).substr(0, split));
    block.text(name_at, name_size, std::string_view(path).substr(split + 1));
  }
  if (entry.link_target.size() > name_size || !is_ascii(entry.link_target)) records["linkpath"] = entry.link_target;
  block.text(link_at, name_size, entry.link_target);

  const auto number = [&](Field at, int digits, std::uint64_t largest, std::uint64_t value, const char* key) {
    if (value > largest) records[key] = fmt::format("{}", value);
    block.number(at, digits, value > largest ? 0 : value);
  };
  block.number(mode_at, 7, entry.mode & 07777);
  number(uid_at, 7, largest_7_digits, entry.uid, "uid");
  number(gid_at, 7, largest_7_digits, entry.gid, "gid");
  number(size_at, 11, largest_11_digits, size, "size");
  const bool ordinary_time = entry.mtime >= 0 && static_cast<std::uint64_t>(entry.mtime) <= largest_11_digits;
  if (!ordinary_time) records["mtime"] = fmt::format("{}", entry.mtime);
  block.number(mtime_at, 11, ordinary_time ? static_cast<std::uint64_t>(entry.mtime) : 0);
  block.text(type_at, 1, std::string_view(std::string(1, type_flag(entry.type))));
  block.text(magic_at, 8, std::string_view("ustar\00000", 8));
  if (entry.device_major > largest_7_digits || entry.device_minor > largest_7_digits) {
    throw Error(ErrorKind::refused, fmt::format("{}: the device numbers are too large", printable(entry.path)));
  }
  block.number(major_at, 7, entry.device_major);
  block.number(minor_at, 7, entry.device_minor);
  for (const auto& [name, value] : entry.xattrs) records["SCHILY.xattr." + name] = value;

  Bytes out;
  if (!records.empty()) {
    std::string data;
    for (const auto& [key, value] : records) data += record(key, value);
    // All of it is fixed, so that the bytes depend on the entry alone: GNU tar puts its process's number into the name.
    HeaderBlock pax;
    pax.text(name_at, name_size, "././@PaxHeader");
    pax.number(mode_at, 7, 0644);
    pax.number(uid_at, 7, 0);
    pax.number(gid_at, 7, 0);
    pax.number(size_at, 11, data.size());
    pax.number(mtime_at, 11, 0);
    pax.text(type_at, 1, "x");
    pax.text(magic_at, 8, std::string_view("ustar\00000", 8));
    pax.number(major_at, 7, 0);
    pax.number(minor_at, 7, 0);
    pax.seal_into(out);
    append(out, as_bytes(data));
    out.resize(out.size() + tar_padding(data.size()));
  }
  block.seal_into(out);
  return out;
}

std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((tar_block_size - size % tar_block_size) % tar_block_size);
}

}  // namespace veneer::archive
