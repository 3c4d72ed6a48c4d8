#include "deliver/receiver/ship.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deliver/receiver/api/docker_engine.hh"
#include "foundation/error.hh"
#include "tests/unit/deliver/receiver/made_up_engine.hh"

namespace veneer::deliver {
namespace {

using made_up::EngineState;
using made_up::image_of;
using made_up::layer_bytes;
using made_up::LayersInMemory;
using made_up::MadeUpEngine;
using made_up::Words;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string live = "docker.io/library/demo:live";
const std::string loaded = "{\"stream\":\"Loaded image: demo\\n\"}\n";

class Ship : public ::testing::TestWithParam<ReceiverKind> {
 protected:
  Ship() { state_.kind = GetParam(); }

  ShipResult ship_words(const Words& words) {
    sealed_ = image_of(words);
    if (!state_.on_load) takes_it();
    DockerEngine engine(std::make_unique<MadeUpEngine>(state_));
    return ship(sealed_, LayersInMemory(words), engine, {parse_engine_name("demo:live"), local_line},
                [&](const Event& event) {
                  if (events_.empty() || events_.back() != event.kind) events_.push_back(event.kind);
                });
  }
  std::string unique() const { return unique_name_of(parse_engine_name("demo:live"), sealed_).full(); }
  std::string id() const { return "sha256:" + image_id_on(state_.kind, sealed_).hex(); }

  void takes_it() {
    state_.on_load = [this](EngineState& state, const std::string&) {
      state.add(sealed_, {unique()});
      return loaded;
    };
  }
  bool told(Event::Kind kind) const { return std::ranges::find(events_, kind) != events_.end(); }

