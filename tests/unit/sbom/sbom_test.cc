// From layers to a document.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/json.hh"
#include "sbom/contents.hh"
#include "sbom/spdx.hh"
#include "tests/support/errors.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::sbom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::MemoryBlobs;
using tests::refuses;

constexpr std::string_view status =
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2.36-9+deb12u1\n"
    "Description: a library\n Package: not-this-one\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
    "Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2024a-0+deb12u1\n";
constexpr std::string_view release =
    "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

std::string metadata(const std::string& name, const std::string& version, const std::string& more = {}) {
  return "Metadata-Version: 2.4\nName: " + name + "\nVersion: " + version + "\n" + more + "\nA description\nName: no\n";
}

class SbomTest : public testing::Test {
 protected:
  void add(const std::vector<std::pair<std::string, std::string>>& files, const std::string& made_by = {}) {
    layers_.push_back(blobs_.add_layer(files));
    Value entry;
    entry.set("created_by", made_by);
    history_.push_back(std::move(entry));
  }

  image::SealedImage image(const Value& labels = Value::Table{}) const {
    image::Image image = tests::image_of(layers_);
    image.config.history = history_;
    image.config.run.set("Env", Value::Array{"VIRTUAL_ENV=/app/.venv"});
    image.config.run.set("Labels", labels);
    return image::seal(std::move(image));
  }

  ImageContents contents(const Value& labels = Value::Table{}) const {
    return read_contents(image(labels).image, blobs_);
  }

  std::string document(const Value& labels = Value::Table{}) const {
    return spdx_document(image(labels), contents(labels), "9.9");
  }

  MemoryBlobs blobs_;
  std::vector<image::Layer> layers_;
  std::vector<Value> history_;
};

std::vector<std::string> names(const ImageContents& contents) {
  std::vector<std::string> result;
  for (const auto& package : contents.debian) result.push_back(debian_url(package, contents.release));
  for (const auto& distribution : contents.python) result.push_back(python_url(distribution));
  return result;
}

TEST_F(SbomTest, WhatIsInstalled) {
  add({{"etc/os-release", std::string(release)},
       {"usr/lib/python3/dist-packages/debians.egg-info/PKG-INFO", metadata("debians", "1")},
       {"usr/local/lib/python3.11/dist-packages/local-2.dist-info/METADATA", metadata("local", "2")},
       {"var/lib/dpkg/status", std::string(status)}});
  const std::string place = "app/.venv/lib/python3.11/site-packages/";
  add({{place + "Rich-13.9.4.dist-info/METADATA", metadata("Rich", "13.9.4", "License-Expression: mit\n")},
       {place + "rich/_vendor/other-1.dist-info/METADATA", metadata("other", "1")},
       {place + "old.egg-info", metadata("old", "1!2.0+local.1")}},
      "veneer: distribution rich 13.9.4");
  add({{place + "shop-1.0.dist-info/METADATA", metadata("shop", "1.0")}}, "veneer: application shop");
  image::InstalledFiles files;
  files.distributions["rich"] = {image::InstalledFile::Kind::wheel, sha256("rich")};
  files.distributions["local"] = {image::InstalledFile::Kind::wheel, sha256("of the environment, not of the system")};
  Value labels;
  labels.set(image::files_label, image::write_files_label(files));
  const ImageContents found = contents(labels);
  EXPECT_THAT(names(found),
              ElementsAre("pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12",
                          "pkg:deb/debian/tzdata@1:2024a-0%2Bdeb12u1?arch=all&distro=debian-12", "pkg:pypi/local@2",
                          "pkg:pypi/old@1%212.0%2Blocal.1", "pkg:pypi/rich@13.9.4", "pkg:pypi/shop@1.0"));
  EXPECT_EQ(found.python[2].licence->expression, "MIT");
  EXPECT_EQ(found.python[2].file->sha256, sha256("rich"));
  EXPECT_FALSE(found.python[0].file || found.python[1].licence);
  EXPECT_TRUE(found.python[3].is_project);
  EXPECT_THAT(found.notes, IsEmpty());
  EXPECT_EQ(document(labels), document(labels));
}

TEST_F(SbomTest, WhatIsHiddenIsNotThere) {
  add({{"a/site-packages/x-1.dist-info/METADATA", metadata("x", "1")}, {"var/lib/dpkg/status", std::string(status)}});
  add({{"a/site-packages/.wh.x-1.dist-info", ""},
       {"a/site-packages/x-2.dist-info/METADATA", metadata("x", "2")},
       {"var/lib/dpkg/status", ""}});
  EXPECT_THAT(names(contents()), ElementsAre("pkg:pypi/x@2"));
}

TEST_F(SbomTest, ADatabaseOfOneFileAPackage) {
  add({{"var/lib/dpkg/status.d/base", "Package: base-files\nArchitecture: amd64\nVersion: 12\n"},
       {"var/lib/dpkg/status.d/base.md5sums", "Package: no\nArchitecture: all\nVersion: 1\n"}});
  EXPECT_THAT(names(contents()), ElementsAre("pkg:deb/debian/base-files@12?arch=amd64"));
}

