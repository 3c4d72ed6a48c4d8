#include "deliver/receiver/sent_archive.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::deliver {
namespace {

using made_up::image_of;
using made_up::inventory_of;
using made_up::known;
using ::testing::HasSubstr;

// An upgrade's file has the layers that another image lacks, by content; a host with a store of blobs may have that
// content compressed otherwise.
TEST(SentArchive, ALayerThatIsNotHereIsNamedWithWhyItMustTravel) {
  const image::SealedImage sealed = image_of({"base", "app"});
  const Inventory inventory = inventory_of(ReceiverKind::blobs, {known("debian:12", {"base"}, made_up::Label::absent)});
  const DeliveryPlan plan = deliver(sealed, inventory, local_line, {});
  try {
    const SentArchive archive(sealed, plan, made_up::LayersInMemory({"app"}), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.message(), HasSubstr(sealed.image.layers.front().blob.text()));
    EXPECT_THAT(error.message(), HasSubstr("the host has the same content in docker.io/library/debian:12"));
  }
}

}  // namespace
}  // namespace veneer::deliver
