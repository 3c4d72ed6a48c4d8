#include "build/account.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build/placement.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "tree/read_text.hh"

namespace veneer::build {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* passwd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr const char* group = "root:x:0:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n";

class AccountTest : public testing::Test {
 protected:
  AccountTest() {
    base_.put("etc", tree::make_folder(0755, 0, 0, 1));
    base_.put("home", tree::make_folder(0755, 0, 0, 1));
    base_.put("root", tree::make_folder(0700, 0, 0, 1));
    put("etc/passwd", passwd);
    put("etc/group", group);
  }

  void put(const std::string& path, const std::string& text, std::uint32_t mode = 0644) {
    base_.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(text), mode, 0, 0, 1));
  }
  static std::string text(const Account& account, const std::string& path) {
    return tree::read_text(account.files, path, 1 << 20);
  }
  static std::vector<std::string> paths(const Account& account) {
    std::vector<std::string> result;
    for (const auto& [path, entry] : account.files.entries()) result.push_back(path);
    return result;
  }

  tree::FileTree base_;
};

TEST_F(AccountTest, ANumberThatTheBaseDoesNotKnowGetsANameAndAHome) {
  const Account account = account_of(base_, 1000, 1000);
  EXPECT_EQ(account.home, "/home/app");
  EXPECT_EQ(text(account, "etc/passwd"), std::string(passwd) + "app:x:1000:1000::/home/app:/usr/sbin/nologin\n");
  EXPECT_EQ(text(account, "etc/group"), std::string(group) + "app:x:1000:\n");
  EXPECT_THAT(paths(account), ElementsAre("etc", "etc/group", "etc/passwd", "home", "home/app"));
  const tree::Inode& home = *account.files.find("home/app");
  EXPECT_EQ(home.type, archive::EntryType::folder);
  EXPECT_EQ(home.mode, 0755u);
  EXPECT_EQ(home.uid, 1000u);
  EXPECT_EQ(home.gid, 1000u);
  EXPECT_EQ(account.files.find("etc/passwd")->mode, 0644u);
  EXPECT_EQ(account.files.find("etc/passwd")->mtime, fixed_time);
  EXPECT_EQ(account.files.find("home")->mtime, 1);  // as the base has it
}

TEST_F(AccountTest, WhatTheBaseSaysIsKept) {
  const Account root = account_of(base_, 0, 0);
  EXPECT_EQ(root.home, "/root");
  EXPECT_THAT(paths(root), IsEmpty());
  // A home that is not there is made, but for the one that is not to exist.
  const Account www = account_of(base_, 33, 33);
  EXPECT_EQ(www.home, "/var/www");
  EXPECT_THAT(paths(www), ElementsAre("var", "var/www"));
  EXPECT_EQ(www.files.find("var/www")->uid, 33u);
  const Account nobody = account_of(base_, 65534, 65534);
  EXPECT_EQ(nobody.home, "/nonexistent");
  EXPECT_THAT(paths(nobody), IsEmpty());
}

TEST_F(AccountTest, AGroupAloneCanBeMissing) {
  const Account account = account_of(base_, 33, 1000);
  EXPECT_EQ(text(account, "etc/passwd"), "");
  EXPECT_EQ(text(account, "etc/group"), std::string(group) + "app:x:1000:\n");
  const Account known = account_of(base_, 1000, 100);
  EXPECT_THAT(text(known, "etc/passwd"), testing::HasSubstr("app:x:1000:100::/home/app:"));
  EXPECT_EQ(text(known, "etc/group"), "");
}

TEST_F(AccountTest, NamesThatAreTakenAreNotUsedTwice) {
  put("etc/group", std::string(group) + "app:x:7:\n");
  EXPECT_EQ(account_of(base_, 1000, 1000).home, "/home/app1000");
  base_.put("home/app1000", tree::make_folder(0755, 5, 5, 1));
  EXPECT_EQ(account_of(base_, 1000, 1000).home, "/home/app1000_");
}

TEST_F(AccountTest, ABaseWithoutFilesOrWithoutALastLineEnd) {
  put("etc/passwd", "root:x:0:0::/root:/bin/sh");
  EXPECT_THAT(text(account_of(base_, 1000, 1000), "etc/passwd"),
              testing::StartsWith("root:x:0:0::/root:/bin/sh\napp:"));
  const Account bare = account_of(tree::FileTree(), 1000, 1000);
  EXPECT_EQ(text(bare, "etc/passwd"), "app:x:1000:1000::/home/app:/usr/sbin/nologin\n");
  EXPECT_EQ(text(bare, "etc/group"), "app:x:1000:\n");
  EXPECT_EQ(bare.files.find("home/app")->uid, 1000u);
  EXPECT_EQ(account_of(tree::FileTree(), 0, 0).home, "/root");
}

