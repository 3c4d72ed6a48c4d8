#include "check/elf.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::check {
namespace {

using testing::ElementsAre;

// Small libraries made by gcc and GNU ld, x86_64; the fuzzer starts from them too.
Bytes sample(const std::string& name) {
  File file(VENEER_SOURCE_FOLDER "/tests/fuzz/corpus/elf/" + name);
  return read_all(file, 1 << 20);
}

TEST(Elf, ReadsWhatALibraryOffers) {
  const auto elf = read_elf(MemoryAccess(sample("library")));
  ASSERT_TRUE(elf.has_value());
  EXPECT_EQ(elf->kind, (ElfKind{64, true, 62}));
  EXPECT_EQ(elf->soname, "libone.so.1");
  EXPECT_THAT(elf->defined_versions, ElementsAre("libone.so.1", "ONE_1", "ONE_2"));
  EXPECT_TRUE(elf->needed.empty());
}

TEST(Elf, ReadsWhatALibraryNeeds) {
  const auto elf = read_elf(MemoryAccess(sample("user")));
  ASSERT_TRUE(elf.has_value());
  EXPECT_THAT(elf->needed, ElementsAre("libone.so.1"));
  EXPECT_THAT(elf->runpath, ElementsAre("$ORIGIN/x"));
  ASSERT_EQ(elf->needed_versions.size(), 1u);
  EXPECT_EQ(elf->needed_versions[0].library, "libone.so.1");
  EXPECT_EQ(elf->needed_versions[0].version, "ONE_2");
}

TEST(Elf, OtherFilesAreNone) {
  EXPECT_FALSE(read_elf(MemoryAccess(Bytes())).has_value());
  EXPECT_FALSE(read_elf(MemoryAccess(Bytes(4096))).has_value());
}

TEST(Elf, EveryCutIsRefusedOrNone) {
  const Bytes whole = sample("user");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    try {
      read_elf(MemoryAccess(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
    }
  }
}

}  // namespace
}  // namespace veneer::check
