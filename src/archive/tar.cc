#include "archive/tar.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr std::size_t component_limit = 255;  // NAME_MAX
constexpr std::string_view xattr_prefix = "SCHILY.xattr.";
using Block = std::array<std::byte, tar_block_size>;

std::string_view field(const Block& block, std::size_t at, std::size_t size) {
  return as_text(ByteView(block).subspan(at, size));
}

/// Up to the first NUL.
std::string text_field(const Block& block, std::size_t at, std::size_t size) {
  const std::string_view raw = field(block, at, size);
  return std::string(raw.substr(0, raw.find('\0')));
}

/// Octal digits, or GNU's base-256 form (first byte 0x80 or 0xff). Nothing when it is neither.
std::optional<std::int64_t> number_field(const Block& block, std::size_t at, std::size_t size) {
  const std::string_view raw = field(block, at, size);
  const auto first = static_cast<unsigned char>(raw[0]);
  if ((first & 0x80) != 0) {
    // Two's complement, big-endian, below the marker bit.
    const bool negative = (first & 0x40) != 0;
    std::uint64_t value = negative ? ~0ull : 0;
    for (std::size_t i = 0; i < size; ++i) {
      auto byte = static_cast<unsigned char>(raw[i]);
      if (i == 0) byte = negative ? byte | 0x80 : byte & 0x7f;
      const std::uint64_t top = value >> 56;
      if (i > 0 && top != (negative ? 0xffu : 0u)) return std::nullopt;  // more than 64 bits
      value = (value << 8) | byte;
    }
    const auto result = static_cast<std::int64_t>(value);
    return (result < 0) == negative ? std::optional(result) : std::nullopt;
  }
  std::int64_t value = 0;
  bool digits = false;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = raw[i];
    if (c >= '0' && c <= '7') {
      if (value > (INT64_MAX >> 3)) return std::nullopt;
      value = value * 8 + (c - '0');
      digits = true;
    } else if (c == ' ' || c == '\0') {
      if (digits) break;
    } else {
      return std::nullopt;
    }
  }
  return value;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{}; });
}

bool checksum_holds(const Block& block) {
  const auto stored = number_field(block, 148, 8);
  if (!stored) return false;
  std::int64_t unsigned_sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < tar_block_size; ++i) {
    const auto byte = i >= 148 && i < 156 ? std::byte{' '} : block[i];
    unsigned_sum += std::to_integer<unsigned char>(byte);
    signed_sum += static_cast<signed char>(std::to_integer<unsigned char>(byte));
  }
  return *stored == unsigned_sum || *stored == signed_sum;
}

/// Without "." parts, doubled, leading and trailing slashes.
std::string clean_path(std::string_view raw) {
  std::string path;
  while (!raw.empty()) {
    const std::size_t slash = raw.find('/');
    const std::string_view part = raw.substr(0, slash);
    if (!part.empty() && part != ".") {
      if (!path.empty()) path += '/';
      path += part;
    }
    raw.remove_prefix(slash == std::string_view::npos ? raw.size() : slash + 1);
  }
  return path;
}

