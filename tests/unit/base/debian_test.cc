// Makes a real Debian base: needs mmdebstrap, root or user namespaces, and a Debian mirror.
#include "base/debian.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "tests/support/needs.hh"

namespace veneer::base {
namespace {

using testing::HasSubstr;

DebianRequest request_for(const std::string& suite) {
  DebianRequest request;
  request.archive.suite = suite;
  request.temporary = std::filesystem::temp_directory_path();
  return request;
}

TEST(DebianKeys, HoldWhatDecidesTheLayersAndNothingElse) {
  const DebianRequest plain = request_for("bookworm");
  const DiffId root{sha256("root")};
  DebianRequest other = plain;
  other.archive.mirror = "http://mirror.example/debian";
  other.temporary = "/elsewhere";
  EXPECT_EQ(debian_root_key(other), debian_root_key(plain));
  EXPECT_EQ(debian_packages_key(other, root), debian_packages_key(plain, root));
  other = plain;
  other.packages = {"tzdata", "python3", "tzdata"};
  EXPECT_EQ(debian_root_key(other), debian_root_key(plain));
  EXPECT_NE(debian_packages_key(other, root), debian_packages_key(plain, root));
  EXPECT_NE(debian_packages_key(plain, DiffId{sha256("another")}), debian_packages_key(plain, root));
  other = plain;
  other.archive.snapshot = "20260101T000000Z";
  EXPECT_NE(debian_root_key(other), debian_root_key(plain));
  EXPECT_NE(debian_root_key(request_for("trixie")), debian_root_key(plain));
}

TEST(DebianPackages, HavePythonUnlessItIsLeftOut) {
  DebianRequest request = request_for("trixie");
  request.packages = {"tzdata", "curl", "tzdata"};
  EXPECT_THAT(debian_packages(request), testing::ElementsAre("ca-certificates", "curl", "python3", "tzdata"));
  request.python = DebianRequest::Python::left_out;
  EXPECT_THAT(debian_packages(request), testing::ElementsAre("ca-certificates", "curl", "tzdata"));
}

class DebianBaseTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PATH");
    VENEER_NEEDS(find_program("mmdebstrap", path != nullptr ? path : ""), "mmdebstrap is missing");
    cache_ = std::make_shared<image::LayerCache>(folder_.path());
  }
  std::string refusal(const DebianRequest& request) {
    try {
      make_debian_base(request, cache_);
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return "no error";
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "debian-test"};
  std::shared_ptr<image::LayerCache> cache_;
};

TEST_F(DebianBaseTest, RefusesASnapshotWithoutItsService) {
  DebianRequest request = request_for("bookworm");
  request.archive.snapshot = "20260101T000000Z";
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("snapshot"), HasSubstr("mirror")));
}

TEST_F(DebianBaseTest, SaysThatTheMirrorIsNotThere) {
  DebianRequest request = request_for("bookworm");
  request.archive.mirror = "http://127.0.0.1:1/debian";
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("making the base debian:bookworm"), HasSubstr("mmdebstrap failed")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "layers"));
}

TEST_F(DebianBaseTest, MakesTwoLayersOnce) {
  DebianRequest request = request_for("bookworm");
  request.packages = {"media-types"};
  EXPECT_FALSE(has_debian_base(request, *cache_));
  const Base base = make_debian_base(request, cache_);
  EXPECT_TRUE(has_debian_base(request, *cache_));
  ASSERT_EQ(base.layers.size(), 2u);
  EXPECT_THAT(base.packages, testing::Contains(testing::StartsWith("python3 3.11")));
  EXPECT_EQ(base.tree.entries().at("usr/bin/python3.11").layer, 1u);
  EXPECT_EQ(base.tree.entries().at("usr/bin/dpkg").layer, 0u);
  EXPECT_EQ(base.tree.find("bin")->link_target, "usr/bin");
  EXPECT_TRUE(base.tree.contains("etc/mime.types"));
  ASSERT_TRUE(base.tree.contains("etc/ssl/certs/ca-certificates.crt"));
  EXPECT_GT(base.tree.find("etc/ssl/certs/ca-certificates.crt")->content->size(), 100'000u);
  EXPECT_FALSE(base.tree.contains("usr/bin/perl5.36-x86_64-linux-gnu")) << "usrmerge brought all of Perl along";
  // Python's own modules start fast: their byte code is there and bound to no time.
  const tree::Inode* cached = base.tree.find("usr/lib/python3.11/__pycache__/os.cpython-311.pyc");
  ASSERT_NE(cached, nullptr);
  const Bytes start = read_all(*cached->content->open(), 1 << 20);
  EXPECT_EQ(load_little_endian<std::uint32_t>(start.data() + 4), 1u);
  for (const auto& [path, entry] : base.tree.entries()) {
    EXPECT_EQ(entry.inode->mtime, 315532800) << path;
    EXPECT_FALSE(path.starts_with("var/log/") && entry.inode->type == archive::EntryType::file) << path;
  }
  // A second request, from another list of packages, stands on the same first layer.
  const Base again = make_debian_base(request, cache_, [](const std::string& line) { ADD_FAILURE() << line; });
  EXPECT_EQ(again.layers[1].diff_id, base.layers[1].diff_id);

  DebianRequest missing = request;
  missing.packages = {"no-such-package-here"};
  EXPECT_THAT(refusal(missing), AllOf(HasSubstr("no-such-package-here"), HasSubstr("[tool.veneer.system]")));
}

}  // namespace
}  // namespace veneer::base
