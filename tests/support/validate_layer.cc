#include "tests/support/validate_layer.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "archive/tar.hh"
#include "foundation/bytes.hh"
#include "foundation/error.hh"
#include "tree/file_tree.hh"
#include "tree/whiteout.hh"

namespace veneer::tree {

namespace {

constexpr std::size_t block_size = 512;
constexpr std::uint64_t longest_extension = 1 << 20;
constexpr std::size_t most_findings = 100;

using Block = std::array<std::byte, block_size>;

/// A field of a tar header as it stands there.
std::string_view field(const Block& block, std::size_t offset, std::size_t length) {
  const std::string_view text = as_text(ByteView(block).subspan(offset, length));
  return text.substr(0, text.find('\0'));
}

std::optional<std::uint64_t> number(const Block& block, std::size_t offset, std::size_t length) {
  std::uint64_t value = 0;
  if ((std::to_integer<unsigned>(block[offset]) & 0x80) != 0) {
    for (std::size_t i = 1; i < length; ++i) value = (value << 8) | std::to_integer<std::uint64_t>(block[offset + i]);
    return value;
  }
  for (const char c : field(block, offset, length)) {
    if (c == ' ') continue;
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool has_right_checksum(const Block& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block_size; ++i) {
    sum += i >= 148 && i < 156 ? std::uint64_t{' '} : std::to_integer<std::uint64_t>(block[i]);
  }
  return number(block, 148, 8) == sum;
}

/// The records of a PAX header: "<length> <key>=<value>\n".
std::map<std::string, std::string> pax_records(std::string_view text) {
  std::map<std::string, std::string> records;
  while (!text.empty()) {
    std::size_t length = 0;
    std::size_t i = 0;
    for (; i < text.size() && i < 8 && text[i] >= '0' && text[i] <= '9'; ++i) {
      length = length * 10 + static_cast<std::size_t>(text[i] - '0');
    }
    if (length <= i + 1 || length > text.size()) break;
    const std::string_view record = text.substr(i + 1, length - i - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) break;
    records.insert_or_assign(std::string(record.substr(0, equals)), std::string(record.substr(equals + 1)));
    text.remove_prefix(length);
  }
  return records;
}

class Validator {
 public:
  explicit Validator(ByteSource& tar) : tar_(tar) {}

  std::vector<std::string> run() {
    read_entries();
    std::array<std::byte, 64 * 1024> rest{};
    while (tar_.read(rest) != 0) {
    }
    return std::move(findings_);
  }

 private:
  struct Raw {
    std::string name;
    std::string link;
    char type = '0';
    std::uint64_t size = 0;
  };

  void find(const Raw& entry, std::string_view what) {
    if (findings_.size() < most_findings) findings_.push_back(fmt::format("'{}' {}", printable(entry.name), what));
  }

  void read_entries() {
    std::map<std::string, std::string> extension;
    read_entries(extension);
    if (!extension.empty() && findings_.size() < most_findings) {
      findings_.push_back("the layer ends behind an extension header");
    }
  }

  void read_entries(std::map<std::string, std::string>& extension) {
    Block block{};
    while (read_full(tar_, block) == block_size) {
      if (std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; })) return;
      Raw entry;
      entry.name = field(block, 0, 100);
      entry.link = field(block, 157, 100);
      entry.type = static_cast<char>(std::to_integer<unsigned char>(block[156]));
      if (field(block, 257, 5) == "ustar" && !field(block, 345, 155).empty() && field(block, 257, 8) != "ustar  ") {
        entry.name = fmt::format("{}/{}", field(block, 345, 155), entry.name);
      }
      if (!has_right_checksum(block)) find(entry, "has a wrong checksum");
      const std::optional<std::uint64_t> size = number(block, 124, 12);
      if (!size) {
        find(entry, "has a size that is no number");
        return;
      }
      entry.size = *size;
      if (entry.type == 'x' || entry.type == 'g' || entry.type == 'L' || entry.type == 'K') {
        read_extension(entry, extension);
        continue;
      }
      // Empty values are none; GNU's names go before those of PAX.
      for (const char* key : {"path", "GNU path"}) {
        if (!extension[key].empty()) entry.name = extension[key];
      }
      for (const char* key : {"linkpath", "GNU linkpath"}) {
        if (!extension[key].empty()) entry.link = extension[key];
      }
      if (!extension["size"].empty()) entry.size = std::strtoull(extension["size"].c_str(), nullptr, 10);
      extension.clear();
      check(entry);
      if (!skip(entry.size)) {
        find(entry, "is cut off");
        return;
      }
    }
  }

