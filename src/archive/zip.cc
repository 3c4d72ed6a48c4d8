#include "archive/zip.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/compression.hh"
#include "archive/isal.hh"
#include "foundation/error.hh"
#include "foundation/utf8.hh"

namespace veneer::archive {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t descriptor_signature = 0x08074b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t zip64_end_signature = 0x06064b50;
constexpr std::uint32_t zip64_locator_signature = 0x07064b50;
constexpr std::size_t local_size = 30;
constexpr std::size_t central_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t zip64_end_size = 56;
constexpr std::size_t zip64_locator_size = 20;
constexpr std::uint64_t directory_limit = 512ull << 20;

constexpr std::uint16_t flag_encrypted = 1 << 0;
constexpr std::uint16_t flag_descriptor = 1 << 3;
constexpr std::uint16_t flag_patched = 1 << 5;
constexpr std::uint16_t flag_strong_encryption = 1 << 6;
constexpr std::uint16_t flag_utf8 = 1 << 11;
constexpr std::uint16_t flag_masked = 1 << 13;
constexpr std::uint16_t compared_flags =
    flag_encrypted | flag_descriptor | flag_patched | flag_strong_encryption | flag_utf8 | flag_masked;

constexpr std::uint16_t extra_zip64 = 0x0001;
constexpr std::uint16_t extra_unicode_path = 0x7075;
constexpr std::uint16_t made_on_unix = 3;
constexpr std::uint16_t made_on_darwin = 19;

/// Fields of a header, read one after the other; the caller has made sure that they are there.
class Fields {
 public:
  explicit Fields(ByteView bytes) : bytes_(bytes) {}
  template <typename Integer>
  Integer next() {
    const Integer value = load_little_endian<Integer>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(Integer));
    return value;
  }
  std::uint16_t u16() { return next<std::uint16_t>(); }
  std::uint32_t u32() { return next<std::uint32_t>(); }
  std::uint64_t u64() { return next<std::uint64_t>(); }
  std::size_t left() const { return bytes_.size(); }

 private:
  ByteView bytes_;
};

Bytes read_bytes(const RandomAccess& file, std::uint64_t offset, std::size_t size) {
  Bytes bytes(size);
  file.read_at(offset, bytes);
  return bytes;
}

std::string method_name(std::uint16_t method) {
  static const std::map<std::uint16_t, std::string> names = {{1, "shrunk"}, {6, "imploded"}, {9, "deflate64"},
                                                             {12, "bzip2"}, {14, "LZMA"},    {93, "zstandard"},
                                                             {95, "XZ"},    {98, "PPMd"},    {99, "AES"}};
  const auto found = names.find(method);
  return found == names.end() ? fmt::format("number {}", method) : found->second;
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

/// The end record, which must close the file: exactly one place fits.
std::uint64_t find_end(const RandomAccess& file) {
  const std::uint64_t size = file.size();
  if (size < end_size) refuse("the file is too short for a zip file");
  const auto tail_size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_size + 0xffff));
  const Bytes tail = read_bytes(file, size - tail_size, tail_size);
  std::optional<std::uint64_t> found;
  for (std::size_t at = 0; at + end_size <= tail_size; ++at) {
    if (load_little_endian<std::uint32_t>(&tail[at]) != end_signature) continue;
    const auto comment = load_little_endian<std::uint16_t>(&tail[at + 20]);
    if (at + end_size + comment != tail_size) continue;
    if (found) refuse("two end records fit the end of the file");
    found = size - tail_size + at;
  }
  if (!found) refuse("the file does not end with the end record of a zip file");
  return *found;
}

