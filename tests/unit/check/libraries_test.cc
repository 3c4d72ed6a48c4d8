#include "check/libraries.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/content.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tests/support/elf_samples.hh"

namespace veneer::check {
namespace {

using testing::IsEmpty;

class Libraries : public testing::Test {
 protected:
  void put(const std::string& path, Bytes data) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      if (!tree_.contains(path.substr(0, at))) tree_.put(path.substr(0, at), tree::make_folder(0755, 0, 0, 0));
    }
    tree_.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(std::move(data)), 0755, 0, 0, 0));
  }
  void put(const std::string& path, std::string_view text) {
    put(path, Bytes(as_bytes(text).begin(), as_bytes(text).end()));
  }

  Findings found() {
    Environment environment;
    environment.prefix = "app";
    environment.site_folders = {"app/lib"};
    Findings findings;
    const OpenFile open = [](const tree::Inode& inode) {
      const auto source = inode.content->open();
      return std::make_unique<MemoryAccess>(read_all(*source, 1 << 20));
    };
    check_libraries(tree_, {environment}, "", open, findings);
    return findings;
  }

  tree::FileTree tree_;
};

TEST_F(Libraries, TheFolderOfAFileMayBeCalledLikeTheTokenForIt) {
  put("app/lib/$ORIGIN/user.so", elf_sample("user"));
  put("app/lib/$ORIGIN/x/libone.so.1", elf_sample("library"));
  EXPECT_THAT(found(), IsEmpty());
}

// `loader` has DT_RPATH $ORIGIN/x and needs libmiddle.so.1, which needs libone.so.1 and has no path of its own.
TEST_F(Libraries, TheRpathOfWhoLoadsALibraryCountsForWhatThatNeeds) {
  put("app/lib/loader.so", elf_sample("loader"));
  put("app/lib/x/libmiddle.so.1", elf_sample("middle"));
  put("app/lib/x/libone.so.1", elf_sample("library"));
  const Findings findings = found();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::detail);
  EXPECT_THAT(findings[0].message, testing::HasSubstr("/app/lib/loader.so brings along"));
}

TEST_F(Libraries, AMissingOneIsNamedWithItsPackage) {
  put("etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
  put("app/lib/user.so", elf_sample("user"));
  EXPECT_THAT(found()[0].message, testing::EndsWith("libone.so.1, which is not in the image"));
}

TEST_F(Libraries, ConfigurationsMayIncludeEachOther) {
  put("app/lib/user.so", elf_sample("user"));
  put("opt/libone.so.1", elf_sample("library"));
  put("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
  for (int i = 0; i < 10; ++i) {
    put("etc/ld.so.conf.d/" + std::to_string(i) + ".conf",
        "include /etc/ld.so.conf.d/*.conf\ninclude /etc/ld.so.conf\n");
  }
  put("etc/ld.so.conf.d/z.conf", "/opt\n");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Libraries, WhatMultipliesIsBounded) {
  put("app/lib/user.so", elf_sample("user"));
  put("app/lib/x/libone.so.1", elf_sample("library"));
  std::string includes;
  for (int i = 0; i < 1000; ++i) includes += "include /opt/" + std::to_string(i) + "*\n";
  put("etc/ld.so.conf", includes);
  EXPECT_THAT(found(), IsEmpty());
  for (int i = 0; i < 25'000; ++i) tree_.put("opt/x" + std::to_string(i), tree::make_folder(0755, 0, 0, 0));
  EXPECT_THROW(found(), Error);
}

}  // namespace
}  // namespace veneer::check
