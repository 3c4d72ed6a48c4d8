#include "image/media/stored_image.hh"

#include <gtest/gtest.h>

namespace veneer::image {
namespace {

std::string digest_text(char digit) { return "sha256:" + std::string(64, digit); }

Descriptor descriptor_of(const std::string& name, char digit) {
  Descriptor descriptor;
  descriptor.digest = BlobDigest::parse(digest_text(digit));
  descriptor.annotations[std::string(ref_name_annotation)] = name;
  return descriptor;
}

TEST(StoredImage, IsFoundByEveryWayToWriteItsName) {
  Index index;
  index.manifests = {
      descriptor_of("shop:1.0", 'a'),
      descriptor_of("ghcr.io/acme/demo:1.0", 'b'),
      descriptor_of("shop:1.1", 'c'),
      descriptor_of("host:5000/x:1", 'd'),
      descriptor_of("localhost/demo:1", 'e'),
      descriptor_of("team/x:latest", 'f'),
      descriptor_of("team/x:2", '1'),
      descriptor_of("docker.io/library/oci:1", '2'),
      descriptor_of("1!2.0", '3'),
      descriptor_of("no name: at all", '4'),
  };
  struct Row {
    std::string wanted;
    std::optional<std::string> found;
  };
  for (const Row& row : std::vector<Row>{
           {"shop:1.0", "shop:1.0"},
           {"docker.io/library/shop:1.0", "shop:1.0"},
           {"library/shop:1.0", "shop:1.0"},
           {"index.docker.io/shop:1.1", "shop:1.1"},
           {"shop", "shop:1.1"},  // written last
           {"shop@" + digest_text('a'), "shop:1.0"},
           {"shop:1.1@" + digest_text('a'), "shop:1.0"},  // the digest decides, as everywhere
           {"shop@" + digest_text('b'), std::nullopt},
           {"shop:latest", std::nullopt},
           {"shop:2", std::nullopt},
           {"webshop", std::nullopt},
           {"ghcr.io/acme/demo:1.0", "ghcr.io/acme/demo:1.0"},
           {"ghcr.io/acme/demo", "ghcr.io/acme/demo:1.0"},
           {"ghcr.io/acme/demo@" + digest_text('b'), "ghcr.io/acme/demo:1.0"},
           {"acme/demo:1.0", std::nullopt},
           {"demo:1.0", std::nullopt},
           {"host:5000/x", "host:5000/x:1"},
           {"host:5000/x:1", "host:5000/x:1"},
           {"host:5001/x:1", std::nullopt},
           {"localhost/demo", "localhost/demo:1"},
           {"demo:1", std::nullopt},
           {"team/x", "team/x:latest"},
           {"oci:1", "docker.io/library/oci:1"},
           {"team/x:2", "team/x:2"},
       }) {
    EXPECT_EQ(find_name(index, parse_reference(row.wanted)), row.found) << row.wanted;
  }
  EXPECT_EQ(find_name({}, parse_reference("shop")), std::nullopt);
}

}  // namespace
}  // namespace veneer::image
