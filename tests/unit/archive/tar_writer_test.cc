// The canonical tar, byte by byte, as docs/formats.md has it.
#include "archive/tar_writer.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::archive {
namespace {

TarEntry file(std::string path, std::uint64_t size = 0) {
  TarEntry entry;
  entry.path = std::move(path);
  entry.mode = 0644;
  entry.mtime = 315532800;
  entry.size = size;
  return entry;
}

std::string header(const TarEntry& entry) { return std::string(as_text(tar_header(entry))); }

std::string field(const std::string& block, std::size_t offset, std::size_t size) { return block.substr(offset, size); }

std::string padded(std::string text, std::size_t size) {
  text.resize(size, '\0');
  return text;
}

TEST(TarHeader, IsOneUstarBlock) {
  const std::string block = header(file("etc/motd", 5));
  ASSERT_EQ(block.size(), 512u);
  EXPECT_EQ(field(block, 0, 100), padded("etc/motd", 100));
  EXPECT_EQ(field(block, 100, 8), padded("0000644", 8));
  EXPECT_EQ(field(block, 108, 8), padded("0000000", 8));
  EXPECT_EQ(field(block, 116, 8), padded("0000000", 8));
  EXPECT_EQ(field(block, 124, 12), padded("00000000005", 12));
  EXPECT_EQ(field(block, 136, 12), padded("02263523000", 12));
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? 0 : static_cast<unsigned char>(block[i]);
  std::string octal(6, '0');
  for (std::size_t i = 6; i-- > 0; sum /= 8) octal[i] = static_cast<char>('0' + sum % 8);
  EXPECT_EQ(field(block, 148, 8), octal + std::string("\0 ", 2));
  EXPECT_EQ(field(block, 156, 1), "0");
  EXPECT_EQ(field(block, 157, 100), padded("", 100));
  EXPECT_EQ(field(block, 257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(field(block, 265, 64), padded("", 64));  // no names of users and groups
  EXPECT_EQ(field(block, 329, 16), padded("0000000", 8) + padded("0000000", 8));
  EXPECT_EQ(field(block, 345, 167), padded("", 167));
}

TEST(TarHeader, FoldersEndWithASlashAndHaveNoSize) {
  TarEntry folder = file("usr/lib", 99);
  folder.type = EntryType::folder;
  const std::string block = header(folder);
  EXPECT_EQ(field(block, 0, 9), std::string("usr/lib/\0", 9));
  EXPECT_EQ(field(block, 124, 12), padded("00000000000", 12));
  EXPECT_EQ(field(block, 156, 1), "5");
}

TEST(TarHeader, LongPathsAreSplitAtTheFirstSlashThatFits) {
  const std::string path = "a/" + std::string(60, 'b') + "/" + std::string(60, 'c');
  const std::string block = header(file(path));
  ASSERT_EQ(block.size(), 512u);
  EXPECT_EQ(field(block, 345, 155), padded("a/" + std::string(60, 'b'), 155));
  EXPECT_EQ(field(block, 0, 100), padded(std::string(60, 'c'), 100));
}

TEST(TarHeader, APaxHeaderComesOnlyWhereAFieldDoesNotFit) {
  EXPECT_EQ(header(file(std::string(100, 'n'))).size(), 512u);
  const std::string path(101, 'n');
  const std::string blocks = header(file(path));
  ASSERT_EQ(blocks.size(), 3 * 512u);
  EXPECT_EQ(field(blocks, 0, 100), padded("././@PaxHeader", 100));
  EXPECT_EQ(field(blocks, 100, 8), padded("0000644", 8));
  EXPECT_EQ(field(blocks, 124, 12), padded("00000000157", 12));  // 111 bytes
  EXPECT_EQ(field(blocks, 136, 12), padded("00000000000", 12));
  EXPECT_EQ(field(blocks, 156, 1), "x");
  EXPECT_EQ(field(blocks, 512, 512), padded("111 path=" + path + "\n", 512));
  EXPECT_EQ(field(blocks, 1024, 100), std::string(100, 'n'));
}

TEST(TarHeader, PaxRecordsAreSortedByKey) {
  TarEntry entry = file("f");
  entry.uid = 010000000;
  entry.mtime = -1;
  entry.xattrs = {{"user.b", "2"}, {"user.a", "1"}};
  const std::string blocks = header(entry);
  EXPECT_EQ(field(blocks, 512, 512),
            padded("25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.b=2\n12 mtime=-1\n15 uid=2097152\n", 512));
  EXPECT_EQ(field(blocks, 1024 + 108, 8), padded("0000000", 8));
  EXPECT_EQ(field(blocks, 1024 + 136, 12), padded("00000000000", 12));
}

TEST(TarHeader, NamesBeyondAsciiGoIntoPax) {
  const std::string blocks = header(file("\xc3\xa4"));
  EXPECT_EQ(field(blocks, 512, 512), padded("11 path=\xc3\xa4\n", 512));
}

TEST(TarHeader, RefusesPathsThatNoLayerMayHold) {
  for (const std::string& bad : {std::string(), std::string("/etc"), std::string("a/../b"), std::string(".."),
                                 std::string("a/"), std::string("a\0b", 3)}) {
    EXPECT_THROW(tar_header(file(bad)), Error) << bad;
  }
  TarEntry link = file("f");
  link.type = EntryType::hard_link;
  for (const char* bad : {"", "/abs", "../x"}) {
    link.link_target = bad;
    EXPECT_THROW(tar_header(link), Error) << bad;
  }
  link.type = EntryType::symlink;
  link.link_target = "/abs";
  EXPECT_NO_THROW(tar_header(link));
}

TEST(TarPadding, FillsTheBlock) {
  EXPECT_EQ(tar_padding(0), 0u);
  EXPECT_EQ(tar_padding(1), 511u);
  EXPECT_EQ(tar_padding(512), 0u);
  EXPECT_EQ(tar_padding(std::uint64_t{1} << 40), 0u);
}

}  // namespace
}  // namespace veneer::archive
