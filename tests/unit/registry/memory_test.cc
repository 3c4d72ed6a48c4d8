#include "registry/memory.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "registry/upload.hh"

namespace veneer::registry {
namespace {

constexpr std::int64_t now = 1'800'000'000;
constexpr std::uint64_t mebibyte = 1 << 20;

TEST(RegistryMemory, IsKeptForSevenDays) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "memory");
  const ManifestDigest manifest{sha256("a manifest")};
  {
    Memory memory(folder.path(), "registry.example:5000", now);
    EXPECT_TRUE(memory.shrink(16 * mebibyte));
    memory.takes_no_bodies();
    memory.set_pushed("team/app", manifest);
    memory.save();
  }
  const Memory later(folder.path(), "registry.example:5000", now + memory_seconds - 1);
  EXPECT_EQ(later.limits(), (UploadLimits{4 * mebibyte, false, true}));
  EXPECT_EQ(later.pushed("team/app"), manifest);
  EXPECT_EQ(later.pushed("team/other"), std::nullopt);
  const Memory too_late(folder.path(), "registry.example:5000", now + memory_seconds);
  EXPECT_EQ(too_late.limits(), UploadLimits{});
  EXPECT_EQ(too_late.pushed("team/app"), manifest);
  const Memory other(folder.path(), "registry.example", now);
  EXPECT_EQ(other.limits(), UploadLimits{});
}

TEST(RegistryMemory, ShrinksToFourMebibytesThenByHalves) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "memory");
  Memory memory(folder.path(), "a", now);
  EXPECT_TRUE(memory.shrink(16 * mebibyte));
  EXPECT_TRUE(memory.shrink(16 * mebibyte));  // another upload was refused at the same time
  EXPECT_EQ(memory.limits().chunk, 4 * mebibyte);
  while (memory.shrink(memory.limits().chunk)) continue;
  EXPECT_EQ(memory.limits().chunk, 64U << 10);
}

TEST(RegistryMemory, WhatCannotBeReadIsNotRemembered) {
  for (const char* text : {"", "[]", "{", R"({"learned": "x"})", R"({"learned": 1, "chunk": 1})",
                           R"({"learned": 1800000000, "chunk": -1, "bodies": 1, "chunks": true})",
                           R"({"learned": 0, "pushed": {"a": "sha512:00"}})"}) {
    const Remembered read = read_memory(text, now);
    EXPECT_EQ(read.limits, UploadLimits{}) << text;
    EXPECT_TRUE(read.pushed.empty()) << text;
  }
  const auto huge =
      read_memory(R"({"learned": 1800000000, "chunk": 9000000000000000000, "bodies": true, "chunks": true})", now);
  EXPECT_EQ(huge.limits, UploadLimits{});
  const auto future = read_memory(R"({"learned": 1900000000, "chunk": 65536, "bodies": true, "chunks": true})", now);
  EXPECT_EQ(future.limits, UploadLimits{});
}

TEST(Received, IsTheByteBehindTheLast) {
  EXPECT_EQ(read_received("0-1023"), 1024U);
  EXPECT_EQ(read_received("bytes=0-1023"), 1024U);
  for (const char* text : {"", "0", "1-2", "0-", "0-x", "0--1", "0-18446744073709551615", "bytes"}) {
    EXPECT_EQ(read_received(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace veneer::registry