  EngineState state_;
  image::SealedImage sealed_;
  std::vector<Event::Kind> events_;
};

TEST_P(Ship, TheFirstOneSendsEverythingAndNamesIt) {
  const auto result = ship_words({"base", "app"});
  EXPECT_EQ(state_.names[live], id());
  EXPECT_EQ(state_.names[unique()], id());
  EXPECT_EQ(result.image_id, id());
  EXPECT_EQ(result.unique_name.full(), unique());
  EXPECT_THAT(state_.uploads, ElementsAre(result.plan.bytes));
  EXPECT_EQ(result.bytes_sent, result.plan.bytes);
  EXPECT_TRUE(state_.containers.empty());
  EXPECT_FALSE(result.sent_whole_after_all);
  EXPECT_EQ(result.round_trips, static_cast<int>(state_.log.size()));
  EXPECT_EQ(result.round_trips, result.inventory.round_trips + result.plan.round_trips);
  EXPECT_THAT(events_, ElementsAre(Event::Kind::asking, Event::Kind::planned, Event::Kind::sending,
                                   Event::Kind::working, Event::Kind::verifying, Event::Kind::naming));
}

TEST_P(Ship, ASecondOneSendsWhatChanged) {
  ship_words({"base", "app"});
  const std::string first = id();
  const auto result = ship_words({"base", "new app"});
  ASSERT_EQ(result.plan.steps.size(), 2U);
  EXPECT_EQ(result.plan.steps[0].action, Action::keep);
  EXPECT_EQ(result.plan.steps[1].action, Action::send);
  EXPECT_EQ(state_.names[live], id());
  EXPECT_TRUE(state_.images.contains(first));  // found by its own name
}

// CASE 44
TEST_P(Ship, TheSameImageTwiceLoadsNothing) {
  ship_words({"base", "app"});
  const auto names = state_.names;
  const auto result = ship_words({"base", "app"});
  EXPECT_EQ(result.plan.work, Work::nothing_to_load);
  EXPECT_EQ(result.bytes_sent, 0U);
  EXPECT_EQ(state_.uploads.size(), 1U);
  EXPECT_EQ(state_.images.size(), 1U);
  EXPECT_EQ(state_.names, names);
}

TEST_P(Ship, AnImageThatIsThereUnderAnotherNameGetsItsNames) {
  sealed_ = image_of({"base"});
  state_.add(sealed_, {"docker.io/library/other:1"});
  const auto result = ship_words({"base"});
  EXPECT_EQ(result.bytes_sent, 0U);
  EXPECT_EQ(state_.names[live], id());
  EXPECT_EQ(state_.names[unique()], id());
  EXPECT_EQ(state_.names["docker.io/library/other:1"], id());
}

TEST_P(Ship, AHintThatWasWrongIsCuredByTheWholeImage) {
  ship_words({"base", "app"});
  state_.on_load = [this](EngineState& state, const std::string& archive) {
    if (archive.find(layer_bytes("base")) == std::string::npos) {
      return std::string("{\"errorDetail\":{\"message\":\"open blobs/sha256/0: no such file or directory\"}}\n");
    }
    state.add(sealed_, {unique()});
    return loaded;
  };
  const auto result = ship_words({"base", "new app"});
  EXPECT_TRUE(result.sent_whole_after_all);
  EXPECT_TRUE(told(Event::Kind::sending_whole));
  EXPECT_EQ(state_.uploads.size(), 3U);
  EXPECT_EQ(result.bytes_sent, state_.uploads[1] + state_.uploads[2]);
  EXPECT_THAT(result.plan.why, HasSubstr("no such file"));
  EXPECT_EQ(state_.names[live], id());
}

TEST_P(Ship, ASuccessThatIsNoneIsSeen) {
  ship_words({"base", "app"});
  const std::string before = id();
  state_.on_load = [this](EngineState& state, const std::string& archive) {
    state.add(sealed_, {unique()});
    state.images[id()].startable = archive.find(layer_bytes("base")) != std::string::npos;
    return loaded;
  };
  const auto result = ship_words({"base", "new app"});
  EXPECT_TRUE(result.sent_whole_after_all);
  EXPECT_NE(id(), before);
  EXPECT_EQ(state_.names[live], id());
}

TEST_P(Ship, WhatStaysBrokenLeavesTheLiveNameAlone) {
  ship_words({"base", "app"});
  const std::string before = id();
  state_.on_load = [this](EngineState& state, const std::string&) {
    state.add(sealed_, {unique()});
    state.images[id()].startable = false;
    return loaded;
  };
  try {
    ship_words({"base", "new app"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("no container can be created"));
  }
  EXPECT_EQ(state_.names[live], before);
  EXPECT_FALSE(state_.names.contains(unique()));
  EXPECT_FALSE(state_.images.contains(id()));
  EXPECT_TRUE(state_.images.contains(before));
}

TEST_P(Ship, AFullDiskIsNotTriedAgain) {
  ship_words({"base", "app"});
  state_.on_load = [](EngineState&, const std::string&) {
    return std::string("{\"errorDetail\":{\"message\":\"write /x: no space left on device\"}}\n");
  };
  try {
    ship_words({"base", "new app"});
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("no space left on device"));
    EXPECT_THAT(error.hint(), HasSubstr("make room on the host: bytes, or inodes (df -i); "));
    EXPECT_THAT(error.hint(), HasSubstr("demo:live stands for what it did before"));
  }
  EXPECT_EQ(state_.uploads.size(), 2U);
}

TEST_P(Ship, OtherLayersThanOursAreRefused) {
  state_.on_load = [this](EngineState& state, const std::string&) {
    state.add(sealed_, {unique()});
    state.images[id()].layers.array().pop_back();
    return loaded;
  };
  EXPECT_THROW(ship_words({"base", "app"}), Error);
  EXPECT_FALSE(state_.names.contains(live));
  EXPECT_FALSE(state_.names.contains(unique()));
}

TEST_P(Ship, AForeignImageUnderOurUniqueNameStaysWhereItIs) {
  sealed_ = image_of({"base"});
  state_.add(image_of({"somebody's"}), {unique()});
  const auto names = state_.names;
  EXPECT_THROW(ship_words({"base"}), Error);
  EXPECT_EQ(state_.names, names);
  EXPECT_TRUE(state_.uploads.empty());
}

TEST_P(Ship, AnUnnamedImageOnTheHostIsNotDeletedByCleaningUp) {
  sealed_ = image_of({"base"});
  state_.add(sealed_, {});
  state_.images[id()].startable = false;
  state_.on_load = [](EngineState&, const std::string&) { return loaded; };
  EXPECT_THROW(ship_words({"base"}), Error);
  EXPECT_TRUE(state_.images.contains(id()));
}

TEST_P(Ship, AnotherMachineGetsNothing) {
  state_.architecture = "arm64";
  EXPECT_THROW(ship_words({"base"}), Error);
  EXPECT_TRUE(state_.uploads.empty());
}

TEST_P(Ship, AContainerLeftByAKilledRunIsReplaced) {
  sealed_ = image_of({"base"});
  const std::string name = "veneer-check-" + sealed_.manifest_digest.hex().substr(0, 12);
  state_.containers[name] = sealed_.manifest_digest.text();
  ship_words({"base"});
  EXPECT_TRUE(state_.containers.empty());

  state_.containers[name] = "somebody's";
  EXPECT_THROW(ship_words({"base"}), Error);
  EXPECT_EQ(state_.containers.size(), 1U);
}

TEST_P(Ship, ALayerThatIsNotHereIsNamedBeforeAnythingIsSent) {
  sealed_ = image_of({"base", "app"});
  DockerEngine engine(std::make_unique<MadeUpEngine>(state_));
  try {
    ship(sealed_, LayersInMemory({"base"}), engine, {parse_engine_name("demo:live"), local_line});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
  EXPECT_TRUE(state_.uploads.empty());
}

TEST_P(Ship, ADryRunOnlyAsks) {
  state_.add(image_of({"base"}), {"docker.io/library/old:1"});
  DockerEngine engine(std::make_unique<MadeUpEngine>(state_));
  const auto sealed = image_of({"base", "app"});
  const LayersInMemory blobs({});
  Shipment shipment(sealed, blobs, engine, {parse_engine_name("demo:live"), local_line}, {});
  const auto& plan = shipment.plan();
  EXPECT_EQ(plan.steps[0].action, Action::keep);
  EXPECT_EQ(state_.count("POST"), 0U);
  EXPECT_EQ(state_.count("DELETE"), 0U);
}

TEST_P(Ship, ForeignImagesAreAskedForLayersWhereTheirLayersCanHelp) {
  const auto foreign = image_of({"base"});
  state_.add(foreign, {"docker.io/library/foreign:1"});
  state_.images.begin()->second.label.clear();
  DockerEngine engine(std::make_unique<MadeUpEngine>(state_));
  const Inventory inventory = engine.inventory({parse_engine_name("demo:live"), {}});
  ASSERT_EQ(inventory.images.size(), 1U);
  EXPECT_EQ(inventory.images[0].id, image_id_on(state_.kind, foreign));
  EXPECT_EQ(inventory.images[0].diff_ids.size(), state_.kind == ReceiverKind::blobs ? 0U : 1U);
  EXPECT_EQ(inventory.round_trips, state_.kind == ReceiverKind::blobs ? 3 : 4);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, Ship,
                         ::testing::Values(ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids),
                         [](const auto& information) { return std::string(receiver_kind_name(information.param)); });

TEST(ShipToContainerd, AHollowImageIsSeen) {
  EngineState state;
  state.kind = ReceiverKind::blobs;
  const auto old = image_of({"base", "app"});
  const auto sealed = image_of({"base", "new app"});
  state.add(old, {"docker.io/library/demo:1"});
  state.on_load = [&](EngineState& changed, const std::string& archive) {
    changed.add(sealed, {unique_name_of(parse_engine_name("demo:live"), sealed).full()});
    changed.images["sha256:" + sealed.manifest_digest.hex()].available =
        archive.find(layer_bytes("base")) != std::string::npos;
    return loaded;
  };
  DockerEngine engine(std::make_unique<MadeUpEngine>(state));
  const auto result =
      ship(sealed, LayersInMemory({"base", "new app"}), engine, {parse_engine_name("demo:live"), local_line});
  EXPECT_TRUE(result.sent_whole_after_all);
  EXPECT_THAT(result.plan.why, HasSubstr("parts of it are not there"));
}

TEST(ShipToPodman, AnErrorStatusIsUnderstood) {
  EngineState state;
  state.kind = ReceiverKind::diff_ids;
  state.load_status = 500;
  state.on_load = [](EngineState&, const std::string&) {
    return std::string(R"({"message":"no:\n * oci-archive: reading blob sha256:0: permission denied\n"})");
  };
  DockerEngine engine(std::make_unique<MadeUpEngine>(state));
  try {
    ship(image_of({"base"}), LayersInMemory({"base"}), engine, {parse_engine_name("demo:live"), local_line});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("reading blob sha256:0: permission denied (500)"));
  }
}

}  // namespace
}  // namespace veneer::deliver
