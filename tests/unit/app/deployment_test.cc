// What becomes of many hosts when something unforeseen happens to the work on one of them.
#include "app/deployment.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::app {
namespace {

using deliver::made_up::image_of;
using State = Deployed::State;
using Stage = Deployed::Stage;
using testing::HasSubstr;

struct Row {
  std::function<void()> thrown;
  Stage stage;
  State state;
  ErrorKind kind = ErrorKind::failed;
};

TEST(Deployment, WhatIsThrownBecomesTheHostsResult) {
  const auto error = [](ErrorKind kind) { return [kind] { throw Error(kind, "no"); }; };
  const auto out_of_range = [] { throw std::out_of_range("no"); };
  const auto unknown = [] { throw 42; };
  for (const Row& row : std::vector<Row>{
           {error(ErrorKind::network), Stage::asking, State::refused, ErrorKind::network},
           {error(ErrorKind::refused), Stage::asking, State::refused, ErrorKind::refused},
           {out_of_range, Stage::asking, State::refused},
           {unknown, Stage::asking, State::refused},
           {error(ErrorKind::network), Stage::sending, State::lost, ErrorKind::network},
           {error(ErrorKind::verification), Stage::sending, State::refused, ErrorKind::verification},
           {unknown, Stage::sending, State::refused},
           // The host refuses before it begins; anything else may be amid its work.
           {error(ErrorKind::refused), Stage::asked, State::refused, ErrorKind::refused},
           {error(ErrorKind::network), Stage::asked, State::lost, ErrorKind::network},
           {error(ErrorKind::failed), Stage::asked, State::lost},
           {out_of_range, Stage::asked, State::lost},
           {error(ErrorKind::refused), Stage::begun, State::lost, ErrorKind::refused},
           {error(ErrorKind::network), Stage::begun, State::lost, ErrorKind::network},
           {out_of_range, Stage::begun, State::lost},
           {[] { throw std::bad_alloc(); }, Stage::begun, State::lost},
           {unknown, Stage::begun, State::lost},
       }) {
    Deployed host;
    do_for(host, [&] {
      host.stage = row.stage;
      row.thrown();
    });
    EXPECT_EQ(host.state, row.state) << static_cast<int>(row.stage);
    ASSERT_TRUE(host.error);
    EXPECT_EQ(host.error->kind(), row.kind);
    EXPECT_FALSE(host.error->message().empty());
  }
}

/// A host of each kind of trouble.
class TroubledReceiver : public deliver::Receiver {
 public:
  enum class Trouble { asking, sending };
  explicit TroubledReceiver(Trouble trouble) : trouble_(trouble) {}
  deliver::Inventory inventory(const deliver::Question&, const deliver::OnEvent&) override {
    if (trouble_ == Trouble::asking) throw std::out_of_range("somewhere");
    return deliver::made_up::inventory_of(deliver::ReceiverKind::prefix, {});
  }
  std::optional<deliver::Problem> take(const deliver::Delivery&, const deliver::OnEvent&) override { throw 42; }
  std::uint64_t bytes_sent() const override { return 0; }
  int round_trips() const override { return 0; }

 private:
  Trouble trouble_;
};

class NoBlobs : public image::Blobs {
 public:
  bool contains(const BlobDigest&) const override { return false; }
  std::unique_ptr<ByteSource> open(const BlobDigest&) const override { throw std::logic_error("not asked for"); }
};

/// Surroundings with nothing in them.
class Nowhere : public Surroundings, public Messages {
 public:
  Messages& messages() override { return *this; }
  std::optional<std::string> environment(const std::string&) const override { return std::nullopt; }
  std::filesystem::path cache_folder() const override { return "/nowhere"; }
  std::filesystem::path current_folder() const override { return "/nowhere"; }
  std::int64_t seconds_since_1970() const override { return 0; }
  std::string caller() const override { return "me@here"; }
  void progress(const std::string&) override {}
  void clear_progress() override {}
  void note(const std::string&) override {}
  void warning(const std::string&) override {}
};

TEST(Deployment, OneHostInTroubleDoesNotKeepTheOthersFromGoingOn) {
  using Trouble = TroubledReceiver::Trouble;
  const OpenedImage image{image_of({"base", "app"}), std::make_shared<NoBlobs>(), "shop:1"};
  std::vector<DeployTarget> targets;
  for (const Trouble trouble : {Trouble::asking, Trouble::sending, Trouble::sending}) {
    targets.push_back({"ssh://a", {nullptr, std::make_unique<TroubledReceiver>(trouble), {}}});
  }
  DeployRequest request;
  request.ship.live_name = deliver::parse_engine_name("shop");
  Nowhere nowhere;
  std::size_t told = 0;
  Deployment deployment(image, request, std::move(targets), 0, nowhere, [&](const DeployEvent&) {
    ++told;
    throw std::runtime_error("the disk is full");
  });
  deployment.plan();
  deployment.carry_out({0, 3});
  ASSERT_EQ(deployment.results().size(), 3U);
  for (const Deployed& host : deployment.results()) {
    EXPECT_EQ(host.state, State::refused);
    ASSERT_TRUE(host.error);
  }
  EXPECT_THAT(deployment.results()[0].error->what(), HasSubstr("somewhere"));
  EXPECT_FALSE(deployment.results()[0].plan);
  for (const std::size_t index : {1, 2}) EXPECT_TRUE(deployment.results()[index].plan);
  EXPECT_EQ(told, 1U) << "events that cannot be told are not tried again";
}

}  // namespace
}  // namespace veneer::app
