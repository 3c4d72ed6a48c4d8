#include "base/ingredients.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::base {
namespace {

using testing::ElementsAre;

LockedBase bookworm() {
  LockedBase base;
  base.name = "debian:bookworm";
  base.platform = "linux/amd64";
  base.snapshot = "20260101T000000Z";
  base.target = {"/usr/bin/python3.11", "3.11.2", "glibc-2.36", "x86_64", {"app 755 0 0 1"}};
  base.packages = {{"libc6", "2.36-9", "amd64", sha256("libc6")}, {"tzdata", "2026a", "all", std::nullopt}};
  return base;
}

std::vector<std::string> texts(const std::vector<IngredientChange>& changes) {
  std::vector<std::string> all;
  for (const IngredientChange& change : changes) all.push_back(change.text());
  return all;
}

TEST(Ingredients, OfABase) {
  EXPECT_THAT(ingredients_of(bookworm(), {"libpq5", "nginx"}),
              testing::ContainerEq(Ingredients{{"C library", "glibc-2.36"},
                                               {"Python", "3.11.2"},
                                               {"base", "debian:bookworm"},
                                               {"package libc6:amd64", "2.36-9"},
                                               {"package tzdata:all", "2026a"},
                                               {"packages", "libpq5 nginx"},
                                               {"platform", "linux/amd64"},
                                               {"snapshot", "20260101T000000Z"}}));
}

TEST(Ingredients, FingerprintIsOfWhatTheyAre) {
  const std::string before = fingerprint(ingredients_of(bookworm(), {}));
  EXPECT_EQ(before.size(), 16u);
  EXPECT_EQ(before.find_first_not_of("0123456789abcdef"), std::string::npos);

  LockedBase same = bookworm();  // what a cache may not know, and where the lock says it
  same.packages[0].sha256.reset();
  same.packages[0].line = same.line = 7;
  std::swap(same.packages[0], same.packages[1]);
  EXPECT_EQ(fingerprint(ingredients_of(same, {})), before);

  const auto differs = [&](auto edit) {
    LockedBase base = bookworm();
    edit(base);
    EXPECT_NE(fingerprint(ingredients_of(base, {})), before);
    EXPECT_EQ(changes(ingredients_of(bookworm(), {}), ingredients_of(base, {})).size(), 1u);
  };
  differs([](LockedBase& base) { base.name = "debian:trixie"; });
  differs([](LockedBase& base) { base.platform = "linux/arm64"; });
  differs([](LockedBase& base) { base.snapshot = "20260201T000000Z"; });
  differs([](LockedBase& base) { base.snapshot.clear(); });
  differs([](LockedBase& base) { base.image.manifest = ManifestDigest{sha256("a")}; });
  differs([](LockedBase& base) { base.image.config = ConfigDigest{sha256("a")}; });
  differs([](LockedBase& base) { base.interpreter = Interpreter{"3.12.1", "https://example.org", {sha256("a")}}; });
  differs([](LockedBase& base) { base.target.python = "3.11.9"; });
  differs([](LockedBase& base) { base.target.libc = "glibc-2.41"; });
  differs([](LockedBase& base) { base.packages[0].version = "2.36-10"; });
  differs([](LockedBase& base) { base.packages.pop_back(); });
  differs([](LockedBase& base) { base.packages.push_back({"libpq5", "15", "amd64", std::nullopt}); });
  EXPECT_NE(fingerprint(ingredients_of(bookworm(), {"libpq5"})), before);
}

TEST(Ingredients, ChangesSayFromAndTo) {
  const Ingredients before{{"packages", "a"}, {"package a:all", "1"}, {"snapshot", "x"}};
  const Ingredients now{{"packages", "a"}, {"package a:all", "2"}, {"image", "y"}};
  EXPECT_THAT(texts(changes(before, now)), ElementsAre("image y is new", "package a:all 1 -> 2", "snapshot x is gone"));
  EXPECT_TRUE(changes(now, now).empty());
}

TEST(Ingredients, AreReadAsTheyWereWritten) {
  const Ingredients all = ingredients_of(bookworm(), {"libpq5"});
  EXPECT_EQ(read_ingredients(write_ingredients(all)), all);
  for (const char* text : {"", "[]", "3", R"({"a": 1})", R"({"a": "b", "a": "c"})", R"({"a": ["b"]})"}) {
    EXPECT_THROW(read_ingredients(text), Error) << text;
  }
}

}  // namespace
}  // namespace veneer::base