  void read_extension(const Raw& entry, std::map<std::string, std::string>& extension) {
    if (entry.size > longest_extension) {
      find(entry, "is an extension header of more than 1 MiB");
      skip(entry.size);
      return;
    }
    Bytes data(static_cast<std::size_t>((entry.size + block_size - 1) / block_size * block_size));
    if (read_full(tar_, data) != data.size()) return;
    const std::string_view text = as_text(ByteView(data)).substr(0, static_cast<std::size_t>(entry.size));
    if (entry.type == 'x') {
      extension[""];  // so that one without records is seen, too
      for (auto& [key, value] : pax_records(text)) extension[key] = value;
    } else if (entry.type == 'L') {
      extension["GNU path"] = text.substr(0, text.find('\0'));
    } else if (entry.type == 'K') {
      extension["GNU linkpath"] = text.substr(0, text.find('\0'));
    }
  }

  bool skip(std::uint64_t size) {
    std::uint64_t rest = size + (block_size - size % block_size) % block_size;
    std::array<std::byte, 64 * 1024> buffer{};
    while (rest > 0) {
      const std::size_t count = tar_.read(std::span(buffer).first(std::min<std::uint64_t>(rest, buffer.size())));
      if (count == 0) return false;
      rest -= count;
    }
    return true;
  }

  void check(const Raw& entry) {
    std::string_view path = entry.name;
    if (path.starts_with('/')) find(entry, "is an absolute path");
    if (path == "." || path.starts_with("./")) find(entry, "begins with './'");
    if (archive::has_parent_parts(path)) {
      find(entry, "has a part '..'");
      return;
    }
    while (path.starts_with('/') || path.starts_with("./")) path.remove_prefix(path.starts_with('/') ? 1 : 2);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty() || path == ".") return;  // the root
    NameKind kind = NameKind::plain;
    try {
      kind = classify(path);
    } catch (const Error& error) {
      find(entry, fmt::format("is refused: {}", error.message()));
      return;
    }
    if (kind == NameKind::plain) {
      check_plain(entry, path);
    } else {
      check_whiteout(entry, path, kind);
    }
    if (const std::string_view parent = parent_path(path); !parent.empty() && !folders_.contains(parent)) {
      find(entry, "lies in a folder that is not listed before it");
    }
  }

  void check_plain(const Raw& entry, std::string_view path) {
    if (!paths_.emplace(path).second) find(entry, "occurs twice");
    if (entry.type == '5') folders_.emplace(path);
    if (entry.type != '1') return;
    if (entry.link.starts_with('/'))
      find(entry, fmt::format("is a hard link to the absolute path '{}'", printable(entry.link)));
    if (archive::has_parent_parts(entry.link)) {
      find(entry, fmt::format("is a hard link to '{}', which has a part '..'", printable(entry.link)));
    }
    const std::size_t start = entry.link.find_first_not_of('/');
    const std::string target = start == std::string::npos ? std::string() : entry.link.substr(start);
    if (target == path || !paths_.contains(target)) {
      find(entry, fmt::format("is a hard link to '{}', which does not stand before it", printable(entry.link)));
    }
  }

  void check_whiteout(const Raw& entry, std::string_view path, NameKind kind) {
    if (kind == NameKind::aufs_metadata) {
      find(entry, "is metadata of AUFS");
      return;
    }
    if ((entry.type != '0' && entry.type != '\0') || entry.size != 0) find(entry, "is a whiteout, but no empty file");
    const std::string parent(parent_path(path));
    const std::string hidden = kind == NameKind::opaque ? parent : join_path(parent, whiteout_target(base_name(path)));
    const auto below = paths_.lower_bound(hidden.empty() ? hidden : hidden + '/');
    const bool has_below = below != paths_.end() && (hidden.empty() || below->starts_with(hidden + '/'));
    if (has_below || (kind == NameKind::whiteout && paths_.contains(hidden))) {
      find(entry, fmt::format("stands behind what it would hide, '{}'", printable(has_below ? *below : hidden)));
    }
  }

  ByteSource& tar_;
  std::vector<std::string> findings_;
  std::set<std::string, std::less<>> paths_;
  std::set<std::string, std::less<>> folders_;
};

}  // namespace

std::vector<std::string> validate_layer(ByteSource& tar) { return Validator(tar).run(); }

}  // namespace veneer::tree
