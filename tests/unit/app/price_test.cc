#include "app/price.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::app {
namespace {

using testing::ElementsAre;

PricedDistribution distribution(const std::string& name, const std::string& version, std::uint64_t size) {
  return {.component = {.id = name + " " + version,
                        .name = name,
                        .kind = plan::ComponentKind::distribution,
                        .key = {sha256(name + version)},
                        .size = size},
          .version = version};
}

PricedImage image(std::vector<PricedDistribution> distributions, const std::string& code) {
  return {.name = code,
          .revision = code,
          .distributions = std::move(distributions),
          .environment = "3.13",
          .application = {{"application", {sha256(code)}, 5'000}}};
}

const PricedImage before =
    image({distribution("big", "1", 9'000'000), distribution("mid", "1", 2'000'000), distribution("old", "1", 70'000)},
          "one");

std::vector<std::uint64_t> bytes_of(const Price& price) {
  std::vector<std::uint64_t> bytes;
  for (const PricedHost& host : price.hosts) bytes.push_back(host.bytes / 100'000);
  return bytes;
}

TEST(Price, IsNothingForTheSameImage) {
  const Price same = price(before, before, {});
  for (const PricedHost& host : same.hosts) EXPECT_EQ(host.bytes, 0U) << host.receiver;
  EXPECT_TRUE(same.layers.empty() && same.changes.empty());
}

TEST(Price, CountsWhatEachKindOfHostLacks) {
  const PricedImage now = image(
      {distribution("big", "2", 9'000'000), distribution("mid", "1", 2'000'000), distribution("new", "1", 80'000)},
      "two");
  const Price told = price(before, now, {});
  // Over ssh, by its API, containerd store, podman, docker pull on overlay2 and on a containerd store.
  EXPECT_THAT(bytes_of(told), ElementsAre(91, 111, 91, 91, 110, 90));
  EXPECT_EQ(told.dearest().receiver, told.hosts[1].receiver);
  ASSERT_EQ(told.changes.size(), 3U);
  EXPECT_EQ(told.changes[0].from + ">" + told.changes[0].to, "1>2");
  EXPECT_EQ(told.changes[1].from + ">" + told.changes[1].to, ">1");
  EXPECT_EQ(told.changes[2].from + ">" + told.changes[2].to, "1>");
  EXPECT_EQ(told.layers.size(), 3U);
  EXPECT_EQ(to_value(told).at("layers").array()[0].at("title").string(), "big 2");
}

TEST(Price, MarksWhatIsEstimated) {
  PricedDistribution source = distribution("big", "2", 9'000'000);
  source.certainty = Certainty::estimated;
  const Price told = price(before, image({source}, "one"), {});
  ASSERT_EQ(told.layers.size(), 1U);
  EXPECT_EQ(told.layers[0].certainty, Certainty::estimated);
}

TEST(Price, OfOneMoreLayerThanAllowedSharesOne) {
  const Price told =
      price(before, image({distribution("big", "1", 9'000'000), distribution("mid", "2", 2'000'000)}, "one"),
            {.dependency_layers = 1});
  ASSERT_EQ(told.layers.size(), 1U);
  EXPECT_EQ(told.layers[0].title, "big 1, mid 2");
}

}  // namespace
}  // namespace veneer::app
