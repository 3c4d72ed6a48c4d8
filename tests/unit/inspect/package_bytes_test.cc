#include "inspect/package_bytes.hh"

#include <gmock/gmock.h>

#include <numeric>

#include "foundation/json.hh"
#include "inspect/layer_contents.hh"
#include "inspect/merged_tree.hh"
#include "tests/support/tar_builder.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::inspect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::image_of;
using tests::MemoryBlobs;

TEST(PackageBytesTest, Lists) {
  EXPECT_EQ(listed_package("var/lib/dpkg/info/libc6:amd64.list"), "libc6");
  EXPECT_EQ(listed_package("var/lib/dpkg/info/tzdata.list"), "tzdata");
  for (const char* path : {"", "var/lib/dpkg/info/tzdata.md5sums", "x/var/lib/dpkg/info/tzdata.list", ".list"}) {
    EXPECT_EQ(listed_package(path), "") << path;
  }
}

TEST(PackageBytesTest, EveryByteOfALayerHasARow) {
  MemoryBlobs blobs;
  const std::string below = tests::TarBuilder().symlink("lib", "usr/lib").folder("usr").folder("usr/lib").finish();
  const Hash hash = sha256(below);
  blobs.add({hash}, Bytes(as_bytes(below).begin(), as_bytes(below).end()));
  const image::Layer links{DiffId{hash}, image::Encoding::tar, BlobDigest{hash}, below.size()};
  const image::Layer system =
      blobs.add_layer({{"etc/made-by-a-script", "12345"},
                       {"usr/lib/libc.so.6", std::string(1000, 'x')},
                       {"usr/share/__pycache__/zone.cpython-311.pyc", std::string(7, 'x')},
                       {"usr/share/zone.py", std::string(300, 'x')},
                       {"var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/libc.so.6\n/a/../b\n"},
                       {"var/lib/dpkg/info/tzdata.list", "/usr/share/zone.py\n/usr/share/left-out\n"},
                       {"var/lib/dpkg/status", "status"}});
  // What replaces a file of a package is that package's, too.
  const image::Layer update = blobs.add_layer({{"usr/lib/libc.so.6", std::string(1001, 'x')}});
  const image::Layer application = blobs.add_layer({{"app/main.py", "print()"}});
  const image::Image image = image_of({links, system, update, application});
  const MergedTree merged = merge_layers(image, blobs);
  EXPECT_THAT(merged.layers[1].packages, ElementsAre(PackageBytes{"libc6", 1, 1000}, PackageBytes{"tzdata", 2, 307},
                                                     PackageBytes{"dpkg", 3, 76}, PackageBytes{"", 1, 5}));
  for (const LayerFacts& layer : merged.layers) {
    const auto add = [](std::uint64_t sum, const PackageBytes& row) { return sum + row.bytes; };
    const std::uint64_t sum = std::accumulate(layer.packages.begin(), layer.packages.end(), std::uint64_t{0}, add);
    if (!layer.packages.empty()) {
      EXPECT_EQ(sum, layer.counts.file_bytes);
    }
  }
  EXPECT_THAT(merged.layers[2].packages, ElementsAre(PackageBytes{"libc6", 1, 1001}));
  EXPECT_THAT(merged.layers[3].packages, IsEmpty());
  const auto summaries = summarize_layers(image, &merged);
  EXPECT_THAT(summary_to_text(summaries),
              HasSubstr("packages: libc6 1.0 kB, tzdata 307 B, dpkg 76 B, no package 5 B\n"));
  const Value json = parse_json(summary_to_json(image::seal(image), summaries));
  const Value& rows = json.at("layers").array()[1].at("contents").at("packages");
  EXPECT_EQ(rows.array()[0].at("package").string(), "libc6");
  EXPECT_TRUE(rows.array()[3].at("package").is_null());
}

}  // namespace
}  // namespace veneer::inspect
