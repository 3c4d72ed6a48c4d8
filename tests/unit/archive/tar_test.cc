#include "archive/tar.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "tests/support/tar_builder.hh"

namespace veneer::archive {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using tests::TarBuilder;

struct Read {
  TarEntry entry;
  std::string data;
};

std::vector<Read> read(std::string_view archive, const TarLimits& limits = {}) {
  MemorySource source(as_bytes(archive));
  TarReader reader(source, limits);
  std::vector<Read> all;
  while (auto entry = reader.next()) {
    std::string data(as_text(read_all(reader.data(), 1 << 20)));
    all.push_back({std::move(*entry), std::move(data)});
  }
  return all;
}

auto reading(std::string archive, const TarLimits& limits = {}) {
  return [archive = std::move(archive), limits] { read(archive, limits); };
}

std::string pax_record(const std::string& key, const std::string& value) {
  std::size_t length = key.size() + value.size() + 4;
  while (length != key.size() + value.size() + 3 + std::to_string(length).size()) {
    length = key.size() + value.size() + 3 + std::to_string(length).size();
  }
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

TEST(TarReader, ReadsEveryTypeOfUstar) {
  const auto all = read(TarBuilder()
                            .folder("d", 0700)
                            .file("d/f", "text", 04755)
                            .symlink("l", "../x")
                            .hard_link("h", "d/f")
                            .device("c", 1, 3)
                            .add("p", '6')
                            .finish());
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0].entry.path, "d");
  EXPECT_EQ(all[0].entry.type, EntryType::folder);
  EXPECT_EQ(all[0].entry.mode, 0700u);
  EXPECT_EQ(all[1].data, "text");
  EXPECT_EQ(all[1].entry.mode, 04755u);
  EXPECT_EQ(all[2].entry.link_target, "../x");
  EXPECT_EQ(all[3].entry.type, EntryType::hard_link);
  EXPECT_EQ(all[3].entry.link_target, "d/f");
  EXPECT_EQ(all[4].entry.device_major, 1u);
  EXPECT_EQ(all[4].entry.device_minor, 3u);
  EXPECT_EQ(all[5].entry.type, EntryType::fifo);
}

TEST(TarReader, PathsAreCleaned) {
  const auto all = read(TarBuilder().file("./a//b/./c").file("/abs").file("../up").finish());
  EXPECT_EQ(all[0].entry.path, "a/b/c");
  EXPECT_EQ(all[1].entry.path, "abs");
  EXPECT_TRUE(has_parent_parts(all[2].entry.path));
  EXPECT_FALSE(has_parent_parts("a/..b/b.."));
}

TEST(TarReader, PaxRecordsReplaceTheHeadersFields) {
  const std::string longer = std::string(200, 'm') + "/" + std::string(200, 'n');
  const auto all =
      read(TarBuilder()
               .pax(pax_record("path", longer) + pax_record("uid", "3000000000") + pax_record("mtime", "-5.5") +
                    pax_record("SCHILY.xattr.user.x", std::string("a\0b", 3)))
               .file("short", "data")
               .pax(pax_record("linkpath", longer))
               .symlink("l", "short")
               .file("after")
               .finish());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].entry.path, longer);
  EXPECT_EQ(all[0].entry.uid, 3'000'000'000u);
  EXPECT_EQ(all[0].entry.xattrs.at("user.x"), std::string("a\0b", 3));
  EXPECT_EQ(all[0].data, "data");
  EXPECT_EQ(all[1].entry.link_target, longer);
  EXPECT_EQ(all[2].entry.path, "after");
  EXPECT_EQ(all[2].entry.uid, 0u);
}

TEST(TarReader, PaxSizeReplacesTheHeaders) {
  // The header says 0, the record 4: the data is there.
  const std::string archive = TarBuilder().pax(pax_record("size", "4")).add("f", '0', "", "").finish();
  std::string with_data =
      archive.substr(0, archive.size() - 1024) + "data" + std::string(508, '\0') + std::string(1024, '\0');
  const auto all = read(with_data);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].data, "data");
}

TEST(TarReader, EmptyPaxValuesAreNoneAsInEngines) {
  const std::string name(120, 'n');
  const auto all = read(TarBuilder()
                            .pax(pax_record("path", "earlier") + pax_record("path", "") + pax_record("size", "") +
                                 pax_record("uid", "") + pax_record("gid", "") + pax_record("mtime", "") +
                                 pax_record("GNU.sparse.map", ""))
                            .add("own", '0', "data", {}, 0644, 7)
                            .pax(pax_record("linkpath", ""))
                            .symlink("l", "target")
                            .add("././@LongLink", 'L', std::string(1, '\0'))
                            .file("short")
                            .add("././@LongLink", 'L', name + '\0')
                            .pax(pax_record("path", "less"))
                            .file("f")
                            .finish());
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].entry.path, "own");
  EXPECT_EQ(all[0].entry.uid, 7u);
  EXPECT_EQ(all[0].data, "data");
  EXPECT_EQ(all[1].entry.link_target, "target");
  EXPECT_EQ(all[2].entry.path, "short");
  EXPECT_EQ(all[3].entry.path, name);
}

