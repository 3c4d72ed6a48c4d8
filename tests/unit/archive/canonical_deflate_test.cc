#include "archive/canonical_deflate.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include "foundation/error.hh"

namespace veneer::archive {
namespace {

/// zlib, but not as the canonical form has it.
Bytes by_zlib(ByteView probe, int level, int memory_level) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, -15, memory_level, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(2 * probe.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(probe.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  stream.avail_in = 512;
  EXPECT_EQ(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  stream.avail_in = static_cast<uInt>(probe.size() - 512);
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes by_isal(ByteView probe) {
  isal_zstream stream;
  isal_deflate_init(&stream);
  Bytes out(2 * probe.size());
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(probe.data()));
  stream.avail_in = static_cast<std::uint32_t>(probe.size());
  stream.end_of_stream = 1;
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  EXPECT_EQ(isal_deflate(&stream), COMP_OK);
  out.resize(stream.total_out);
  return out;
}

TEST(CanonicalDeflate, ClassicZlibGivesTheKnownAnswer) {
  EXPECT_NO_THROW(CanonicalDeflate());
  EXPECT_NO_THROW(check_compressor([](ByteView probe) { return by_zlib(probe, 6, 8); }));
}

TEST(CanonicalDeflate, AnotherCompressorIsRefused) {
  EXPECT_THROW(check_compressor(by_isal), Error);
  for (const int level : {0, 1, 5, 7, 9}) {
    EXPECT_THROW(check_compressor([&](ByteView probe) { return by_zlib(probe, level, 8); }), Error) << level;
  }
  EXPECT_THROW(check_compressor([](ByteView probe) { return by_zlib(probe, 6, 9); }), Error);
  try {
    check_compressor([](ByteView) { return Bytes{}; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_THAT(error.what(), testing::HasSubstr("the zlib of this machine"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("zlib-ng"));
  }
}

}  // namespace
}  // namespace veneer::archive