/// What the zip64 end record says, if there is one; it must agree with `directory`, from the classic one.
Directory read_zip64_end(const RandomAccess& file, std::uint64_t end_offset, bool needed, const Directory& directory) {
  if (end_offset < zip64_locator_size + zip64_end_size) {
    if (needed) refuse("the zip64 end record is missing");
    return directory;
  }
  const Bytes locator_bytes = read_bytes(file, end_offset - zip64_locator_size, zip64_locator_size);
  Fields locator(locator_bytes);
  if (locator.u32() != zip64_locator_signature) {
    if (needed) refuse("the zip64 end record is missing");
    return directory;
  }
  const std::uint32_t disk = locator.u32();
  const std::uint64_t offset = locator.u64();
  const std::uint32_t disks = locator.u32();
  if (disk != 0 || disks > 1) refuse("archives of several parts are not supported");
  if (offset != end_offset - zip64_locator_size - zip64_end_size)
    refuse("the zip64 end record is not where its locator says");
  const Bytes record_bytes = read_bytes(file, offset, zip64_end_size);
  Fields record(record_bytes);
  if (record.u32() != zip64_end_signature || record.u64() != zip64_end_size - 12)
    refuse("the zip64 end record is malformed");
  record.u32();  // versions
  if (record.u32() != 0 || record.u32() != 0) refuse("archives of several parts are not supported");
  const std::uint64_t here = record.u64();
  Directory wide;
  wide.entries = record.u64();
  wide.size = record.u64();
  wide.offset = record.u64();
  if (here != wide.entries) refuse("archives of several parts are not supported");
  const auto agree = [](std::uint64_t narrow, std::uint64_t sentinel, std::uint64_t value) {
    return narrow == sentinel || narrow == value;
  };
  if (!agree(directory.entries, 0xffff, wide.entries) || !agree(directory.size, 0xffffffff, wide.size) ||
      !agree(directory.offset, 0xffffffff, wide.offset)) {
    refuse("the two end records disagree");
  }
  if (wide.offset > offset || wide.size != offset - wide.offset)
    refuse("the central directory does not lie right before the end record");
  return wide;
}

Directory read_end(const RandomAccess& file) {
  const std::uint64_t end_offset = find_end(file);
  const Bytes bytes = read_bytes(file, end_offset, end_size);
  Fields fields(bytes);
  fields.u32();
  if (fields.u16() != 0 || fields.u16() != 0) refuse("archives of several parts are not supported");
  const std::uint16_t here = fields.u16();
  Directory directory;
  directory.entries = fields.u16();
  directory.size = fields.u32();
  directory.offset = fields.u32();
  if (here != directory.entries) refuse("archives of several parts are not supported");
  const bool needed = directory.entries == 0xffff || directory.size == 0xffffffff || directory.offset == 0xffffffff;
  const Directory wide = read_zip64_end(file, end_offset, needed, directory);
  const bool is_wide = wide.offset + wide.size + zip64_end_size + zip64_locator_size == end_offset;
  if (!is_wide && (wide.offset > end_offset || wide.size != end_offset - wide.offset)) {
    refuse("the central directory does not lie right before the end record");
  }
  return wide;
}

/// Sizes and offset of a header that may have moved into its zip64 field.
struct Numbers {
  std::uint64_t size = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t offset = 0;  // central directory only
};

struct ExtraFields {
  std::optional<ByteView> zip64;
  std::optional<ByteView> unicode_path;
};

ExtraFields parse_extra(ByteView extra, const std::string& name) {
  ExtraFields fields;
  while (!extra.empty()) {
    if (extra.size() < 4) refuse(fmt::format("'{}': the extra field is malformed", printable(name)));
    const auto id = load_little_endian<std::uint16_t>(&extra[0]);
    const auto size = load_little_endian<std::uint16_t>(&extra[2]);
    if (extra.size() - 4 < size) refuse(fmt::format("'{}': the extra field is malformed", printable(name)));
    const ByteView data = extra.subspan(4, size);
    std::optional<ByteView>* place = id == extra_zip64          ? &fields.zip64
                                     : id == extra_unicode_path ? &fields.unicode_path
                                                                : nullptr;
    if (place != nullptr) {
      if (*place) refuse(fmt::format("'{}': an extra field occurs twice", printable(name)));
      *place = data;
    }
    extra = extra.subspan(4u + size);
  }
  return fields;
}

void apply_zip64(Numbers& numbers, const ExtraFields& extra, bool with_offset, const std::string& name) {
  const bool wide_size = numbers.size == 0xffffffff;
  const bool wide_compressed = numbers.compressed_size == 0xffffffff;
  const bool wide_offset = with_offset && numbers.offset == 0xffffffff;
  const std::size_t needed = (wide_size ? 8u : 0u) + (wide_compressed ? 8u : 0u) + (wide_offset ? 8u : 0u);
  if (!extra.zip64) {
    if (needed > 0) refuse(fmt::format("'{}': the zip64 field is missing", printable(name)));
    return;
  }
  if (extra.zip64->size() < needed) refuse(fmt::format("'{}': the zip64 field is too short", printable(name)));
  if (needed > 0 && extra.zip64->size() > needed + 4)
    refuse(fmt::format("'{}': the zip64 field is too long", printable(name)));
  Fields fields(*extra.zip64);
  if (wide_size) numbers.size = fields.u64();
  if (wide_compressed) numbers.compressed_size = fields.u64();
  if (wide_offset) numbers.offset = fields.u64();
}

