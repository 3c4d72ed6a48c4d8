#include "archive/gzip_tar.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "archive/compression.hh"

namespace veneer::archive {
namespace {

/// Gives what it has in pieces of an odd size.
class Pieces : public ByteSource {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::string_view piece = rest_.substr(0, std::min<std::size_t>(into.size(), 70'001));
    std::ranges::copy(as_bytes(piece), into.begin());
    rest_.remove_prefix(piece.size());
    return piece.size();
  }

 private:
  std::string_view rest_;
};

/// Mostly zeros, as they take no time.
std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i + 10 < size; i += 5000) text.replace(i, 10, std::to_string(1'000'000'000 + i * 7));
  return text;
}

TEST(GzipTar, HoldsTheTarWhateverItsSize) {
  for (const std::size_t size : {0, 1, 1024, 4 << 20, (4 << 20) + 1, 13 << 20}) {
    const std::string tar = text_of(size);
    Pieces pieces(tar);
    BytesSink blob;
    const WrittenLayer written = gzip_tar(pieces, blob);
    EXPECT_EQ(written.tar_size, size);
    EXPECT_EQ(written.diff_id.hash, sha256(tar));
    EXPECT_EQ(written.blob_size, blob.bytes().size());
    EXPECT_EQ(written.blob.hash, sha256(blob.bytes()));
    const auto again = open_gzip(std::make_unique<MemorySource>(blob.bytes()));
    EXPECT_EQ(sha256(*again), sha256(tar)) << size;
  }
}

TEST(GzipTar, TheBytesDependOnTheTarAlone) {
  const std::string tar = text_of(5 << 20);
  Pieces pieces(tar);
  MemorySource whole(as_bytes(tar));
  BytesSink first;
  BytesSink second;
  gzip_tar(pieces, first);
  const WrittenLayer written = gzip_tar(whole, second);
  EXPECT_EQ(first.bytes(), second.bytes());
  // Written down, so that another library or another setting is seen.
  EXPECT_EQ(written.blob.text(), "sha256:5a7accc4010862b36b9b1261b98cd1f4d83a5248dfc592ab948689451f35e685");
}

}  // namespace
}  // namespace veneer::archive
