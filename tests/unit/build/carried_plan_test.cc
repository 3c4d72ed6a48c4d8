#include "build/carried_plan.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build/recorded_facts.hh"
#include "image/files_label.hh"
#include "image/run_config.hh"
#include "python/supply/wheel_supply.hh"

namespace veneer::build {
namespace {

using testing::HasSubstr;
using testing::Not;

class CarriedPlanTest : public testing::Test {
 protected:
  CarriedPlanTest() {
    image::InstalledFiles files;
    files.distributions["numpy"] = {image::InstalledFile::Kind::wheel, sha256("numpy")};
    files.distributions["docopt"] = {image::InstalledFile::Kind::source, sha256("docopt")};
    files.others = {"of-git"};
    label(image::write_files_label(files));
    record_.layers = {{{"numpy", 1}}, {{"docopt", 2}, {"of-git", 3}}};
    record_.facts[{"numpy", 1}].wheel = wheel_mark(python::wheel_identity(FileHash{sha256("numpy")}));
    record_.facts[{"docopt", 2}].wheel = "0123abcd";
    record_.facts[{"of-git", 3}].wheel = "4567abcd";
  }

  void label(const std::string& files) {
    Value labels;
    labels.set(image::files_label, files);
    image_.config.run.set("Labels", std::move(labels));
  }

  image::Image image_;
  plan::PlanRecord record_;
};

TEST_F(CarriedPlanTest, WhatTheFilesTellIsNotToldAgain) {
  carry_plan(image_, record_);
  const std::string text = image_.annotations.at(std::string(plan_name));
  EXPECT_THAT(text, HasSubstr("\"numpy:0000000000000001:\""));
  EXPECT_THAT(text, HasSubstr("\"docopt:0000000000000002:0123abcd\""));
  EXPECT_THAT(image::label_of(image_.config, plan_name), Not(HasSubstr("numpy")));
  EXPECT_EQ(carried_plan(image_), record_);
}

TEST_F(CarriedPlanTest, TheLabelAloneTellsOfTheLayers) {
  carry_plan(image_, record_);
  image_.annotations.clear();
  plan::PlanRecord layers = record_;
  layers.facts.clear();
  EXPECT_EQ(carried_plan(image_), layers);
}

TEST_F(CarriedPlanTest, OfAnOlderImageAllIsTold) {
  label("{}");
  carry_plan(image_, record_);
  EXPECT_THAT(image_.annotations.at(std::string(plan_name)), HasSubstr(record_.facts[{"numpy", 1}].wheel));
  EXPECT_THAT(image::label_of(image_.config, plan_name), HasSubstr("numpy:0000000000000001"));
  EXPECT_EQ(carried_plan(image_), record_);
  EXPECT_EQ(carried_plan(image::Image{}), std::nullopt);
}

}  // namespace
}  // namespace veneer::build