/// An entry of the central directory with what is needed to compare it with its local header.
struct Member {
  ZipEntry entry;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t header_offset = 0;
};

void check_name(const std::string& name, std::uint16_t flags, const ZipLimits& limits) {
  if (name.empty()) refuse("a member has an empty name");
  if (name.size() > limits.name_length) refuse(fmt::format("'{}': the name is too long", printable(name)));
  if (name.find('\0') != std::string::npos) refuse(fmt::format("'{}': the name holds a NUL", printable(name)));
  if (!is_utf8(name)) refuse(fmt::format("'{}': the name is not UTF-8", printable(name)));
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii && (flags & flag_utf8) == 0) refuse(fmt::format("'{}': the name is not marked as UTF-8", printable(name)));
}

/// Reads the member at the start of `rest` and takes it off.
Member read_central(ByteView& rest, const ZipLimits& limits) {
  if (rest.size() < central_size) refuse("the central directory is cut off");
  Fields fields(rest.first(central_size));
  if (fields.u32() != central_signature) refuse("the central directory is malformed");
  Member member;
  const std::uint16_t made_by = fields.u16();
  fields.u16();  // version needed
  member.flags = fields.u16();
  member.method = fields.u16();
  fields.u32();  // time, date
  member.entry.crc32 = fields.u32();
  Numbers numbers;
  numbers.compressed_size = fields.u32();
  numbers.size = fields.u32();
  const std::uint16_t name_size = fields.u16();
  const std::uint16_t extra_size = fields.u16();
  const std::uint16_t comment_size = fields.u16();
  const std::uint16_t disk = fields.u16();
  fields.u16();  // internal attributes
  const std::uint32_t attributes = fields.u32();
  numbers.offset = fields.u32();
  const std::size_t total = central_size + name_size + extra_size + comment_size;
  if (rest.size() < total) refuse("the central directory is cut off");
  std::string& name = member.entry.name;
  name = as_text(rest.subspan(central_size, name_size));
  check_name(name, member.flags, limits);
  const ExtraFields extra = parse_extra(rest.subspan(central_size + name_size, extra_size), name);
  rest = rest.subspan(total);

  apply_zip64(numbers, extra, true, name);
  if (disk != 0) refuse("archives of several parts are not supported");
  if ((member.flags & (flag_encrypted | flag_strong_encryption | flag_masked)) != 0)
    refuse(fmt::format("'{}' is encrypted", printable(name)));
  if ((member.flags & flag_patched) != 0)
    refuse(fmt::format("'{}' is a patch, which is not supported", printable(name)));
  if (extra.unicode_path) {
    // Version 1, CRC of the plain name, the name.
    const bool same = extra.unicode_path->size() >= 5 && as_text(extra.unicode_path->subspan(5)) == name;
    if (!same) refuse(fmt::format("'{}' has a second name", printable(name)));
  }
  if (member.method != 0 && member.method != 8) {
    refuse(fmt::format("'{}' is compressed by a method that is not supported ({})", printable(name),
                       method_name(member.method)));
  }
  member.header_offset = numbers.offset;
  ZipEntry& entry = member.entry;
  entry.method = member.method == 0 ? ZipMethod::stored : ZipMethod::deflated;
  entry.size = numbers.size;
  entry.compressed_size = numbers.compressed_size;
  entry.is_folder = name.ends_with('/');
  if (entry.is_folder && entry.size != 0) refuse(fmt::format("'{}' is a folder with data", printable(name)));
  if (entry.method == ZipMethod::stored && entry.size != entry.compressed_size)
    refuse(fmt::format("'{}' is stored, and its two sizes differ", printable(name)));
  if (entry.size > limits.entry_size)
    refuse(fmt::format("'{}' is larger than the limit of {} bytes", printable(name), limits.entry_size));
  const std::uint16_t system = made_by >> 8;
  if ((system == made_on_unix || system == made_on_darwin) && (attributes >> 16) != 0)
    entry.unix_mode = attributes >> 16;
  return member;
}