/// A decimal number that is all of `text`.
template <typename Number>
std::optional<Number> decimal(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whole seconds of a PAX time such as "1700000000.25", rounded down.
std::optional<std::int64_t> pax_time(std::string_view text) {
  const std::size_t dot = text.find('.');
  auto seconds = decimal<std::int64_t>(text.substr(0, dot));
  if (!seconds || dot == std::string_view::npos) return seconds;
  const std::string_view fraction = text.substr(dot + 1);
  if (!std::all_of(fraction.begin(), fraction.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const bool whole = fraction.find_first_not_of('0') == std::string_view::npos;
  if (text.starts_with('-') && !whole) --*seconds;
  return seconds;
}

using Records = std::map<std::string, std::string>;

Records parse_pax(std::string_view data) {
  Records records;
  while (!data.empty()) {
    const std::size_t space = data.find(' ');
    const auto length = space == std::string_view::npos ? std::nullopt : decimal<std::size_t>(data.substr(0, space));
    if (!length || *length <= space + 1 || *length > data.size() || data[*length - 1] != '\n') {
      throw Error(ErrorKind::refused, "a PAX header has a malformed record");
    }
    const std::string_view pair = data.substr(space + 1, *length - space - 2);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw Error(ErrorKind::refused, "a PAX header has a record without a key");
    }
    records[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    data.remove_prefix(*length);
  }
  return records;
}

}  // namespace

bool has_parent_parts(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

class TarReader::Implementation : public ByteSource {
 public:
  Implementation(ByteSource& source, const TarLimits& limits) : source_(&source), limits_(limits) {}
  Implementation(std::shared_ptr<const RandomAccess> archive, const TarLimits& limits)
      : archive_(std::move(archive)), limits_(limits) {
    seek(0);
  }

  std::optional<TarEntry> next();
  std::uint64_t data_offset() const { return data_offset_; }

  // The data of the current entry.
  std::size_t read(std::span<std::byte> into) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), rest_));
    if (wanted == 0) return 0;
    const std::size_t count = source_->read(into.first(wanted));
    if (count == 0) {
      throw Error(ErrorKind::refused,
                  fmt::format("'{}': the archive ends {} bytes too early", printable(current_), rest_));
    }
    rest_ -= count;
    offset_ += count;
    return count;
  }

 private:
  bool read_block(Block& block);
  void skip(std::uint64_t count);
  void finish_entry();
  std::string extended_data(std::uint64_t size);
  std::optional<TarEntry> make_entry(const Block& block, char type);
  void apply_pax(TarEntry& entry, std::uint64_t& size, std::string& name, std::string& link) const;
  static void check_sparse(const Block& block, std::string_view name);
  void refuse_dangling() const;
  std::nullopt_t end();

  /// Goes on at `offset`, which is not behind the end of the archive that was given for it.
  void seek(std::uint64_t offset) {
    slice_ = std::make_unique<SliceSource>(archive_, offset, archive_->size() - offset);
    source_ = slice_.get();
    offset_ = offset;
  }

  std::shared_ptr<const RandomAccess> archive_;  // null when it can be read in order only
  std::unique_ptr<SliceSource> slice_;
  ByteSource* source_ = nullptr;
  TarLimits limits_;
  std::uint64_t offset_ = 0;       // in the archive
  std::uint64_t data_offset_ = 0;  // of the current entry
  std::uint64_t rest_ = 0;         // data of it that was not read
  std::size_t padding_ = 0;        // behind that
  std::string current_;
  std::size_t count_ = 0;
  std::uint64_t header_data_ = 0;
  bool ended_ = false;
  // From extension headers, for the entry that follows.
  std::optional<std::uint64_t> extension_at_;  // where the first of them stands
  std::string long_name_;
  std::string long_link_;
  Records pax_;
};

bool TarReader::Implementation::read_block(Block& block) {
  const std::size_t count = read_full(*source_, block);
  offset_ += count;
  if (count == 0) return false;
  if (count != tar_block_size) throw Error(ErrorKind::refused, "the archive ends in the middle of a header");
  return true;
}

void TarReader::Implementation::skip(std::uint64_t count) {
  if (archive_ && count > 0) {
    const std::uint64_t rest = archive_->size() - offset_;
    if (count <= rest) return seek(offset_ + count);
    throw Error(ErrorKind::refused,
                fmt::format("'{}': the archive ends {} bytes too early", printable(current_), count - rest));
  }
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(count, 64 * 1024)));
  while (count > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size()));
    const std::size_t got = source_->read(std::span(buffer).first(wanted));
    if (got == 0)
      throw Error(ErrorKind::refused,
                  fmt::format("'{}': the archive ends {} bytes too early", printable(current_), count));
    count -= got;
    offset_ += got;
  }
}

void TarReader::Implementation::finish_entry() {
  skip(rest_);
  rest_ = 0;
  // The padding of the last entry may be cut off when nothing follows; engines accept that.
  std::array<std::byte, tar_block_size> padding{};
  offset_ += read_full(*source_, std::span(padding).first(padding_));
  padding_ = 0;
}

std::string TarReader::Implementation::extended_data(std::uint64_t size) {
  if (size > limits_.header_data) {
    throw Error(ErrorKind::refused, fmt::format("an extension header of {} bytes is larger than the limit of {}", size,
                                                limits_.header_data));
  }
  header_data_ += size;
  if (header_data_ > limits_.all_header_data) {
    throw Error(ErrorKind::refused,
                fmt::format("its extension headers hold more than {} bytes", limits_.all_header_data));
  }
  std::string data(static_cast<std::size_t>(size), '\0');
  if (read_full(*source_, std::as_writable_bytes(std::span(data))) != data.size()) {
    throw Error(ErrorKind::refused, "the archive ends in the middle of an extension header");
  }
  offset_ += size;
  skip((tar_block_size - size % tar_block_size) % tar_block_size);
  return data;
}

void TarReader::Implementation::refuse_dangling() const {
  if (!extension_at_) return;
  throw Error(ErrorKind::refused,
              fmt::format("the extension header at byte {} has no entry behind it", *extension_at_));
}

