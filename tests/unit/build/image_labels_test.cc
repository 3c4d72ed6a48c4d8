#include "build/image_labels.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base64.hh"
#include "foundation/json.hh"

namespace veneer::build {
namespace {

using testing::HasSubstr;
using testing::Not;

class ImageLabelsTest : public testing::Test {
 protected:
  ImageLabelsTest() { inputs_.project.name = "shop"; }

  std::string labels(const Value& base = Value::Table{}) const {
    Value run;
    run.set("Labels", base);
    return to_json(image_labels(run, inputs_, {"1.0+local", "2026-01-01T00:00:00Z"}));
  }

  BuildInputs inputs_;
};

TEST_F(ImageLabelsTest, WhatIsNotKnownIsLeftOut) {
  EXPECT_EQ(labels(), R"({"org.opencontainers.image.created":"2026-01-01T00:00:00Z",)"
                      R"("org.opencontainers.image.title":"shop","org.opencontainers.image.version":"1.0+local"})");
}

TEST_F(ImageLabelsTest, WhatABaseSaysOfItselfIsNotSaidOfTheImage) {
  Value base;
  base.set("org.opencontainers.image.source", "https://forge.example/base");
  base.set("org.opencontainers.image.base.name", "other");
  base.set("dev.veneer.files", "{}");
  base.set("dev.veneer.layers", "[]");
  base.set("team", "platform");
  EXPECT_THAT(labels(base), HasSubstr(R"("team":"platform")"));
  for (const char* gone : {"forge.example", "other", "dev.veneer"}) EXPECT_THAT(labels(base), Not(HasSubstr(gone)));
}

TEST_F(ImageLabelsTest, OwnersHaveTheLastWord) {
  inputs_.source = "https://forge.example/of-the-remote";
  EXPECT_THAT(labels(), HasSubstr("of-the-remote"));
  inputs_.project.about.urls["repository"] = "https://forge.example/of-the-project";
  EXPECT_THAT(labels(), HasSubstr("of-the-project"));
  inputs_.project.image.labels["org.opencontainers.image.source"] = "https://forge.example/of-the-owner";
  EXPECT_THAT(labels(), HasSubstr("of-the-owner"));
  EXPECT_THAT(labels(), Not(HasSubstr("of-the-project")));
}

TEST_F(ImageLabelsTest, OnlyARegistrysBaseHasAName) {
  inputs_.project.base = python::parse_base_choice("debian:bookworm");
  EXPECT_THAT(labels(), Not(HasSubstr("image.base.")));
  inputs_.project.base = python::parse_base_choice("registry:registry.example/team/base");
  inputs_.base.image.manifest = ManifestDigest{sha256("manifest")};
  EXPECT_THAT(labels(), HasSubstr(R"("org.opencontainers.image.base.digest":"sha256:)" + sha256("manifest").hex() +
                                  R"(","org.opencontainers.image.base.name":"registry.example/team/base:latest")"));
  inputs_.base.image.index = ManifestDigest{sha256("index")};
  EXPECT_THAT(labels(), HasSubstr(sha256("index").hex()));
}

TEST_F(ImageLabelsTest, FilesOfTheLock) {
  python::SelectedPackage wheel;
  wheel.name = "rich";
  wheel.hash = FileHash{sha256("rich")};
  python::SelectedPackage source = wheel;
  source.name = "docopt";
  source.kind = python::PackageKind::sdist;
  python::SelectedPackage git;
  git.name = "of-git";
  git.kind = python::PackageKind::git;
  inputs_.selection.packages = {source, git, wheel};
  inputs_.base.interpreter = base::Interpreter{"3.12.15", "https://ada:s3cret@files.example/p", FileHash{sha256("p")}};
  const std::string text = labels();
  EXPECT_THAT(text, HasSubstr("docopt:source:" + encode_base64_url(sha256("rich").bytes) + " of-git: "));
  EXPECT_THAT(text, HasSubstr(" rich:" + encode_base64_url(sha256("rich").bytes)));
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace veneer::build
