#include "foundation/elf.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tests/support/elf_samples.hh"

namespace veneer {
namespace {

using testing::ElementsAre;

TEST(Elf, ReadsWhatALibraryOffers) {
  const auto elf = read_elf(MemoryAccess(elf_sample("library")));
  ASSERT_TRUE(elf.has_value());
  EXPECT_EQ(elf->kind, (ElfKind{64, true, 62}));
  EXPECT_EQ(elf->soname, "libone.so.1");
  EXPECT_THAT(elf->defined_versions, ElementsAre("libone.so.1", "ONE_1", "ONE_2"));
  EXPECT_TRUE(elf->needed.empty());
}

TEST(Elf, ReadsWhatALibraryNeeds) {
  const auto elf = read_elf(MemoryAccess(elf_sample("user")));
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

TEST(Elf, NamesTheMachineInBothByteOrders) {
  Bytes big = elf_sample("library");
  EXPECT_EQ(elf_machine_name(elf_kind(big).value()), "x86_64");
  big[5] = std::byte{2};
  big[18] = std::byte{0};
  big[19] = std::byte{22};
  EXPECT_EQ(elf_machine_name(elf_kind(big).value()), "s390x");
  big[19] = std::byte{99};
  EXPECT_THROW(elf_machine_name(elf_kind(big).value()), Error);
  EXPECT_EQ(elf_kind(as_bytes("#!/bin/sh and its words")), std::nullopt);
}

TEST(Elf, EveryCutIsRefusedOrNone) {
  const Bytes whole = elf_sample("user");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    try {
      read_elf(MemoryAccess(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
    }
  }
}

}  // namespace
}  // namespace veneer
