#include "archive/zip.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tests/support/errors.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::archive {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using tests::refuses;
using tests::ZipMember;

ZipReader reader(Bytes file, const ZipLimits& limits = {}) {
  return ZipReader(std::make_shared<MemoryAccess>(std::move(file)), limits);
}

auto reading(const Bytes& file, const ZipLimits& limits = {}) {
  return [file, limits] { reader(file, limits); };
}

std::string text(const ZipReader& zip, std::size_t index) {
  const auto source = zip.open(zip.entries().at(index));
  return std::string(as_text(read_all(*source, 1 << 20)));
}

/// A file with two members, one stored and one deflated, that tests damage.
Bytes sample() {
  return tests::build_zip({{"a.txt", "stored text"}, {"b.txt", std::string(500, 'b'), 0100755, 3, true}});
}

std::size_t place_of(const Bytes& file, std::string_view signature, std::size_t which = 0) {
  std::size_t place = as_text(file).find(signature);
  while (which-- > 0) place = as_text(file).find(signature, place + 1);
  return place;
}

Bytes with_byte(Bytes file, std::size_t place, int value) {
  file.at(place) = static_cast<std::byte>(value);
  return file;
}

TEST(ZipReader, ReadsStoredAndDeflatedMembers) {
  const ZipReader zip = reader(sample());
  ASSERT_EQ(zip.entries().size(), 2u);
  EXPECT_EQ(zip.entries()[0].name, "a.txt");
  EXPECT_EQ(zip.entries()[0].method, ZipMethod::stored);
  EXPECT_EQ(zip.entries()[1].method, ZipMethod::deflated);
  EXPECT_EQ(zip.entries()[1].unix_mode, std::optional<mode_t>(0100755));
  EXPECT_EQ(text(zip, 0), "stored text");
  EXPECT_EQ(text(zip, 1), std::string(500, 'b'));
}

TEST(ZipReader, AnEmptyArchiveIsOne) { EXPECT_TRUE(reader(tests::build_zip({})).entries().empty()); }

TEST(ZipReader, GivesTheDeflateStreamAsItIs) {
  const ZipReader zip = reader(sample());
  const auto stored = zip.content(zip.entries()[0]);
  EXPECT_FALSE(stored->deflated());
  const auto content = zip.content(zip.entries()[1]);
  const auto deflated = content->deflated();
  ASSERT_TRUE(deflated);
  EXPECT_EQ(as_text(read_all(*deflated->stream, 1000)), tests::deflated(std::string(500, 'b')));
  EXPECT_EQ(deflated->crc32, zip.entries()[1].crc32);
}

TEST(ZipReader, ModesComeFromUnixOnly) {
  const ZipReader zip = reader(tests::build_zip({{"dos", "x", 0666, 0}, {"none", "x", 0, 3}}));
  EXPECT_FALSE(zip.entries()[0].unix_mode);
  EXPECT_FALSE(zip.entries()[1].unix_mode);
}

// astral-sh/uv#19528: two members of one name are both listed; what to make of them is for the caller to
// say.
TEST(ZipReader, Case10ListsNamesThatOccurTwice) {
  const ZipReader zip = reader(tests::build_zip({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}, {"c", "5"}}));
  std::vector<std::string> names;
  for (const ZipEntry& entry : zip.entries()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("b", "a", "b", "a", "c"));
}

// astral-sh/uv#15136, a pull request: every ambiguity for its own reason.
TEST(ZipReader, Case8DataOutsideOfTheArchiveIsRefused) {
  Bytes behind = sample();
  append(behind, as_bytes(std::string_view("more")));
  EXPECT_THAT(reading(behind), refuses("does not end with the end record"));
  Bytes before(as_bytes(std::string_view("stub")).begin(), as_bytes(std::string_view("stub")).end());
  append(before, sample());
  EXPECT_THAT(reading(before), refuses("central directory"));
}

TEST(ZipReader, Case8AMemberInTheDirectoryOnlyIsRefused) {
  Bytes file = sample();
  // The second member's local header becomes something else.
  const std::size_t local = place_of(file, "PK\x03\x04", 1);
  EXPECT_THAT(reading(with_byte(file, local, 'X')), refuses("'b.txt' has no header where the central directory says"));
}

TEST(ZipReader, Case8AMemberInLocalHeadersOnlyIsRefused) {
  // Between the members lies one that the directory does not have: a gap.
  const Bytes whole = tests::build_zip({{"a", "1"}, {"hidden", "2"}, {"b", "3"}});
  const std::size_t first = place_of(whole, "PK\x01\x02", 1);
  const std::size_t second = place_of(whole, "PK\x01\x02", 2);
  Bytes file(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(first));
  file.insert(file.end(), whole.begin() + static_cast<std::ptrdiff_t>(second), whole.end());
  const std::size_t end = place_of(file, "PK\x05\x06");
  const std::size_t directory = place_of(file, "PK\x01\x02");
  file = with_byte(with_byte(file, end + 8, 2), end + 10, 2);
  file = with_byte(file, end + 12, static_cast<int>(end - directory));
  EXPECT_THAT(reading(file), refuses("'a'"));
}

