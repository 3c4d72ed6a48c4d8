#include "archive/xz.hh"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "foundation/error.hh"

namespace veneer::archive {
namespace {

/// "veneer\n", as xz --check=crc32 writes it.
constexpr unsigned char packed[] = {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36,
                                    0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3,
                                    0x01, 0x00, 0x06, 0x76, 0x65, 0x6e, 0x65, 0x65, 0x72, 0x0a, 0x00, 0x00,
                                    0x3a, 0x91, 0xd7, 0xd3, 0x00, 0x01, 0x1b, 0x07, 0x12, 0xeb, 0xd4, 0x17,
                                    0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a};

std::string unpacked(ByteView bytes, std::uint64_t limit = 1000) {
  const Bytes plain = read_all(*open_xz(std::make_unique<MemorySource>(bytes)), limit);
  return {reinterpret_cast<const char*>(plain.data()), plain.size()};
}

TEST(Xz, IsReadStreamAfterStream) {
  const ByteView bytes = std::as_bytes(std::span(packed));
  EXPECT_EQ(unpacked(bytes), "veneer\n");
  Bytes twice;
  append(twice, bytes);
  append(twice, bytes);
  EXPECT_EQ(unpacked(twice), "veneer\nveneer\n");
  EXPECT_THROW(unpacked(bytes, 3), Error);
}

TEST(Xz, RefusesWhatIsCutOrDamaged) {
  const ByteView bytes = std::as_bytes(std::span(packed));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(unpacked(bytes.first(length)), Error) << length;
  }
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    Bytes damaged;
    append(damaged, bytes);
    damaged[place] ^= std::byte{0x20};
    EXPECT_THROW(unpacked(damaged), Error) << place;
  }
}

}  // namespace
}  // namespace veneer::archive
