#include "plan/application_split.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace veneer::plan {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kb = 1000;

std::vector<std::string> titles(const ApplicationSplit& split) {
  std::vector<std::string> titles;
  for (const SplitPart& part : split) titles.push_back(part_title(part));
  return titles;
}

std::vector<std::string> split(const std::vector<SplitFile>& files, const ApplicationSplit& previous = {},
                               std::size_t cap = most_application_layers, OwnWheels wheels = OwnWheels::none) {
  return titles(split_application(files, wheels, previous, cap));
}

const std::vector<SplitFile> shop = {{"app/main.py", 20 * kb},
                                     {"app/shop/views.py", 400 * kb},
                                     {"app/shop/templates/page.html", 60 * kb},
                                     {"app/static/img/plant.png", 2500 * kb},
                                     {"app/static/js/a.js", 300 * kb},
                                     {"app/locale/de/messages.mo", 200 * kb},
                                     {"app/locale/fr/messages.mo", 200 * kb}};

TEST(ApplicationSplit, KeepsSmallThingsTogether) {
  EXPECT_THAT(split({}), ElementsAre("application"));
  EXPECT_THAT(split({{"app/main.py", 9 * kb}, {"app/run.sh", 1 * kb}}), ElementsAre("application"));
  EXPECT_THAT(split({{"app/logo.png", 90 * kb}, {"app/run.sh", 1 * kb}}), ElementsAre("application"));
}

TEST(ApplicationSplit, LaysCodeAboveTheOtherFiles) {
  const std::vector<SplitFile> files = {{"app/main.py", 9 * kb}, {"app/logo.png", 90 * kb}};
  EXPECT_THAT(split(files), ElementsAre("application files", "application"));
  EXPECT_THAT(split(files, {}, 1), ElementsAre("application"));
  EXPECT_THAT(split({{"app/logo.png", 90 * kb}}, {}, 8, OwnWheels::some),
              ElementsAre("application files", "application"));
}

TEST(ApplicationSplit, CutsFoldersOutOfWhatIsLarge) {
  const auto parts = split(shop);
  EXPECT_THAT(parts, testing::Contains("application files in app/static/img"));
  EXPECT_EQ(parts.back(), "application");
  EXPECT_LE(parts.size(), most_application_layers);
  EXPECT_EQ(split(shop, {}, 3).size(), 3U);
}

TEST(ApplicationSplit, KeepsWhatWasSplitOnce) {
  const ApplicationSplit before = split_application(shop, OwnWheels::none, {}, 8);
  std::vector<SplitFile> small = shop;
  for (SplitFile& file : small) file.bytes /= 1000;
  EXPECT_EQ(split_application(small, OwnWheels::none, before, 8), before);
  // More in it moves nothing that lay apart, and a folder that is gone has no part.
  std::vector<SplitFile> more = shop;
  more.push_back({"app/media/film.mp4", 9000 * kb});
  std::erase_if(more, [](const SplitFile& file) { return file.path.starts_with("app/static/img/"); });
  const auto after = titles(split_application(more, OwnWheels::none, before, 8));
  for (const std::string& title : titles(before)) {
    EXPECT_EQ(std::ranges::count(after, title), title == "application files in app/static/img" ? 0 : 1) << title;
  }
}

TEST(ApplicationSplit, TitlesCanBeRead) {
  for (const SplitPart& part : {SplitPart{FileKind::code, ""}, SplitPart{FileKind::other, ""},
                                SplitPart{FileKind::code, "app/a b"}, SplitPart{FileKind::other, "app/in x"}}) {
    EXPECT_EQ(read_part_title(part_title(part)), part);
  }
  for (const char* title : {"", "numpy 2.1.0", "application files in ", "applications"})
    EXPECT_FALSE(read_part_title(title)) << title;
}

TEST(ApplicationSplit, HoldsEachFileOnceWhateverTheOrder) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<SplitFile> files;
    std::set<std::string> paths;
    const std::size_t count = random() % 60;
    for (std::size_t i = 0; i < count; ++i) {
      std::string path = "app";
      for (std::size_t depth = random() % 7; depth > 0; --depth) path += fmt::format("/d{}", random() % 3);
      path += fmt::format("/f{}{}", i, random() % 2 == 0 ? ".py" : ".txt");
      if (paths.insert(path).second) files.push_back({path, random() % 200'000});
    }
    const std::size_t cap = 1 + random() % 8;
    ApplicationSplit previous;
    if (round % 2 == 1) previous = split_application(files, OwnWheels::none, {}, 8);
    const ApplicationSplit split = split_application(files, OwnWheels::none, previous, cap);
    ASSERT_LE(split.size(), cap);
    ASSERT_EQ(split.back(), (SplitPart{FileKind::code, ""}));
    std::map<std::size_t, std::size_t> held;
    for (const SplitFile& file : files) {
      const std::size_t part = part_of(split, file.path);
      ++held[part];
      if (part + 1 < split.size()) {
        EXPECT_EQ(split[part].kind, kind_of_file(file.path));
        EXPECT_TRUE(file.path.starts_with(split[part].folder)) << file.path;
        EXPECT_LE(std::ranges::count(split[part].folder, '/'), 6);
      }
    }
    for (std::size_t part = 0; part + 1 < split.size(); ++part) EXPECT_GT(held[part], 0U) << part_title(split[part]);
    std::ranges::shuffle(files, random);
    EXPECT_EQ(split_application(files, OwnWheels::none, previous, cap), split);
    EXPECT_EQ(split_application(files, OwnWheels::none, split, cap), split);
  }
}

}  // namespace
}  // namespace veneer::plan