std::nullopt_t TarReader::Implementation::end() {
  refuse_dangling();
  ended_ = true;
  if (archive_) return std::nullopt;
  std::vector<std::byte> buffer(64 * 1024);
  while (const std::size_t count = source_->read(buffer)) offset_ += count;
  return std::nullopt;
}

std::optional<TarEntry> TarReader::Implementation::next() {
  if (ended_) return std::nullopt;
  finish_entry();
  for (;;) {
    Block block;
    if (!read_block(block)) return end();
    if (is_zero(block)) {
      if (!read_block(block) || is_zero(block)) return end();
      throw Error(ErrorKind::refused, "a lone zero block stands between entries");
    }
    if (!checksum_holds(block))
      throw Error(ErrorKind::refused,
                  fmt::format("the header at byte {} has a wrong checksum", offset_ - tar_block_size));
    const char type = static_cast<char>(block[156]);
    if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
      const auto size = number_field(block, 124, 12);
      if (!size || *size < 0) throw Error(ErrorKind::refused, "an extension header has a malformed size");
      if (++count_ > limits_.entries)
        throw Error(ErrorKind::refused, fmt::format("the archive has more than {} entries", limits_.entries));
      if (type == 'g') {
        refuse_dangling();  // engines forget what stands before a global header
      } else if (!extension_at_) {
        extension_at_ = offset_ - tar_block_size;
      }
      const std::string data = extended_data(static_cast<std::uint64_t>(*size));
      if (type == 'x') {
        pax_ = parse_pax(data);
      } else if (type == 'L') {
        long_name_ = data.substr(0, data.find('\0'));
      } else if (type == 'K') {
        long_link_ = data.substr(0, data.find('\0'));
      } else {
        parse_pax(data);  // global: must be well-formed, says nothing that matters
      }
      continue;
    }
    return make_entry(block, type);
  }
}

void TarReader::Implementation::check_sparse(const Block& block, std::string_view name) {
  const auto real_size = number_field(block, 483, 12);
  if (block[482] != std::byte{} || !real_size || *real_size != 0) {
    throw Error(ErrorKind::refused, fmt::format("'{}': sparse files are not supported", printable(name)));
  }
}

void TarReader::Implementation::apply_pax(TarEntry& entry, std::uint64_t& size, std::string& name,
                                          std::string& link) const {
  const auto malformed = [&](std::string_view key) {
    return Error(ErrorKind::refused,
                 fmt::format("'{}': the PAX record '{}' is malformed", printable(name), printable(key)));
  };
  const auto unsigned_record = [&](std::string_view key, const std::string& value) {
    const auto number = decimal<std::uint64_t>(value);
    if (!number || *number > INT64_MAX) throw malformed(key);
    return *number;
  };
  for (const auto& [key, value] : pax_) {
    if (value.empty() && !key.starts_with(xattr_prefix))
      continue;  // as if there were no such record (Go's archive/tar)
    if (key == "path") {
      if (long_name_.empty()) name = value;
    } else if (key == "linkpath") {
      if (long_link_.empty()) link = value;
    } else if (key == "size") {
      size = unsigned_record(key, value);
    } else if (key == "uid") {
      entry.uid = unsigned_record(key, value);
    } else if (key == "gid") {
      entry.gid = unsigned_record(key, value);
    } else if (key == "mtime") {
      const auto seconds = pax_time(value);
      if (!seconds) throw malformed(key);
      entry.mtime = *seconds;
    } else if (key.starts_with(xattr_prefix)) {
      entry.xattrs[key.substr(xattr_prefix.size())] = value;
    } else if (key.starts_with("GNU.sparse.")) {
      throw Error(ErrorKind::refused, fmt::format("'{}': sparse files are not supported", printable(name)));
    }
  }
}