TEST_F(SbomTest, WhatIsNotReadIsSaid) {
  add({{"lib/apk/db/installed", "P:musl"},
       {"s/site-packages/a.dist-info/METADATA", "no metadata"},
       {"s/site-packages/b.dist-info/METADATA", metadata("b\"}", "1")},
       {"s/site-packages/c.dist-info/METADATA", metadata("c", "1\x01")},
       {"s/site-packages/d.dist-info/METADATA", metadata("d", std::string(500, '1'))},
       {"var/lib/dpkg/status",
        "Package: a b\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
        "Package: a\nStatus: install ok installed\nVersion: \xff\nArchitecture: all\n\n"
        "Package: a\nStatus: install ok installed\nArchitecture: all\n"}});
  const ImageContents found = contents();
  EXPECT_THAT(names(found), IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre("7 packages whose metadata do not name them properly are left out",
                                       "packages of apk are not listed"));
}

TEST_F(SbomTest, MetadataWithoutEndIsReadAtItsStart) {
  add({{"s/site-packages/a-1.dist-info/METADATA", metadata("a", "1") + std::string(1 << 20, 'x')}});
  EXPECT_THAT(names(contents()), ElementsAre("pkg:pypi/a@1"));
}

TEST_F(SbomTest, WhatNoImageHasIsRefused) {
  std::string many;
  for (std::size_t i = 0; i <= most_packages; ++i) {
    many += "Package: p" + std::to_string(i) + "\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";
  }
  add({{"var/lib/dpkg/status", many}});
  EXPECT_THAT([&] { contents(); }, refuses("more than 20000 packages"));
  layers_.clear();
  history_.clear();
  add({{"var/lib/dpkg/status", std::string((32 << 20) + 1, '\n')}});
  EXPECT_THAT([&] { contents(); }, refuses("var/lib/dpkg/status has more than"));
}

TEST_F(SbomTest, TheDocument) {
  add({{"etc/os-release", std::string(release)}, {"var/lib/dpkg/status", std::string(status)}});
  add({{"s/site-packages/a-1.dist-info/METADATA", metadata("a", "1", "License-Expression: LicenseRef-Ours\n")}});
  image::InstalledFiles files;
  files.interpreter = image::InstalledInterpreter{"3.12.15", "https://files.example/p.tar.gz", sha256("c")};
  Value labels;
  labels.set("org.opencontainers.image.title", "shop");
  labels.set("org.opencontainers.image.licenses", "MIT");
  labels.set(image::files_label, image::write_files_label(files));
  const std::string text = document(labels);
  const Value read = parse_json(text);
  EXPECT_EQ(read.at("name").string(), "shop");
  EXPECT_EQ(read.at("creationInfo").at("created").string(), "2024-05-01T10:00:00Z");
  EXPECT_EQ(read.at("creationInfo").at("creators").array()[0].string(), "Tool: veneer-9.9");
  std::vector<std::string> ids;
  for (const Value& package : read.at("packages").array()) ids.push_back(package.at("SPDXID").string());
  EXPECT_THAT(ids, ElementsAre("SPDXRef-image", "SPDXRef-pypi-a-1", "SPDXRef-python-3.12.15", "SPDXRef-os-debian",
                               "SPDXRef-deb-libc6-amd64-2.36-9-deb12u1", "SPDXRef-deb-tzdata-all-1-2024a-0-deb12u1"));
  const Value& image_package = read.at("packages").array()[0];
  EXPECT_EQ(image_package.at("checksums").array()[0].at("checksumValue").string(), image(labels).config_digest.hex());
  EXPECT_EQ(image_package.at("licenseDeclared").string(), "MIT");
  EXPECT_EQ(read.at("packages").array()[2].at("downloadLocation").string(), "https://files.example/p.tar.gz");
  EXPECT_EQ(read.at("hasExtractedLicensingInfos").array()[0].at("licenseId").string(), "LicenseRef-Ours");
  EXPECT_EQ(read.at("relationships").array().size(), ids.size());
  // Another content is another document.
  add({{"s/site-packages/b-1.dist-info/METADATA", metadata("b", "1")}});
  EXPECT_NE(parse_json(document(labels)).at("documentNamespace"), read.at("documentNamespace"));
}

TEST(SpdxTimeTest, InUtcAndWholeSeconds) {
  EXPECT_EQ(spdx_time("2024-05-01T10:00:00Z"), "2024-05-01T10:00:00Z");
  EXPECT_EQ(spdx_time("2024-05-01T10:00:00.123456789Z"), "2024-05-01T10:00:00Z");
  EXPECT_EQ(spdx_time("2024-01-01T00:30:00+02:00"), "2023-12-31T22:30:00Z");
  EXPECT_EQ(spdx_time("2024-01-01T00:30:00.5-01:30"), "2024-01-01T02:00:00Z");
  for (const char* text : {"", "yesterday", "2024-13-01T10:00:00Z", "2024-02-30T10:00:00Z", "2024-05-01T24:00:00Z",
                           "2024-05-01T10:00:00", "2024-05-01T10:00:00+2", "0000-01-01T00:00:00+23:00"}) {
    EXPECT_EQ(spdx_time(text), "1970-01-01T00:00:00Z") << text;
  }
}

}  // namespace
}  // namespace veneer::sbom