/// Whether `bytes` are a data descriptor of `entry`: with or without signature, with 4- or 8-byte sizes. Nothing in the
/// archive says which of the four forms a writer chose, and all are in use; since the gap up to the next member must be
/// one of them to the last byte, the choice leaves no room for two readings.
bool is_descriptor(ByteView bytes, const ZipEntry& entry) {
  Bytes plain;
  append_little_endian(plain, entry.crc32);
  Bytes wide = plain;
  append_little_endian(plain, static_cast<std::uint32_t>(entry.compressed_size));
  append_little_endian(plain, static_cast<std::uint32_t>(entry.size));
  append_little_endian(wide, entry.compressed_size);
  append_little_endian(wide, entry.size);
  Bytes signature;
  append_little_endian(signature, descriptor_signature);
  const bool narrow = entry.compressed_size <= 0xffffffff && entry.size <= 0xffffffff;
  for (const Bytes* form : {&plain, &wide}) {
    if (form == &plain && !narrow) continue;
    if (std::ranges::equal(bytes, *form)) return true;
    Bytes signed_form = signature;
    append(signed_form, *form);
    if (std::ranges::equal(bytes, signed_form)) return true;
  }
  return false;
}

/// Compares the local header of `member` with the directory and finds its data, which must end at `next` but for a data
/// descriptor.
void check_local(const RandomAccess& file, Member& member, std::uint64_t next) {
  ZipEntry& entry = member.entry;
  const auto differ = [&](std::string_view what) {
    refuse(
        fmt::format("'{}': the {} in its header is not the one in the central directory", printable(entry.name), what));
  };
  if (next - member.header_offset < local_size)
    refuse(fmt::format("'{}' overlaps what follows", printable(entry.name)));
  const Bytes header = read_bytes(file, member.header_offset, local_size);
  Fields fields(header);
  if (fields.u32() != local_signature)
    refuse(fmt::format("'{}' has no header where the central directory says", printable(entry.name)));
  fields.u16();  // version needed
  const std::uint16_t flags = fields.u16();
  const std::uint16_t method = fields.u16();
  fields.u32();  // time, date
  const std::uint32_t crc = fields.u32();
  Numbers numbers;
  numbers.compressed_size = fields.u32();
  numbers.size = fields.u32();
  const std::uint16_t name_size = fields.u16();
  const std::uint16_t extra_size = fields.u16();
  if (next - member.header_offset < local_size + name_size + extra_size)
    refuse(fmt::format("'{}' overlaps what follows", printable(entry.name)));
  const Bytes variable = read_bytes(file, member.header_offset + local_size, std::size_t{name_size} + extra_size);
  if (as_text(ByteView(variable).first(name_size)) != entry.name) differ("name");
  const ExtraFields extra = parse_extra(ByteView(variable).subspan(name_size), entry.name);
  apply_zip64(numbers, extra, false, entry.name);
  if (extra.unicode_path && (extra.unicode_path->size() < 5 || as_text(extra.unicode_path->subspan(5)) != entry.name)) {
    refuse(fmt::format("'{}' has a second name", printable(entry.name)));
  }
  if ((flags & compared_flags) != (member.flags & compared_flags)) differ("set of flags");
  if (method != member.method) differ("method");
  const bool descriptor = (flags & flag_descriptor) != 0;
  const auto agrees = [&](std::uint64_t local, std::uint64_t central) {
    return local == central || (descriptor && local == 0);
  };
  if (!agrees(crc, entry.crc32)) differ("CRC");
  if (!agrees(numbers.compressed_size, entry.compressed_size) || !agrees(numbers.size, entry.size)) differ("size");

  entry.data_offset = member.header_offset + local_size + name_size + extra_size;
  if (entry.compressed_size > next - entry.data_offset)
    refuse(fmt::format("'{}' overlaps what follows", printable(entry.name)));
  const std::uint64_t behind = next - entry.data_offset - entry.compressed_size;
  if (behind == 0 && !descriptor) return;
  constexpr std::uint64_t longest_descriptor = 24;
  const bool fits = descriptor && behind <= longest_descriptor &&
                    is_descriptor(read_bytes(file, next - behind, static_cast<std::size_t>(behind)), entry);
  if (!fits)
    refuse(fmt::format("'{}' is followed by {} bytes that belong to no member", printable(entry.name), behind));
}

