#include "base/normalise.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/installed_packages.hh"
#include "tree/difference.hh"

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

tree::FileTree lower_root() {
  tree::FileTree lower;
  put_file(lower, "etc/machine-id", "abc\n");
  put_file(lower, "usr/sbin/policy-rc.d");
  put_file(lower, "usr/bin/a");
  put_file(lower, "usr/bin/changed");
  put_file(lower, "usr/bin/gone");
  put_file(lower, "var/log/old.log");
  put_file(lower, "etc/apt/sources.list", "deb x");
  put_file(lower, "usr/share/doc/a/README");
  put_file(lower, "tmp/of-the-base");
  lower.put("usr/share/doc/empty", tree::make_folder(0755, 0, 0, 77));
  lower.put("usr/bin/b", lower.entries().at("usr/bin/a").inode);
  return lower;
}

/// As a program would leave it that unpacks `lower` and packs it again.
tree::FileTree packed_again(const tree::FileTree& lower) {
  tree::FileTree upper;
  std::map<const tree::Inode*, tree::InodePointer> made;
  for (const auto& [path, entry] : lower.entries()) {
    tree::InodePointer& inode = made[entry.inode.get()];
    if (inode == nullptr) {
      tree::Inode copy = *entry.inode;
      if (copy.type == archive::EntryType::folder) copy.mtime = 99;
      inode = std::make_shared<const tree::Inode>(std::move(copy));
    }
    upper.put(path, inode);
  }
  return upper;
}

TEST(NormaliseAbove, LeavesWhatPackagesBrought) {
  const tree::FileTree lower = lower_root();
  tree::FileTree upper = packed_again(lower);
  put_file(upper, "etc/machine-id", "random\n");
  upper.remove("usr/sbin/policy-rc.d");
  upper.remove("usr/bin/gone");
  upper.remove("etc/apt/sources.list");
  for (const char* path : {"usr/bin/new", "var/log/new.log", "var/cache/apt/pkgcache.bin", "tmp/veneer/install",
                           "etc/resolv.conf", "etc/fstab", "usr/share/doc/new/README", "usr/share/doc/new/copyright"}) {
    put_file(upper, path);
  }
  put_file(upper, "usr/bin/changed", "y");
  upper.put("var/cache/fontconfig", tree::make_folder(0755, 0, 0, 5));
  std::vector<std::string> written;
  const tree::FileTree result = normalise_above(lower, upper);
  for (const tree::LayerEntry& entry : tree::difference(lower, result).entries) {
    if (entry.tar.type != archive::EntryType::folder) written.push_back(entry.tar.path);
  }
  EXPECT_THAT(written,
              ElementsAre("usr/bin/changed", "usr/bin/.wh.gone", "usr/bin/new", "usr/share/doc/new/copyright"));
  for (const char* path : {"usr/bin/changed", "usr/bin/new", "var/cache/fontconfig"}) {
    EXPECT_EQ(result.find(path)->mtime, fixed_time) << path;
  }
  EXPECT_EQ(result.find("usr/bin"), lower.find("usr/bin"));
  EXPECT_EQ(result.find("var/cache/fontconfig")->mode, 01777u);
}

TEST(NormaliseAbove, MakesNothingOfAnUnchangedBase) {
  const tree::FileTree lower = lower_root();
  EXPECT_TRUE(tree::difference(lower, normalise_above(lower, packed_again(lower))).entries.empty());
}

// Whoever installs software that makes one gets the same bytes on each machine.
TEST(NormaliseAbove, EmptiesANewMachineId) {
  tree::FileTree upper;
  put_file(upper, "etc/machine-id", "random\n");
  EXPECT_EQ(text_of(normalise_above({}, upper), "etc/machine-id"), "");
}

TEST(InstalledPackages, ReadsDpkgsStatus) {
  tree::FileTree root;
  EXPECT_TRUE(installed_packages(root).empty());
  put_file(root, "var/lib/dpkg/status",
           "Package: zlib1g\nStatus: install ok installed\nInstalled-Size: 168\nArchitecture: amd64\n"
           "Version: 1:1.2.13\nDescription: a\n Package: not this\n\n"
           "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
           "Package: adduser\nStatus: install ok installed\nVersion: 3.134\nArchitecture: all\n");
  const std::string hash(64, 'a');
  put_file(root, "var/lib/apt/lists/mirror_main_binary-amd64_Packages",
           "Package: zlib1g\nArchitecture: amd64\nVersion: 1:1.2.13\nSHA256: " + hash +
               "\n\nPackage: adduser\nArchitecture: all\nVersion: 3.135\nSHA256: " + hash + "\n");
  const std::vector<InstalledPackage> packages = installed_packages(root);
  EXPECT_THAT(packages, ElementsAre(InstalledPackage{"adduser", "3.134", "all", 0, std::nullopt},
                                    InstalledPackage{"zlib1g", "1:1.2.13", "amd64", 168 * 1024, Hash::from_hex(hash)}));
  EXPECT_EQ(packages_from_text(packages_to_text(packages)), packages);
  EXPECT_FALSE(packages_from_text("zlib1g 1:1.2.13\n"));
  EXPECT_THAT(packages_added({packages[0]}, packages), ElementsAre(packages[1]));
}

}  // namespace
}  // namespace veneer::base
