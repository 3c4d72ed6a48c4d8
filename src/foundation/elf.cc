#include "foundation/elf.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "foundation/bytes.hh"
#include "foundation/error.hh"

namespace veneer {

namespace {

constexpr std::size_t most_segments = 4096;
constexpr std::size_t most_entries = 64 << 10;  // of the dynamic section and of version lists
constexpr std::size_t longest_text = 4096;
constexpr std::size_t most_texts = 256 << 10;  // bytes of names in all lists together, times 16

enum SegmentType : std::uint32_t { load = 1, dynamic = 2, loader = 3 };
enum DynamicTag : std::uint64_t {
  tag_needed = 1,
  tag_string_table = 5,
  tag_string_size = 10,
  tag_soname = 14,
  tag_rpath = 15,
  tag_runpath = 29,
  tag_version_definitions = 0x6ffffffc,
  tag_version_definition_count = 0x6ffffffd,
  tag_versions_needed = 0x6ffffffe,
  tag_version_needed_count = 0x6fffffff,
};

[[noreturn]] void refuse_elf(std::string_view fault) {
  throw Error(ErrorKind::refused, fmt::format("the ELF file is malformed: {}", fault));
}

class Reader {
 public:
  explicit Reader(const RandomAccess& file) : file_(file) {}

  std::optional<Elf> read() {
    std::array<std::byte, 64> head{};
    if (file_.size() < 52) return std::nullopt;
    file_.read_at(0, std::span(head).first(std::min<std::uint64_t>(head.size(), file_.size())));
    const std::optional<ElfKind> kind = elf_kind(head);
    if (!kind) return std::nullopt;
    elf_.kind = *kind;
    if (is_64() && file_.size() < 64) refuse_elf("its header is cut off");
    const std::uint64_t type = number(head, 16, 2);
    constexpr std::uint64_t executable = 2;
    constexpr std::uint64_t shared_object = 3;
    if (type != executable && type != shared_object) return std::nullopt;
    const std::uint64_t table = number(head, is_64() ? 32 : 28, word());
    const std::uint64_t entry_size = number(head, is_64() ? 54 : 42, 2);
    const std::uint64_t count = number(head, is_64() ? 56 : 44, 2);
    if (count > most_segments || entry_size != (is_64() ? 56u : 32u)) refuse_elf("its program headers are odd");
    read_segments(bytes_at(table, count * entry_size), entry_size);
    if (!has_dynamic_) return std::nullopt;
    read_dynamic();
    return std::move(elf_);
  }

 private:
  struct Segment {
    std::uint64_t offset = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
  };

  bool is_64() const { return elf_.kind.bits == 64; }
  std::size_t word() const { return is_64() ? 8 : 4; }

  std::uint64_t number(ByteView bytes, std::size_t at, std::size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) refuse_elf("a table is cut off");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = elf_.kind.is_little_endian ? at + size - 1 - i : at + i;
      value = value << 8 | std::to_integer<std::uint64_t>(bytes[place]);
    }
    return value;
  }

  Bytes bytes_at(std::uint64_t offset, std::uint64_t size) const {
    if (offset > file_.size() || file_.size() - offset < size) refuse_elf("it points beyond its end");
    Bytes bytes(size);
    file_.read_at(offset, bytes);
    return bytes;
  }

  void read_segments(const Bytes& table, std::size_t entry_size) {
    for (std::size_t at = 0; at < table.size(); at += entry_size) {
      const std::uint64_t type = number(table, at, 4);
      Segment segment;
      segment.offset = number(table, at + (is_64() ? 8 : 4), word());
      segment.address = number(table, at + (is_64() ? 16 : 8), word());
      segment.size = number(table, at + (is_64() ? 32 : 16), word());
      if (type == SegmentType::load) {
        loads_.push_back(segment);
      } else if (type == SegmentType::dynamic) {
        dynamic_ = segment;
        has_dynamic_ = true;
      } else if (type == SegmentType::loader) {
        elf_.loader = text_at(segment.offset);
      }
    }
  }

  /// Where the file holds what is loaded at `address`.
  std::uint64_t offset_of(std::uint64_t address) const {
    for (const Segment& segment : loads_) {
      if (address >= segment.address && address - segment.address < segment.size) {
        return segment.offset + (address - segment.address);
      }
    }
    refuse_elf("an address lies in no segment");
  }

  std::string text_at(std::uint64_t offset) const {
    if (offset >= file_.size()) refuse_elf("a name lies beyond its end");
    std::string text(std::min<std::uint64_t>(longest_text, file_.size() - offset), '\0');
    file_.read_at(offset, {reinterpret_cast<std::byte*>(text.data()), text.size()});
    const std::size_t end = text.find('\0');
    if (end == std::string::npos) refuse_elf("a name does not end");
    text.resize(end);
    return text;
  }

  std::string name(std::uint64_t index) {
    if (index >= string_size_) refuse_elf("a name lies outside the table of names");
    std::string text = text_at(string_offset_ + index);
    texts_ += text.size() + 16;
    if (texts_ > 16 * most_texts) refuse_elf("it has too many names");
    return text;
  }