/// Passes data on and refuses a wrong size or CRC at its end.
class CheckedSource : public ByteSource {
 public:
  CheckedSource(std::unique_ptr<ByteSource> data, const ZipEntry& entry)
      : data_(std::move(data)), name_(entry.name), size_(entry.size), crc_(entry.crc32) {}

  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count =
        in_context([&] { return fmt::format("member '{}'", printable(name_)); }, [&] { return data_->read(into); });
    if (count == 0) {
      if (seen_ != size_) refuse(fmt::format("'{}' has {} bytes instead of {}", printable(name_), seen_, size_));
      if (running_crc_ != crc_) refuse(fmt::format("'{}' has a wrong CRC", printable(name_)));
      return 0;
    }
    seen_ += count;
    if (seen_ > size_) refuse(fmt::format("'{}' has more than its {} bytes", printable(name_), size_));
    running_crc_ = crc32_of(running_crc_, into.first(count));
    return count;
  }

 private:
  std::unique_ptr<ByteSource> data_;
  std::string name_;
  std::uint64_t size_;
  std::uint32_t crc_;
  std::uint64_t seen_ = 0;
  std::uint32_t running_crc_ = 0;
};

std::unique_ptr<ByteSource> open_entry(const std::shared_ptr<const RandomAccess>& file, const ZipEntry& entry) {
  std::unique_ptr<ByteSource> data = std::make_unique<SliceSource>(file, entry.data_offset, entry.compressed_size);
  if (entry.method == ZipMethod::deflated) data = open_deflate(std::move(data));
  return std::make_unique<CheckedSource>(std::move(data), entry);
}

class ZipContent : public Content {
 public:
  ZipContent(std::shared_ptr<const RandomAccess> file, ZipEntry entry)
      : file_(std::move(file)), entry_(std::move(entry)) {}
  std::uint64_t size() const override { return entry_.size; }
  std::unique_ptr<ByteSource> open() const override { return open_entry(file_, entry_); }
  std::optional<DeflatedData> deflated() const override {
    if (entry_.method != ZipMethod::deflated) return std::nullopt;
    return DeflatedData{std::make_unique<SliceSource>(file_, entry_.data_offset, entry_.compressed_size),
                        entry_.compressed_size, entry_.crc32};
  }

 private:
  std::shared_ptr<const RandomAccess> file_;
  ZipEntry entry_;
};

}  // namespace

ZipReader::ZipReader(std::shared_ptr<const RandomAccess> file, const ZipLimits& limits) : file_(std::move(file)) {
  const Directory directory = read_end(*file_);
  if (directory.entries > limits.entries)
    refuse(fmt::format("the archive has {} members, more than {}", directory.entries, limits.entries));
  if (directory.size > directory_limit) refuse("the central directory is too large");
  const Bytes bytes = read_bytes(*file_, directory.offset, static_cast<std::size_t>(directory.size));
  ByteView rest = bytes;
  std::vector<Member> members;
  std::uint64_t total = 0;
  while (!rest.empty()) {
    if (members.size() == directory.entries) refuse("the central directory has more members than the end record says");
    members.push_back(read_central(rest, limits));
    total += members.back().entry.size;
    if (total > limits.total_size) refuse(fmt::format("the archive holds more than {} bytes", limits.total_size));
  }
  if (members.size() != directory.entries) refuse("the central directory has fewer members than the end record says");

  // Members lie back to back from the start of the file to the directory.
  std::vector<Member*> by_offset;
  for (Member& member : members) by_offset.push_back(&member);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const Member* left, const Member* right) { return left->header_offset < right->header_offset; });
  // Members lie end to end from the first byte to the directory. Readers that scan for local headers, as streaming ones
  // do, would take what lies in a gap or a second time in an overlap for members, and see another archive.
  if ((by_offset.empty() ? directory.offset : by_offset.front()->header_offset) != 0)
    refuse("there are bytes before the first member");
  for (std::size_t i = 0; i < by_offset.size(); ++i) {
    const std::uint64_t next = i + 1 < by_offset.size() ? by_offset[i + 1]->header_offset : directory.offset;
    if (next < by_offset[i]->header_offset)
      refuse(fmt::format("'{}' lies behind the central directory", printable(by_offset[i]->entry.name)));
    check_local(*file_, *by_offset[i], next);
  }
  for (Member& member : members) entries_.push_back(std::move(member.entry));
}

std::unique_ptr<ByteSource> ZipReader::open(const ZipEntry& entry) const { return open_entry(file_, entry); }

std::shared_ptr<const Content> ZipReader::content(const ZipEntry& entry) const {
  return std::make_shared<ZipContent>(file_, entry);
}

}  // namespace veneer::archive
