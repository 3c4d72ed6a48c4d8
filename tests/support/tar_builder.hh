// Makes tar archives for tests, also such as no sane tool writes: names and links go into the headers as they are.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "foundation/bytes.hh"

namespace veneer::tests {

class TarBuilder {
 public:
  TarBuilder& add(std::string_view name, char type, std::string_view data = {}, std::string_view link = {},
                  unsigned mode = 0644, unsigned long long uid = 0) {
    std::array<char, 512> block{};
    name.copy(block.data(), 100);
    number(block, 100, 8, mode);
    number(block, 108, 8, uid);
    number(block, 116, 8, 0);
    number(block, 124, 12, data.size());
    number(block, 136, 12, 0);
    block[156] = type;
    link.copy(block.data() + 157, 100);
    std::memcpy(block.data() + 257, "ustar\00000", 8);
    if (type == '3' || type == '4') {
      number(block, 329, 8, device_major_);
      number(block, 337, 8, device_minor_);
    }
    std::memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    number(block, 148, 7, sum);
    block[155] = ' ';
    text_.append(block.data(), block.size());
    text_.append(data);
    text_.append((512 - data.size() % 512) % 512, '\0');
    return *this;
  }
  TarBuilder& file(std::string_view name, std::string_view data = "x", unsigned mode = 0644) {
    return add(name, '0', data, {}, mode);
  }
  TarBuilder& folder(std::string_view name, unsigned mode = 0755) {
    return add(std::string(name) + "/", '5', {}, {}, mode);
  }
  TarBuilder& symlink(std::string_view name, std::string_view target) { return add(name, '2', {}, target, 0777); }
  TarBuilder& hard_link(std::string_view name, std::string_view target) { return add(name, '1', {}, target); }
  TarBuilder& device(std::string_view name, unsigned major, unsigned minor) {
    device_major_ = major;
    device_minor_ = minor;
    return add(name, '3');
  }
  TarBuilder& pax(std::string_view records) { return add("PaxHeaders/x", 'x', records); }

  /// The archive with its end.
  std::string finish() const { return text_ + std::string(1024, '\0'); }

 private:
  static void number(std::array<char, 512>& block, std::size_t offset, std::size_t length, unsigned long long value) {
    block[offset + length - 1] = '\0';
    for (std::size_t i = length - 1; i-- > 0; value /= 8) block[offset + i] = static_cast<char>('0' + value % 8);
  }

  std::string text_;
  unsigned device_major_ = 0;
  unsigned device_minor_ = 0;
};

}  // namespace veneer::tests