  std::vector<std::string> search_path(std::uint64_t index) {
    std::vector<std::string> parts;
    const std::string text = name(index);
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t end = std::min(text.find(':', start), text.size());
      if (end > start) parts.push_back(text.substr(start, end - start));
      start = end + 1;
    }
    return parts;
  }

  void read_dynamic() {
    const std::uint64_t entry = 2 * word();
    const std::uint64_t count = std::min<std::uint64_t>(dynamic_.size / entry, most_entries);
    const Bytes table = bytes_at(dynamic_.offset, count * entry);
    std::vector<std::uint64_t> needed;
    std::map<std::uint64_t, std::uint64_t> single;
    for (std::size_t at = 0; at < table.size(); at += entry) {
      const std::uint64_t tag = number(table, at, word());
      const std::uint64_t value = number(table, at + word(), word());
      if (tag == 0) break;
      if (tag == tag_needed) {
        needed.push_back(value);
      } else {
        single[tag] = value;
      }
    }
    if (!single.contains(tag_string_table)) {
      if (needed.empty()) return;
      refuse_elf("it has no table of names");
    }
    string_offset_ = offset_of(single[tag_string_table]);
    string_size_ = single[tag_string_size];
    for (const std::uint64_t index : needed) elf_.needed.push_back(name(index));
    if (single.contains(tag_soname)) elf_.soname = name(single[tag_soname]);
    if (single.contains(tag_rpath)) elf_.rpath = search_path(single[tag_rpath]);
    if (single.contains(tag_runpath)) elf_.runpath = search_path(single[tag_runpath]);
    if (single.contains(tag_versions_needed)) {
      read_needed_versions(offset_of(single[tag_versions_needed]), single[tag_version_needed_count]);
    }
    if (single.contains(tag_version_definitions)) {
      read_defined_versions(offset_of(single[tag_version_definitions]), single[tag_version_definition_count]);
    }
  }

  void read_needed_versions(std::uint64_t offset, std::uint64_t count) {
    constexpr std::uint64_t weak = 2;
    std::size_t entries = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes head = bytes_at(offset, 16);
      const std::string library = name(number(head, 4, 4));
      std::uint64_t version = offset + number(head, 8, 4);
      for (std::uint64_t j = number(head, 2, 2); j > 0; --j) {
        if (++entries > most_entries) refuse_elf("it wants too many versions");
        const Bytes wanted = bytes_at(version, 16);
        if ((number(wanted, 4, 2) & weak) == 0) elf_.needed_versions.push_back({library, name(number(wanted, 8, 4))});
        const std::uint64_t next = number(wanted, 12, 4);
        if (next == 0) break;
        version += next;
      }
      const std::uint64_t next = number(head, 12, 4);
      if (next == 0) break;
      if (++entries > most_entries) refuse_elf("it wants versions of too many libraries");
      offset += next;
    }
  }

  void read_defined_versions(std::uint64_t offset, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > most_entries) refuse_elf("it defines too many versions");
      const Bytes head = bytes_at(offset, 20);
      // The first name is the version's own, others are those it inherits from.
      const Bytes first = bytes_at(offset + number(head, 12, 4), 8);
      elf_.defined_versions.push_back(name(number(first, 0, 4)));
      const std::uint64_t next = number(head, 16, 4);
      if (next == 0) break;
      offset += next;
    }
  }

  const RandomAccess& file_;
  Elf elf_;
  std::vector<Segment> loads_;
  Segment dynamic_;
  bool has_dynamic_ = false;
  std::uint64_t string_offset_ = 0;
  std::uint64_t string_size_ = 0;
  std::size_t texts_ = 0;
};

}  // namespace

std::optional<ElfKind> elf_kind(ByteView start) {
  constexpr std::string_view magic =
      "\x7f"
      "ELF";
  if (start.size() < 20 || !as_text(start).starts_with(magic)) return std::nullopt;
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(start[at]); };
  const unsigned bits = byte(4);
  const unsigned order = byte(5);
  if ((bits != 1 && bits != 2) || (order != 1 && order != 2)) refuse_elf("its class or byte order is unknown");
  ElfKind kind;
  kind.bits = bits == 2 ? 64 : 32;
  kind.is_little_endian = order == 1;
  kind.machine =
      static_cast<std::uint16_t>(kind.is_little_endian ? byte(18) | byte(19) << 8 : byte(19) | byte(18) << 8);
  return kind;
}

std::string elf_machine_name(const ElfKind& kind) {
  switch (kind.machine) {
    case 3: return "i686";
    case 20: return "ppc";
    case 21: return kind.is_little_endian ? "ppc64le" : "ppc64";
    case 22: return kind.bits == 64 ? "s390x" : "s390";
    case 40: return "armv7l";
    case 62: return kind.bits == 64 ? "x86_64" : "i686";
    case 183: return "aarch64";
    case 243: return kind.bits == 64 ? "riscv64" : "riscv32";
    case 258: return "loongarch64";
    default:
      throw Error(ErrorKind::refused, fmt::format("a program is for the unknown machine {} (ELF)", kind.machine));
  }
}

std::optional<Elf> read_elf(const RandomAccess& file) { return Reader(file).read(); }

}  // namespace veneer
