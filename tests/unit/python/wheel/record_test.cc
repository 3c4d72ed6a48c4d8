#include "python/wheel/record.hh"

#include <gmock/gmock.h>

#include "foundation/digest.hh"
#include "foundation/error.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// What OpenSSL gives for nothing, in base64: SHA-256, SHA-384, SHA-512.
constexpr std::string_view empty_256 = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
constexpr std::string_view empty_384 = "sha384=OLBgp1GsljhM2TJ-sbHjaiH9txEUvgdDTAzHv2P24donTt6_529l-9Ua0vFImLlb";
constexpr std::string_view empty_512 =
    "sha512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg";

TEST(ParseRecord, ReadsRowsWithAnyLineEnd) {
  const RecordRow a{"a", "sha256=x", "1"};
  const RecordRow b{"b", "", ""};
  EXPECT_THAT(parse_record("a,sha256=x,1\nb,,\n"), ElementsAre(a, b));
  EXPECT_THAT(parse_record("a,sha256=x,1\r\nb,,\r\n"), ElementsAre(a, b));
  EXPECT_THAT(parse_record("a,sha256=x,1\rb,,"), ElementsAre(a, b));
  EXPECT_THAT(parse_record("\n\na,sha256=x,1\n\nb,,\n\n"), ElementsAre(a, b));
  EXPECT_THAT(parse_record(""), IsEmpty());
}

TEST(ParseRecord, ReadsQuotedFields) {
  EXPECT_THAT(parse_record("\"a,b\",\"\",\"3\"\n\"c\"\"d\",,\n\"e\nf\",,\n"),
              ElementsAre(RecordRow{"a,b", "", "3"}, RecordRow{"c\"d", "", ""}, RecordRow{"e\nf", "", ""}));
}

TEST(ParseRecord, RefusesWhatIsNoRecord) {
  const auto parse = [](std::string_view text) { return [text] { parse_record(text); }; };
  EXPECT_THAT(parse("a,b\n"), ThrowsMessage<Error>(HasSubstr("line 1: it has 2 fields")));
  EXPECT_THAT(parse("a,,\nb,,,\n"), ThrowsMessage<Error>(HasSubstr("line 2: it has more than three fields")));
  EXPECT_THAT(parse("a\n"), ThrowsMessage<Error>(HasSubstr("it has 1 fields")));
  EXPECT_THAT(parse("\"a,,\n"), ThrowsMessage<Error>(HasSubstr("a quote is not closed")));
  EXPECT_THAT(parse("a,,x\n"), ThrowsMessage<Error>(HasSubstr("x is no size")));
  EXPECT_THAT(parse("a,,-1\n"), ThrowsMessage<Error>(HasSubstr("-1 is no size")));
  EXPECT_THAT(parse(",,\n"), ThrowsMessage<Error>(HasSubstr("it names no file")));
  EXPECT_THAT(parse("\xff,,\n"), ThrowsMessage<Error>(HasSubstr("not UTF-8")));
}

TEST(WriteRecord, SortsByBytesAndQuotesOnlyWhereNeeded) {
  EXPECT_EQ(write_record({{"b", "h", "1"}, {"a b", "", ""}, {"a,b", "", ""}, {"Z\"", "", "0"}}),
            "\"Z\"\"\",,0\na b,,\n\"a,b\",,\nb,h,1\n");
}

TEST(WriteRecord, IsReadBackAsWritten) {
  const std::vector<RecordRow> rows = {{"../../../bin/x", "sha256=y", "3"}, {"a\nb", "", ""}, {"q\"", "", "1"}};
  EXPECT_EQ(parse_record(write_record(rows)), rows);
}

TEST(ReadHashField, KnowsTheAlgorithmsThatCount) {
  EXPECT_EQ(read_hash_field("").form, HashForm::absent);
  EXPECT_EQ(read_hash_field(empty_256).form, HashForm::canonical);
  EXPECT_EQ(read_hash_field(empty_256).hash->digest.size(), 32U);
  EXPECT_EQ(read_hash_field(empty_384).hash->algorithm, HashAlgorithm::sha384);
  EXPECT_EQ(read_hash_field(empty_512).hash->algorithm, HashAlgorithm::sha512);
  for (const std::string_view weak : {"md5=AAAAAAAAAAAAAAAAAAAAAA", "sha1=x", "crc=1", "sha256", "SHA256=x", "=x"}) {
    EXPECT_EQ(read_hash_field(weak).form, HashForm::unsupported) << weak;
  }
}

TEST(ReadHashField, TakesOtherSpellingsOfTheSameHash) {
  const RecordHash hash = *read_hash_field(empty_256).hash;
  const HashField padded = read_hash_field(std::string(empty_256) + "=");
  EXPECT_EQ(padded.form, HashForm::unusual);
  EXPECT_EQ(padded.hash, hash);
  const HashField other_alphabet = read_hash_field("sha256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
  EXPECT_EQ(other_alphabet.form, HashForm::unusual);
  EXPECT_EQ(other_alphabet.hash, hash);
}

TEST(ReadHashField, RefusesMalformedValues) {
  for (const std::string_view bad :
       {"sha256=", "sha256=47DEQpj8HBSa", "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF!",
        "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV",  // the same digest, stray bits at the end
        "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}) {
    EXPECT_THROW(read_hash_field(bad), Error) << bad;
  }
}

TEST(Sha256Field, IsWhatReadHashFieldReads) { EXPECT_EQ(sha256_field(sha256(std::string_view()).bytes), empty_256); }

}  // namespace
}  // namespace veneer::python