TEST(TarReader, ExtensionHeadersWithoutAnEntryAreRefusedWithTheirPlace) {
  for (const char type : {'x', 'L', 'K'}) {
    for (const std::string& data : {std::string(), pax_record("path", "p")}) {
      if (type != 'x' && data.empty()) continue;
      const std::string archive = TarBuilder().file("f").add("extension", type, data).finish();
      for (const std::size_t end : {std::size_t{1024}, std::size_t{0}}) {  // without the two zero blocks, and with them
        EXPECT_THAT(reading(archive.substr(0, archive.size() - end)), ThrowsMessage<Error>(HasSubstr("at byte 1024")))
            << type << end;
      }
    }
  }
  EXPECT_THAT(
      reading(TarBuilder().pax(pax_record("path", "p")).add("g", 'g', pax_record("comment", "c")).file("f").finish()),
      ThrowsMessage<Error>(HasSubstr("at byte 0")));
  EXPECT_TRUE(read(TarBuilder().add("g", 'g', pax_record("comment", "c")).finish()).empty());
}

TEST(TarReader, GlobalHeadersAreReadAndIgnored) {
  const auto all = read(TarBuilder().add("g", 'g', pax_record("path", "other")).file("own").finish());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].entry.path, "own");
}

TEST(TarReader, ReadsGnuLongNames) {
  const std::string name(200, 'a');
  const std::string link(200, 'b');
  const auto all = read(TarBuilder()
                            .add("././@LongLink", 'L', name + '\0')
                            .add("././@LongLink", 'K', link + '\0')
                            .symlink("x", "y")
                            .file("z")
                            .finish());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].entry.path, name);
  EXPECT_EQ(all[0].entry.link_target, link);
  EXPECT_EQ(all[1].entry.path, "z");
}

/// Changes a header field and mends the checksum.
std::string with_field(std::string archive, std::size_t offset, const std::string& value) {
  archive.replace(offset, value.size(), value);
  for (std::size_t i = 148; i < 156; ++i) archive[i] = ' ';
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[i]);
  std::string octal(6, '0');
  for (std::size_t i = 6; i-- > 0; sum /= 8) octal[i] = static_cast<char>('0' + sum % 8);
  archive.replace(148, 6, octal);
  archive[154] = '\0';
  return archive;
}

TEST(TarReader, ReadsBase256Numbers) {
  std::string uid = "\x80" + std::string(7, '\0');
  uid[3] = '\x01';  // 2^32
  const auto all = read(with_field(TarBuilder().file("f").finish(), 108, uid));
  EXPECT_EQ(all[0].entry.uid, std::uint64_t{1} << 32);
}

TEST(TarReader, HugeSizesAreErrorsAndTakeNoMemory) {
  EXPECT_THROW(read(with_field(TarBuilder().file("f").finish(), 124, "77777777777")), Error);
  EXPECT_THROW(
      read(with_field(TarBuilder().file("f").finish(), 124, "\x80" + std::string(3, '\0') + std::string(8, '\xff'))),
      Error);
  EXPECT_THROW(read(with_field(TarBuilder().add("x", 'x', "").finish(), 124, "77777777777")), Error);
}

TEST(TarReader, BadChecksumsAreRefused) {
  std::string archive = TarBuilder().file("f").finish();
  archive[0] = 'g';
  EXPECT_THAT(reading(archive), ThrowsMessage<Error>(HasSubstr("checksum")));
}

TEST(TarReader, NumbersThatAreNoneAreRefused) {
  EXPECT_THROW(read(with_field(TarBuilder().file("f").finish(), 100, "99999999")), Error);
  EXPECT_THROW(read(with_field(TarBuilder().file("f").finish(), 124, "-1         ")), Error);
}

TEST(TarReader, MalformedPaxRecordsAreRefused) {
  for (const std::string& bad : {std::string("x path=a\n"), std::string("99 path=a\n"), std::string("9 path=a\n9"),
                                 std::string("8 patha\n"), pax_record("size", "-1"), pax_record("size", "1x")}) {
    EXPECT_THROW(read(TarBuilder().pax(bad).file("f").finish()), Error) << bad;
  }
}