std::optional<TarEntry> TarReader::Implementation::make_entry(const Block& block, char type) {
  if (++count_ > limits_.entries)
    throw Error(ErrorKind::refused, fmt::format("the archive has more than {} entries", limits_.entries));
  const bool is_posix = field(block, 257, 6) == std::string_view("ustar\0", 6);
  std::string name = text_field(block, 0, 100);
  if (is_posix) {
    if (const std::string prefix = text_field(block, 345, 155); !prefix.empty()) name = prefix + "/" + name;
  }
  std::string link = text_field(block, 157, 100);
  // Empty ones are none, and PAX does not replace them, as in Go's archive/tar.
  if (!long_name_.empty()) name = long_name_;
  if (!long_link_.empty()) link = long_link_;

  TarEntry entry;
  const auto number = [&](std::size_t at, std::size_t size, std::string_view what) {
    const auto value = number_field(block, at, size);
    if (!value) throw Error(ErrorKind::refused, fmt::format("'{}': the {} is malformed", printable(name), what));
    return *value;
  };
  const auto natural = [&](std::size_t at, std::size_t size, std::string_view what) {
    const std::int64_t value = number(at, size, what);
    if (value < 0) throw Error(ErrorKind::refused, fmt::format("'{}': the {} is negative", printable(name), what));
    return static_cast<std::uint64_t>(value);
  };
  entry.mode = static_cast<std::uint32_t>(natural(100, 8, "mode") & 07777);
  entry.uid = natural(108, 8, "owner");
  entry.gid = natural(116, 8, "group");
  entry.mtime = number(136, 12, "time");
  const auto pax_size = pax_.find("size");
  const bool has_pax_size = pax_size != pax_.end() && !pax_size->second.empty();
  std::uint64_t size = has_pax_size ? 0 : natural(124, 12, "size");
  apply_pax(entry, size, name, link);

  switch (type) {
    case '0':
    case '7': entry.type = EntryType::file; break;
    case '\0': entry.type = name.ends_with('/') ? EntryType::folder : EntryType::file; break;  // tar before POSIX
    case '1': entry.type = EntryType::hard_link; break;
    case '2': entry.type = EntryType::symlink; break;
    case '3': entry.type = EntryType::character_device; break;
    case '4': entry.type = EntryType::block_device; break;
    case '5': entry.type = EntryType::folder; break;
    case '6': entry.type = EntryType::fifo; break;
    case 'S':
      check_sparse(block, name);
      entry.type = EntryType::file;
      break;
    default: {
      const char flag[] = {type, '\0'};
      throw Error(ErrorKind::refused,
                  fmt::format("'{}': entries of type '{}' are not supported", printable(name), printable(flag)));
    }
  }
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    entry.device_major = static_cast<std::uint32_t>(natural(329, 8, "device number"));
    entry.device_minor = static_cast<std::uint32_t>(natural(337, 8, "device number"));
  }

  const auto check_text = [&](std::string_view text, std::string_view what) {
    if (text.find('\0') != std::string_view::npos)
      throw Error(ErrorKind::refused, fmt::format("'{}': the {} holds a NUL", printable(name), what));
    if (text.size() > limits_.path_length)
      throw Error(ErrorKind::refused, fmt::format("'{}': the {} is too long", printable(name), what));
  };
  check_text(name, "name");
  check_text(link, "link target");
  if (name.empty())
    throw Error(ErrorKind::refused, fmt::format("the entry at byte {} has no name", offset_ - tar_block_size));
  entry.path = clean_path(name);
  if (entry.path.empty() && entry.type != EntryType::folder) {
    throw Error(ErrorKind::refused, fmt::format("the root '{}' is no folder", printable(name)));
  }
  for (std::size_t start = 0; start < entry.path.size();) {
    const std::size_t slash = std::min(entry.path.find('/', start), entry.path.size());
    if (slash - start > component_limit) {
      throw Error(ErrorKind::refused,
                  fmt::format("'{}': a name longer than {} bytes cannot be made", printable(name), component_limit));
    }
    start = slash + 1;
  }
  if (entry.type == EntryType::symlink) {
    if (link.empty())
      throw Error(ErrorKind::refused, fmt::format("'{}': the symbolic link leads nowhere", printable(name)));
    entry.link_target = link;
  } else if (entry.type == EntryType::hard_link) {
    entry.link_target = clean_path(link);
    if (entry.link_target.empty())
      throw Error(ErrorKind::refused, fmt::format("'{}': the hard link leads nowhere", printable(name)));
  }
  if (entry.type == EntryType::file) {
    entry.size = size;
    rest_ = entry.size;
    padding_ = static_cast<std::size_t>((tar_block_size - entry.size % tar_block_size) % tar_block_size);
  }
  current_ = entry.path;
  data_offset_ = offset_;
  long_name_.clear();
  long_link_.clear();
  pax_.clear();
  extension_at_.reset();
  return entry;
}

TarReader::TarReader(ByteSource& source, const TarLimits& limits)
    : implementation_(std::make_unique<Implementation>(source, limits)) {}
TarReader::TarReader(std::shared_ptr<const RandomAccess> archive, const TarLimits& limits)
    : implementation_(std::make_unique<Implementation>(std::move(archive), limits)) {}
TarReader::~TarReader() = default;
std::optional<TarEntry> TarReader::next() { return implementation_->next(); }
ByteSource& TarReader::data() { return *implementation_; }
std::uint64_t TarReader::data_offset() const { return implementation_->data_offset(); }

}  // namespace veneer::archive
