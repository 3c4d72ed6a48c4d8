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
