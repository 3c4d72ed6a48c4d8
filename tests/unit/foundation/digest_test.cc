#include "foundation/digest.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "foundation/error.hh"

namespace veneer {
namespace {

constexpr std::string_view hash_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-4

TEST(Sha256, GivesTheStandardsExample) {
  EXPECT_EQ(sha256("abc").hex(), hash_of_abc);
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  EXPECT_EQ(pieces.finish().hex(), hash_of_abc);
  MemorySource source(as_bytes("abc"));
  EXPECT_EQ(sha256(source).hex(), hash_of_abc);
}

TEST(Sha256, OfTwoAtOnceIsThatOfEach) {
  std::string text;
  for (std::uint32_t i = 0; i < 3000; ++i) text += static_cast<char>((i * 2654435761u) >> 24);
  // Heads that end at a block and inside one, and data around the size of a block.
  for (const std::size_t head : {0u, 1u, 63u, 64u, 512u}) {
    for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 1000u, 2048u}) {
      const std::string first = text.substr(0, head);
      const std::string data = text.substr(head, size);
      Sha256 one;
      Sha256 other;
      one.update(first);
      Sha256::update_both(one, other, as_bytes(data));
      Sha256::update_both(one, other, as_bytes(data));
      one.update("end");
      EXPECT_EQ(one.finish(), sha256(first + data + data + "end")) << head << " " << size;
      EXPECT_EQ(other.finish(), sha256(data + data)) << head << " " << size;
    }
  }
}

// Lengths are counted in bits, in two words of 32.
TEST(Sha256, OfTwoAtOnceCountsBeyond512MiB) {
  const Bytes piece(64 << 20);
  Sha256 one;
  Sha256 other;
  Sha256 alone;
  for (int i = 0; i < 9; ++i) {
    Sha256::update_both(one, other, piece);
    alone.update(piece);
  }
  const Hash expected = alone.finish();
  EXPECT_EQ(one.finish(), expected);
  EXPECT_EQ(other.finish(), expected);
}

TEST(Digest, ReadsOnlyTheCanonicalForm) {
  const std::string text = "sha256:" + std::string(hash_of_abc);
  EXPECT_EQ(BlobDigest::parse(text).text(), text);
  EXPECT_THROW(BlobDigest::parse(hash_of_abc), Error);
  EXPECT_THROW(BlobDigest::parse(text + "0"), Error);
  EXPECT_THROW(BlobDigest::parse("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), Error);
}

// moby/moby#48241: layers named by sha512.
TEST(Digest, NamesAnAlgorithmThatIsNotSupported) {
  try {
    BlobDigest::parse("sha512:" + std::string(128, 'a'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("algorithm 'sha512' is not supported"));
  }
}

TEST(Digest, KindsDoNotMix) {
  EXPECT_FALSE((std::is_convertible_v<DiffId, BlobDigest>));
  EXPECT_FALSE((std::is_constructible_v<DiffId, BlobDigest>));
}

}  // namespace
}  // namespace veneer