TEST_F(AccountTest, FollowsTheLinksOfTheBase) {
  base_.put("usr/etc", tree::make_folder(0755, 0, 0, 1));
  put("usr/etc/passwd", passwd, 0600);
  base_.put("etc/passwd", tree::make_symlink("../usr/etc/passwd", 0, 0, 1));
  base_.put("var/home", tree::make_folder(0755, 0, 0, 1));
  base_.put("home", tree::make_symlink("var/home", 0, 0, 1));
  const Account account = account_of(base_, 1000, 1000);
  EXPECT_THAT(text(account, "usr/etc/passwd"), testing::HasSubstr("\napp:x:1000:"));
  EXPECT_EQ(account.files.find("usr/etc/passwd")->mode, 0600u);
  EXPECT_FALSE(account.files.contains("etc/passwd"));
  EXPECT_TRUE(account.files.contains("var/home/app"));
  EXPECT_EQ(account.home, "/home/app");
}

TEST_F(AccountTest, HomeIsWhatTheProjectSaysElseTheBaseElseTheAccount) {
  const auto home = [&](std::uint32_t user, const char* run, const std::map<std::string, std::string>& own = {}) {
    base::Base base;
    base.files = std::make_shared<base::BaseFiles>([this] { return base_; });
    base.config.run = parse_json(run);
    return home_of(account_of(base_, user, user), base, own);
  };
  EXPECT_EQ(home(1000, "null"), "/home/app");
  EXPECT_EQ(home(1000, R"({"Env": ["PATH=/bin", "HOMES=/x"]})"), "/home/app");
  EXPECT_EQ(home(1000, R"({"Env": ["HOME=/data"]})"), "/data");
  EXPECT_EQ(home(33, R"({"Env": ["HOME=/data"], "User": "nobody"})"), "/data");
  EXPECT_EQ(home(1000, R"({"Env": ["HOME=/data"]})", {{"HOME", "/tmp"}}), "/tmp");
  EXPECT_EQ(home(1000, "null", {{"HOME", "/tmp"}}), "/tmp");
  // The home of another user is nothing that the base asks for.
  for (const char* run : {R"({"Env": ["HOME=/root"]})", R"({"Env": ["HOME=/var/www"], "User": "www-data"})",
                          R"({"Env": ["HOME=/var/www"], "User": "33:33"})"}) {
    EXPECT_EQ(home(1000, run), "/home/app") << run;
  }
}

TEST_F(AccountTest, AHomeThatItsUserCannotWriteToIsSaid) {
  base_.put("usr/sbin", tree::make_folder(0755, 0, 0, 1));
  base_.put("tmp", tree::make_folder(01777, 0, 0, 1));
  base_.put("srv", tree::make_folder(0775, 5, 7, 1));
  base_.put("closed/home", tree::make_folder(0777, 0, 0, 1));
  base_.put("closed", tree::make_folder(0700, 0, 0, 1));
  base_.put("link", tree::make_symlink("srv", 0, 0, 1));
  const auto finding = [&](std::uint32_t user, std::uint32_t number, const std::string& home) {
    return home_finding(base_, user, number, home).value_or("");
  };
  EXPECT_EQ(finding(65534, 65533, "/nonexistent"),
            "the home of the user 65534:65533, /nonexistent, is not in the image; in [tool.veneer.image], name another "
            "user, or a HOME in env and the same folder in writable");
  for (const char* home : {"", "relative", "/link/absent"})
    EXPECT_THAT(finding(1, 1, home), HasSubstr("is not in the image")) << home;
  EXPECT_THAT(finding(1, 1, "/etc/passwd"), HasSubstr("is no folder"));
  for (const char* home : {"/usr/sbin", "/", "/closed/home", "/link", "/root"})
    EXPECT_THAT(finding(1, 1, home), HasSubstr("is not writable for it")) << home;
  EXPECT_EQ(finding(1, 1, "/tmp"), "");
  EXPECT_EQ(finding(5, 1, "/link"), "");
  EXPECT_EQ(finding(1, 7, "/srv"), "");
  for (const char* home : {"/root", "/", "/closed/home"}) EXPECT_EQ(finding(0, 0, home), "") << home;
}

}  // namespace
}  // namespace veneer::build