TEST(ZipReader, Case8HeadersThatDifferAreRefusedByWhatDiffers) {
  const Bytes file = sample();
  const std::size_t local = place_of(file, "PK\x03\x04", 1);
  struct Row {
    std::size_t offset;
    int value;
    const char* reason;
  };
  for (const Row& row : {Row{7, 0, "set of flags"}, Row{8, 0, "method"}, Row{14, 1, "CRC"}, Row{18, 1, "size"},
                         Row{22, 1, "size"}, Row{30, 'q', "name"}}) {
    EXPECT_THAT(reading(with_byte(file, local + row.offset, row.value)),
                refuses(std::string("'b.txt': the ") + row.reason))
        << row.offset;
  }
}

TEST(ZipReader, Case8WrongOffsetsAreRefused) {
  const Bytes file = sample();
  const std::size_t second = place_of(file, "PK\x01\x02", 1);
  EXPECT_THAT(reading(with_byte(file, second + 42, 0)), refuses("'a.txt' overlaps what follows"));
  EXPECT_THAT(reading(with_byte(file, second + 45, 0x7f)), refuses("belong to no member"));
}

TEST(ZipReader, Case8EndRecordsThatLieAreRefused) {
  const Bytes file = sample();
  const std::size_t end = place_of(file, "PK\x05\x06");
  EXPECT_THAT(reading(with_byte(with_byte(file, end + 8, 1), end + 10, 1)), testing::Throws<Error>());
  EXPECT_THAT(reading(with_byte(with_byte(file, end + 8, 3), end + 10, 3)), testing::Throws<Error>());
  EXPECT_THAT(reading(with_byte(file, end + 4, 1)), refuses("several parts"));
  EXPECT_THAT(reading(with_byte(file, end + 8, 1)), refuses("several parts"));
  EXPECT_THAT(reading(with_byte(file, end + 12, 1)), refuses("right before the end record"));
}

TEST(ZipReader, Case8AnEndRecordInsideTheCommentOfAnotherIsRefused) {
  Bytes file = sample();
  const std::size_t end = place_of(file, "PK\x05\x06");
  const Bytes record(file.begin() + static_cast<std::ptrdiff_t>(end), file.end());
  file = with_byte(file, end + 20, 22);
  append(file, record);
  EXPECT_THAT(reading(file), refuses("two end records"));
}

TEST(ZipReader, ACommentIsFine) {
  Bytes file = sample();
  file = with_byte(file, place_of(file, "PK\x05\x06") + 20, 5);
  append(file, as_bytes(std::string_view("hello")));
  EXPECT_EQ(reader(file).entries().size(), 2u);
}

TEST(ZipReader, WhatIsNotSupportedIsNamed) {
  const Bytes file = sample();
  const std::size_t first = place_of(file, "PK\x01\x02");
  for (const auto& [method, name] :
       {std::pair{12, "bzip2"}, {14, "LZMA"}, {9, "deflate64"}, {93, "zstandard"}, {42, "number 42"}}) {
    EXPECT_THAT(reading(with_byte(file, first + 10, method)), refuses(name));
  }
  EXPECT_THAT(reading(with_byte(file, first + 8, 1)), refuses("'a.txt' is encrypted"));
}

TEST(ZipReader, NamesAreChecked) {
  EXPECT_THAT(reading(tests::build_zip({{"", "x"}})), refuses("empty name"));
  EXPECT_THAT(reading(tests::build_zip({{std::string("a\0b", 3), "x"}})), refuses("NUL"));
  EXPECT_THAT(reading(tests::build_zip({{"\xff", "x"}})), refuses("UTF-8"));
  EXPECT_THAT(reading(tests::build_zip({{std::string(5000, 'n'), "x"}})), refuses("too long"));
  EXPECT_THAT(reading(tests::build_zip({{"folder/", "x"}})), refuses("folder with data"));
  EXPECT_EQ(reader(tests::build_zip({{"\xc3\xa4.txt", "x"}})).entries()[0].name, "\xc3\xa4.txt");
}

TEST(ZipReader, DataIsVerifiedAtItsEnd) {
  // The stored text, then the deflated stream, then the recorded CRC in both headers.
  Bytes stored = sample();
  stored = with_byte(stored, 30 + 5, 'S');
  const ZipReader first = reader(stored);
  EXPECT_THAT([&] { text(first, 0); }, ThrowsMessage<Error>(HasSubstr("CRC")));
  Bytes file = sample();
  const std::size_t local = place_of(file, "PK\x03\x04", 1);
  const std::size_t central = place_of(file, "PK\x01\x02", 1);
  const ZipReader second = reader(with_byte(with_byte(file, local + 22, 7), central + 24, 7));
  EXPECT_THROW(text(second, 1), Error);
}

