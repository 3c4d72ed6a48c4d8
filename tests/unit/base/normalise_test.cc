#include "base/normalise.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::base {
namespace {

using testing::ElementsAre;

void put_file(tree::FileTree& tree, const std::string& path, const std::string& text = "x", std::uint32_t mode = 0644) {
  tree.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(text), mode, 0, 0, 1234567));
}

std::string text_of(const tree::FileTree& tree, const std::string& path) {
  return std::string(as_text(read_all(*tree.find(path)->content->open(), 1 << 20)));
}

TEST(NormaliseRoot, DropsWhatDependsOnMachineAndMoment) {
  tree::FileTree root;
  const std::vector<std::string> dropped = {"dev/console",
                                            "run/lock",
                                            "tmp/x",
                                            "var/tmp/x",
                                            "var/log/dpkg.log",
                                            "var/log/apt/term.log",
                                            "etc/hostname",
                                            "etc/resolv.conf",
                                            "etc/apt/sources.list",
                                            "etc/apt/sources.list.d/a.sources",
                                            "etc/apt/apt.conf.d/99mmdebstrap",
                                            "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
                                            "etc/passwd-",
                                            "etc/apt/preferences.d/veneer",
                                            "var/cache/apt/pkgcache.bin",
                                            "var/lib/apt/lists/x_Packages",
                                            "var/cache/ldconfig/aux-cache",
                                            "var/lib/dpkg/status-old",
                                            "var/cache/debconf/templates.dat-old",
                                            "usr/share/doc/a/changelog.gz",
                                            "usr/share/man/man1/a.1.gz",
                                            "usr/share/locale/de/LC_MESSAGES/a.mo"};
  const std::vector<std::string> kept = {"etc/passwd",
                                         "var/lib/dpkg/status",
                                         "usr/share/doc/a/copyright",
                                         "usr/share/locale/locale.alias",
                                         "usr/bin/a",
                                         "var/cache/debconf/templates.dat",
                                         "etc/apt/apt.conf.d/01autoremove"};
  for (const std::string& path : dropped) put_file(root, path);
  for (const std::string& path : kept) put_file(root, path);
  const tree::FileTree result = normalise_root(root);
  for (const std::string& path : dropped) EXPECT_FALSE(result.contains(path)) << path;
  for (const std::string& path : kept) EXPECT_TRUE(result.contains(path)) << path;
  for (const char* folder : {"dev", "run", "tmp", "var/log/apt", "var/lib/apt/lists", "usr/share/man"}) {
    EXPECT_TRUE(result.contains(folder)) << folder;
  }
  EXPECT_FALSE(result.contains("usr/share/locale/de"));
  EXPECT_TRUE(result.contains(dpkg_options_path));
  for (const std::string& path : kept) EXPECT_EQ(result.find(path)->mtime, fixed_time) << path;
}

TEST(NormaliseRoot, EmptiesTheMachineIdAndKeepsHardLinks) {
  tree::FileTree root;
  put_file(root, "etc/machine-id", "uninitialized\n", 0444);
  put_file(root, "usr/bin/perl");
  root.put("usr/bin/perl5.36.0", root.entries().at("usr/bin/perl").inode);
  const tree::FileTree result = normalise_root(root);
  EXPECT_EQ(text_of(result, "etc/machine-id"), "");
  EXPECT_EQ(result.find("etc/machine-id")->mode, 0444u);
  EXPECT_EQ(result.entries().at("usr/bin/perl").inode, result.entries().at("usr/bin/perl5.36.0").inode);
}

// Times become constant, so byte code that is checked against a time would be compiled again at every start.
TEST(NormaliseRoot, KeepsOnlyByteCodeWithoutTimes) {
  tree::FileTree root;
  put_file(root, "usr/lib/python3.11/__pycache__/timed.cpython-311.pyc", std::string("\xa7\r\r\n\0\0\0\0timesize", 16));
  put_file(root, "usr/lib/python3.11/__pycache__/hashed.cpython-311.pyc",
           std::string("\xa7\r\r\n\1\0\0\0hashhash", 16));
  put_file(root, "usr/lib/python3.11/__pycache__/short.cpython-311.pyc", "\xa7");
  const tree::FileTree result = normalise_root(root);
  EXPECT_FALSE(result.contains("usr/lib/python3.11/__pycache__/timed.cpython-311.pyc"));
  EXPECT_FALSE(result.contains("usr/lib/python3.11/__pycache__/short.cpython-311.pyc"));
  EXPECT_TRUE(result.contains("usr/lib/python3.11/__pycache__/hashed.cpython-311.pyc"));
}

TEST(NormaliseRoot, IsItsOwnResult) {
  tree::FileTree root;
  put_file(root, "usr/bin/a");
  put_file(root, "var/log/x");
  const tree::FileTree once = normalise_root(root);
  const tree::FileTree twice = normalise_root(once);
  ASSERT_EQ(once.size(), twice.size());
  for (const auto& [path, entry] : once.entries()) EXPECT_EQ(twice.find(path)->mtime, entry.inode->mtime) << path;
}

TEST(InstalledPackages, ReadsDpkgsStatus) {
  tree::FileTree root;
  EXPECT_TRUE(installed_packages(root).empty());
  put_file(root, "var/lib/dpkg/status",
           "Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.2.13\nDescription: a\n Package: not this\n\n"
           "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
           "Package: adduser\nStatus: install ok installed\nVersion: 3.134\n");
  EXPECT_THAT(installed_packages(root), ElementsAre("adduser 3.134", "zlib1g 1:1.2.13"));
}

}  // namespace
}  // namespace veneer::base