TEST(TarReader, SparseFilesAreRefusedByName) {
  // The old header says that the file is larger than its data.
  EXPECT_THAT(reading(with_field(TarBuilder().add("holes", 'S', "x").finish(), 483, "00000000144")),
              ThrowsMessage<Error>(AllOf(HasSubstr("holes"), HasSubstr("sparse"))));
}

TEST(TarReader, UnknownTypesAreRefused) { EXPECT_THROW(read(TarBuilder().add("v", 'V').finish()), Error); }

TEST(TarReader, EndsAtZeroBlocksOrAtTheEndOfTheData) {
  const std::string archive = TarBuilder().file("f").finish();
  EXPECT_EQ(read(archive.substr(0, archive.size() - 1024)).size(), 1u);
  EXPECT_EQ(read(archive + TarBuilder().file("behind").finish()).size(), 1u);
  EXPECT_TRUE(read("").empty());
}

TEST(TarReader, CutOffArchivesAreRefused) {
  const std::string archive = TarBuilder().file("f", std::string(700, 'x')).finish();
  for (const std::size_t size : {1u, 511u, 513u, 1000u}) EXPECT_THROW(read(archive.substr(0, size)), Error) << size;
}

TEST(TarReader, LimitsHold) {
  TarLimits limits;
  limits.entries = 1;
  EXPECT_THROW(read(TarBuilder().file("a").file("b").finish(), limits), Error);
  limits = {};
  limits.path_length = 10;
  EXPECT_THROW(read(TarBuilder().file("longer-than-that").finish(), limits), Error);
  limits = {};
  limits.header_data = 100;
  EXPECT_THROW(read(TarBuilder().pax(pax_record("path", std::string(200, 'x'))).file("a").finish(), limits), Error);
  limits = {};
  limits.all_header_data = 1000;
  TarBuilder many;
  for (int i = 0; i < 5; ++i) many.pax(pax_record("SCHILY.xattr.user.x", std::string(200, 'x'))).file("a");
  EXPECT_THROW(read(many.finish(), limits), Error) << "few bytes in each header, many in all";
}

TEST(TarReader, ArchivesThatCanBeSeekedAreReadAlike) {
  const std::string archive = TarBuilder()
                                  .file("a", std::string(2000, 'x'))
                                  .pax(pax_record("path", "long"))
                                  .file("b", "data")
                                  .folder("c")
                                  .finish();
  const auto read_by_seeking = [](std::string_view bytes) {
    TarReader reader(std::make_shared<MemoryAccess>(Bytes(as_bytes(bytes).begin(), as_bytes(bytes).end())));
    std::string found;
    while (const auto entry = reader.next()) {
      found += entry->path + "@" + std::to_string(reader.data_offset()) + " ";
      if (entry->path == "long") found += std::string(as_text(read_all(reader.data(), 100))) + " ";
    }
    return found;
  };
  EXPECT_EQ(read_by_seeking(archive + "behind the end"), "a@512 long@4096 data c@5120 ");
  for (const std::size_t size : {1u, 511u, 513u, 1000u})
    EXPECT_THROW(read_by_seeking(archive.substr(0, size)), Error) << size;
}

TEST(TarReader, UnreadDataIsPassedOver) {
  const std::string archive = TarBuilder().file("a", std::string(2000, 'x')).file("b").finish();
  MemorySource source(as_bytes(archive));
  TarReader reader(source);
  EXPECT_EQ(reader.next()->path, "a");
  EXPECT_EQ(reader.data_offset(), 512u);
  EXPECT_EQ(reader.next()->path, "b");
  EXPECT_EQ(reader.data_offset(), 512u + 2048u + 512u);
  EXPECT_FALSE(reader.next());
}

TEST(TarReader, ReadsWhatTheWriterWrites) {
  for (const std::string& path : {std::string("f"), std::string(100, 'a'), std::string(101, 'a'),
                                  std::string(90, 'p') + "/" + std::string(90, 'n'), std::string(156, 'p') + "/n",
                                  std::string("\xc3\xa4"), std::string(250, 'y') + "/" + std::string(250, 'z')}) {
    TarEntry entry;
    entry.path = path;
    entry.mode = 0640;
    entry.uid = 7;
    entry.mtime = -1;
    entry.size = 0;
    entry.xattrs = {{"security.capability", std::string("\1\0\0\2", 4)}};
    const Bytes header = tar_header(entry);
    const auto all = read(std::string(as_text(header)) + std::string(1024, '\0'));
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].entry.path, path);
    EXPECT_EQ(all[0].entry.mode, 0640u);
    EXPECT_EQ(all[0].entry.uid, 7u);
    EXPECT_EQ(all[0].entry.mtime, -1);
    EXPECT_EQ(all[0].entry.xattrs, entry.xattrs);
  }
}

}  // namespace
}  // namespace veneer::archive