TEST(ZipReader, InflatingStopsAtTheRecordedSize) {
  // A bomb: the headers say one byte, the stream gives a million.
  Bytes file = tests::build_zip({{"bomb", std::string(1 << 20, '\0'), 0100644, 3, true}});
  for (const char* signature : {"PK\x03\x04", "PK\x01\x02"}) {
    const std::size_t size = place_of(file, signature) + (signature[2] == 3 ? 22 : 24);
    for (std::size_t i = 0; i < 4; ++i) file = with_byte(file, size + i, i == 0 ? 1 : 0);
  }
  const ZipReader zip = reader(file);
  Bytes buffer(1 << 16);
  const auto source = zip.open(zip.entries()[0]);
  std::size_t given = 0;
  EXPECT_THROW(
      {
        while (const std::size_t count = source->read(buffer)) given += count;
      },
      Error);
  EXPECT_LE(given, 1u);
}

TEST(ZipReader, LimitsHold) {
  ZipLimits limits;
  limits.entries = 1;
  EXPECT_THROW(reader(sample(), limits), Error);
  limits = {};
  limits.entry_size = 499;
  EXPECT_THAT(reading(sample(), limits), refuses("'b.txt' is larger"));
  limits = {};
  limits.total_size = 510;
  EXPECT_THROW(reader(sample(), limits), Error);
}

/// The same archive with the sizes of its only member in a zip64 field and a zip64 end record.
Bytes zip64_sample(std::uint64_t told_entries = 1) {
  const std::string data = "wide";
  const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(data.data()), 4));
  Bytes file;
  const auto put = [&](std::string_view text) { append(file, as_bytes(text)); };
  const auto header = [&](bool central) {
    if (central) append_little_endian<std::uint16_t>(file, 45 | 3 << 8);
    append_little_endian<std::uint16_t>(file, 45);
    for (const int value : {0x0800, 0, 0, 0x21})
      append_little_endian<std::uint16_t>(file, static_cast<std::uint16_t>(value));
    append_little_endian<std::uint32_t>(file, crc);
    append_little_endian<std::uint32_t>(file, 0xffffffff);
    append_little_endian<std::uint32_t>(file, 0xffffffff);
    append_little_endian<std::uint16_t>(file, 1);
    append_little_endian<std::uint16_t>(file, central ? 28 : 20);
    if (central) {
      for (int i = 0; i < 3; ++i) append_little_endian<std::uint16_t>(file, 0);
      append_little_endian<std::uint32_t>(file, 0100644u << 16);
      append_little_endian<std::uint32_t>(file, 0xffffffff);
    }
    put("w");
    append_little_endian<std::uint16_t>(file, 1);
    append_little_endian<std::uint16_t>(file, central ? 24 : 16);
    append_little_endian<std::uint64_t>(file, data.size());
    append_little_endian<std::uint64_t>(file, data.size());
    if (central) append_little_endian<std::uint64_t>(file, 0);
  };
  put("PK\x03\x04");
  header(false);
  put(data);
  const std::uint64_t directory = file.size();
  put("PK\x01\x02");
  header(true);
  const std::uint64_t end = file.size();
  put("PK\x06\x06");
  append_little_endian<std::uint64_t>(file, 44);
  append_little_endian<std::uint32_t>(file, 45 | 45 << 16);
  append_little_endian<std::uint32_t>(file, 0);
  append_little_endian<std::uint32_t>(file, 0);
  append_little_endian<std::uint64_t>(file, told_entries);
  append_little_endian<std::uint64_t>(file, told_entries);
  append_little_endian<std::uint64_t>(file, end - directory);
  append_little_endian<std::uint64_t>(file, directory);
  put("PK\x06\x07");
  append_little_endian<std::uint32_t>(file, 0);
  append_little_endian<std::uint64_t>(file, end);
  append_little_endian<std::uint32_t>(file, 1);
  put("PK\x05\x06");
  append_little_endian<std::uint32_t>(file, 0);
  append_little_endian<std::uint16_t>(file, 0xffff);
  append_little_endian<std::uint16_t>(file, 0xffff);
  append_little_endian<std::uint32_t>(file, 0xffffffff);
  append_little_endian<std::uint32_t>(file, 0xffffffff);
  append_little_endian<std::uint16_t>(file, 0);
  return file;
}

TEST(ZipReader, ReadsZip64) {
  const ZipReader zip = reader(zip64_sample());
  ASSERT_EQ(zip.entries().size(), 1u);
  EXPECT_EQ(zip.entries()[0].size, 4u);
  EXPECT_EQ(text(zip, 0), "wide");
}

TEST(ZipReader, Zip64RecordsThatLieAreRefused) {
  EXPECT_THROW(reader(zip64_sample(2)), Error);
  EXPECT_THROW(reader(zip64_sample(std::uint64_t{1} << 40)), Error);
  Bytes file = zip64_sample();
  EXPECT_THROW(reader(with_byte(file, place_of(file, "PK\x06\x07"), 'X')), Error);
  EXPECT_THROW(reader(with_byte(file, place_of(file, "PK\x06\x07") + 8, 1)), Error);
}

TEST(ZipReader, CutOffFilesAreRefused) {
  const Bytes file = sample();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(reader(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), Error) << size;
  }
}

}  // namespace
}  // namespace veneer::archive
