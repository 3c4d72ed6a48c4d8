// Makes small zip files and wheels for tests: members stored or deflated, with any mode and host system, and with the
// faults that a test asks for.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/bytes.hh"
#include "foundation/digest.hh"
#include "foundation/stream.hh"

namespace veneer::tests {

struct ZipMember {
  std::string name;
  std::string data;
  std::uint32_t mode = 0100644;  // in the upper half of the external attributes
  std::uint8_t host = 3;         // 3 Unix, 0 FAT
  bool deflate = false;
};

/// Raw deflate of `data`.
inline std::string deflated(std::string_view data) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string out(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib");
  return out;
}

/// The zip file with `members` in their order.
inline Bytes build_zip(const std::vector<ZipMember>& members) {
  Bytes file;
  Bytes directory;
  const auto text = [](Bytes& to, std::string_view from) { append(to, as_bytes(from)); };
  for (const ZipMember& member : members) {
    const auto offset = static_cast<std::uint32_t>(file.size());
    const std::string stored = member.deflate ? deflated(member.data) : member.data;
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(member.data.data()), static_cast<uInt>(member.data.size())));
    const auto common = [&](Bytes& to) {
      append_little_endian<std::uint16_t>(to, 20);
      append_little_endian<std::uint16_t>(to, 0x0800);  // the name is UTF-8
      append_little_endian<std::uint16_t>(to, member.deflate ? 8 : 0);
      append_little_endian<std::uint16_t>(to, 0);
      append_little_endian<std::uint16_t>(to, 0x0021);  // 1980-01-01
      append_little_endian<std::uint32_t>(to, crc);
      append_little_endian<std::uint32_t>(to, static_cast<std::uint32_t>(stored.size()));
      append_little_endian<std::uint32_t>(to, static_cast<std::uint32_t>(member.data.size()));
      append_little_endian<std::uint16_t>(to, static_cast<std::uint16_t>(member.name.size()));
      append_little_endian<std::uint16_t>(to, 0);
    };
    text(file, "PK\x03\x04");
    common(file);
    text(file, member.name);
    text(file, stored);
    text(directory, "PK\x01\x02");
    append_little_endian<std::uint16_t>(directory, static_cast<std::uint16_t>(20 | (member.host << 8)));
    common(directory);
    append_little_endian<std::uint16_t>(directory, 0);
    append_little_endian<std::uint16_t>(directory, 0);
    append_little_endian<std::uint16_t>(directory, 0);
    append_little_endian<std::uint32_t>(directory, member.mode << 16);
    append_little_endian<std::uint32_t>(directory, offset);
    text(directory, member.name);
  }
  const auto start = static_cast<std::uint32_t>(file.size());
  append(file, directory);
  text(file, "PK\x05\x06");
  append_little_endian<std::uint32_t>(file, 0);
  append_little_endian<std::uint16_t>(file, static_cast<std::uint16_t>(members.size()));
  append_little_endian<std::uint16_t>(file, static_cast<std::uint16_t>(members.size()));
  append_little_endian<std::uint32_t>(file, static_cast<std::uint32_t>(directory.size()));
  append_little_endian<std::uint32_t>(file, start);
  append_little_endian<std::uint16_t>(file, 0);
  return file;
}

/// A wheel in the making: metadata that fits, unless a test says otherwise.
struct WheelBuilder {
  std::string name = "pkg";
  std::string version = "1.0";
  std::string dist_info;  // default: <name>-<version>.dist-info
  std::string wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
  std::string metadata;               // default: name and version
  std::optional<std::string> record;  // default: complete
  std::vector<ZipMember> members;     // beside METADATA, WHEEL and RECORD

  WheelBuilder& add(std::string path, std::string data, std::uint32_t mode = 0100644, std::uint8_t host = 3) {
    members.push_back({std::move(path), std::move(data), mode, host});
    return *this;
  }

  std::string dist_info_folder() const { return dist_info.empty() ? name + "-" + version + ".dist-info" : dist_info; }
  std::string file_name() const { return name + "-" + version + "-py3-none-any.whl"; }

  /// "sha256=<base64>,<size>" of `data`, as RECORD has it.
  static std::string hash_and_size(std::string_view data) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text = "sha256=";
    const Hash hash = sha256(data);
    for (std::size_t bit = 0; bit < 256; bit += 6) {
      unsigned int value = 0;
      for (std::size_t i = bit; i < bit + 6; ++i) {
        const unsigned int byte = i < 256 ? std::to_integer<unsigned int>(hash.bytes[i / 8]) : 0;
        value = value << 1 | (byte >> (7 - i % 8) & 1);
      }
      text += digits[value];
    }
    return text + "," + std::to_string(data.size());
  }

  /// `name` as a field of CSV.
  static std::string csv_field(const std::string& name) {
    if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
    std::string field = "\"";
    for (const char c : name) field += c == '"' ? std::string("\"\"") : std::string(1, c);
    return field + "\"";
  }

  std::vector<ZipMember> all_members() const {
    std::vector<ZipMember> all = members;
    const std::string folder = dist_info_folder();
    all.push_back({folder + "/METADATA", metadata.empty()
                                             ? "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
                                             : metadata});
    all.push_back({folder + "/WHEEL", wheel});
    std::string rows;
    for (const ZipMember& member : all) {
      if (!member.name.ends_with('/')) rows += csv_field(member.name) + "," + hash_and_size(member.data) + "\n";
    }
    rows += folder + "/RECORD,,\n";
    all.push_back({folder + "/RECORD", record.value_or(rows)});
    return all;
  }

  std::shared_ptr<const RandomAccess> build() const { return std::make_shared<MemoryAccess>(build_zip(all_members())); }
};

}  // namespace veneer::tests
