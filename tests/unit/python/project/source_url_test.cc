#include "python/project/source_url.hh"

#include <gtest/gtest.h>

namespace veneer::python {
namespace {

TEST(SourceUrlTest, HoweverItWasCloned) {
  for (const char* remote :
       {"https://forge.example/team/app.git", "https://forge.example/team/app/",
        "https://ada:s3cret@forge.example/team/app.git", "https://x-access-token:ghs_s3cret@forge.example/team/app",
        "git@forge.example:team/app.git", "ssh://git@forge.example/team/app.git",
        "ssh://git:s3cret@forge.example:22/team/app", "git://forge.example/team/app.git",
        "git+ssh://forge.example/team/app.git", "https://forge.example/team/app.git?token=s3cret#s3cret"}) {
    EXPECT_EQ(source_of_remote(remote), "https://forge.example/team/app") << remote;
  }
  EXPECT_EQ(source_of_remote("ssh://git@forge.example:2222/team/app.git"), "ssh://forge.example:2222/team/app");
  EXPECT_EQ(source_of_remote("http://forge.example:8080/app.git"), "http://forge.example:8080/app");
}

TEST(SourceUrlTest, WhatOthersCannotReach) {
  for (const char* remote :
       {"", "/srv/git/app.git", "../app", "file:///srv/app.git", "C:/app", "forge:team/app", "gh:app",
        "https://localhost/app", "https://forge.example", "https://forge.example/", "https://for ge.example/app",
        "ext::sh -c s3cret", "https://ada:s3/cret@forge.example/app", "https://ada:s3?cret@forge.example/app",
        "https://ada:s3#cret@forge.example/app", "https://forge.example/\"app", "https://forge.example:x/app"}) {
    EXPECT_EQ(source_of_remote(remote), "") << remote;
  }
}

TEST(SourceUrlTest, UrlsOfTheProject) {
  EXPECT_EQ(public_url("https://shop.example/docs/"), "https://shop.example/docs/");
  EXPECT_EQ(public_url("HTTPS://ada:s3cret@shop.example?s3cret"), "https://shop.example");
  EXPECT_EQ(public_url("ssh://shop.example/a"), "");
  EXPECT_EQ(public_url("shop.example"), "");
}

}  // namespace
}  // namespace veneer::python
