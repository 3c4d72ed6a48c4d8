#include "archive/compression.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "foundation/error.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::archive {
namespace {

std::string gzipped(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstandard(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

using Open = std::unique_ptr<ByteSource> (*)(std::unique_ptr<ByteSource>);

std::string read(Open open, std::string_view stored) {
  return std::string(as_text(read_all(*open(std::make_unique<MemorySource>(as_bytes(stored))), 64 << 20)));
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + " ";
  return text;
}

TEST(OpenGzip, ReadsAllMembers) {
  EXPECT_EQ(read(open_gzip, gzipped(sample())), sample());
  EXPECT_EQ(read(open_gzip, gzipped("a") + gzipped("") + gzipped("b")), "ab");
}

TEST(OpenGzip, TruncationIsAnErrorWhereverItIs) {
  const std::string stored = gzipped("one") + gzipped("two and some more");
  for (std::size_t size = 1; size < stored.size(); ++size) {
    if (size == gzipped("one").size()) continue;  // a whole file of one member
    EXPECT_THROW(read(open_gzip, stored.substr(0, size)), Error) << size;
  }
}

/// A header with an extra field, a name and a comment.
std::string with_long_header(const std::string& stored) {
  return std::string("\x1f\x8b\x08\x1d\0\0\0\0\0\xff", 10) + std::string("\5\0extra", 7) +
         std::string("name.txt\0comment\0", 17) + stored.substr(10);
}

TEST(OpenGzip, HeadersMayComeInPieces) {
  class Pieces : public ByteSource {
   public:
    Pieces(ByteView bytes, std::size_t size) : source_(bytes), size_(size) {}
    std::size_t read(std::span<std::byte> into) override {
      return source_.read(into.first(std::min(into.size(), size_)));
    }

   private:
    MemorySource source_;
    std::size_t size_;
  };
  const std::string stored = with_long_header(gzipped("one")) + with_long_header(gzipped("two"));
  for (std::size_t size = 1; size <= stored.size(); ++size) {
    const auto source = open_gzip(std::make_unique<Pieces>(as_bytes(stored), size));
    EXPECT_EQ(as_text(read_all(*source, 100)), "onetwo") << size;
  }
}

TEST(OpenGzip, HeadersAreBounded) {
  std::string stored = gzipped("x");
  stored[3] = 8;  // has a name
  EXPECT_THROW(read(open_gzip, stored.substr(0, 10) + std::string(70'000, 'n') + '\0' + stored.substr(10)), Error);
  stored[3] = '\x20';
  EXPECT_THROW(read(open_gzip, stored), Error);
}

TEST(OpenGzip, DamageAndJunkAreErrors) {
  const std::string stored = gzipped("some text");
  for (std::size_t place : {0u, 1u, 2u}) {
    std::string damaged = stored;
    damaged[place] = 'x';
    EXPECT_THROW(read(open_gzip, damaged), Error) << place;
  }
  for (std::size_t place = stored.size() - 8; place < stored.size(); ++place) {
    std::string damaged = stored;
    damaged[place] ^= 1;
    EXPECT_THROW(read(open_gzip, damaged), Error) << place;
  }
  EXPECT_THROW(read(open_gzip, stored + "junk"), Error);
  EXPECT_THROW(read(open_gzip, stored + std::string(100, '\0')), Error);
}

TEST(OpenDeflate, EndsWhereTheStreamEnds) {
  const std::string stream = tests::deflated(sample());
  EXPECT_EQ(read(open_deflate, stream), sample());
  EXPECT_THROW(read(open_deflate, stream + "x"), Error);
  EXPECT_THROW(read(open_deflate, stream.substr(0, stream.size() - 1)), Error);
}

TEST(OpenDeflate, ReferencesBeforeTheStartAreErrors) {
  // A fixed block that copies three bytes from one byte before the start.
  EXPECT_THROW(read(open_deflate, std::string("\x03\x02\x00", 3)), Error);
}

TEST(OpenZstd, ReadsAllFrames) {
  EXPECT_EQ(read(open_zstd, zstandard(sample()) + zstandard("end")), sample() + "end");
  const std::string stored = zstandard(sample());
  EXPECT_THROW(read(open_zstd, stored.substr(0, stored.size() / 2)), Error);
  EXPECT_THROW(read(open_zstd, stored + "junk"), Error);
}

TEST(OpenSniffed, KnowsTheFormsByTheirFirstBytes) {
  const auto sniff = [](std::string_view stored) {
    Encoding found = Encoding::zstd;
    const auto source = open_sniffed(std::make_unique<MemorySource>(as_bytes(stored)), &found);
    return std::pair(std::string(as_text(read_all(*source, 64 << 20))), found);
  };
  EXPECT_EQ(sniff(gzipped("x")), std::pair(std::string("x"), Encoding::gzip));
  EXPECT_EQ(sniff(zstandard("x")), std::pair(std::string("x"), Encoding::zstd));
  EXPECT_EQ(sniff("plain"), std::pair(std::string("plain"), Encoding::tar));
  EXPECT_EQ(sniff("x"), std::pair(std::string("x"), Encoding::tar));
  EXPECT_EQ(sniff(""), std::pair(std::string(), Encoding::tar));
}

}  // namespace
}  // namespace veneer::archive
