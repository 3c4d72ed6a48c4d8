#include "deliver/forecast.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deliver/receiver/engine_name.hh"
#include "foundation/error.hh"
#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::deliver {
namespace {

using made_up::image_of;
using ::testing::ElementsAre;

constexpr Line slow{125'000, 0.1};
const image::Reference name = parse_engine_name("shop:new").reference();

std::vector<std::size_t> layers_sent(const std::vector<Forecast>& forecasts) {
  std::vector<std::size_t> counts;
  for (const Forecast& forecast : forecasts) {
    counts.push_back(static_cast<std::size_t>(std::ranges::count(forecast.plan.steps, Action::send, &Step::action)));
  }
  return counts;
}

TEST(Forecast, HasARowAKindOfHost) {
  const std::string large(200, 'x');  // worth a splice
  const auto forecasts = forecast(image_of({"base", "changed", large, "app"}), image_of({"base", "deps", large, "app"}),
                                  Line{0, 0.1}, name);
  EXPECT_THAT(layers_sent(forecasts), ElementsAre(1, 3, 1, 1));
  EXPECT_EQ(&dearest(forecasts), &forecasts[1]);
  EXPECT_EQ(to_value(forecasts).array().size(), 4U);
  EXPECT_EQ(to_value(forecasts).array()[1].at("plan").at("bytes").integer(),
            static_cast<std::int64_t>(forecasts[1].plan.bytes));
}

TEST(Forecast, TheSameImageCostsNothing) {
  const auto image = image_of({"base", "app"});
  for (const Forecast& forecast : forecast(image, image, slow, name)) EXPECT_EQ(forecast.plan.bytes, 0U);
}

TEST(Forecast, IsWhatDeliverSaysOfAHostWithThatImage) {
  const auto held = image_of({"base", "deps", "app"});
  const auto next = image_of({"base", "deps", "next"});
  for (const Forecast& forecast : forecast(next, held, slow, name)) {
    const Inventory inventory = inventory_of_one(held, forecast.kind, forecast.splicing);
    EXPECT_EQ(deliver(next, inventory, slow, {.names = {name}, .tar_sizes = {}}).bytes, forecast.plan.bytes);
    EXPECT_GT(forecast.plan.line_seconds, 0);
  }
}

TEST(Forecast, AnImageForAnotherMachineIsRefused) {
  auto other = image_of({"base"});
  other.image.config.platform.architecture = "arm64";
  EXPECT_THROW(forecast(other, image_of({"base"}), slow, name), Error);
}

}  // namespace
}  // namespace veneer::deliver
