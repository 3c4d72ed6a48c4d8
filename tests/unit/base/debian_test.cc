// Makes a real Debian base: needs mmdebstrap, root or user namespaces, and a Debian mirror.
#include "base/debian.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <set>

#include "base/normalise.hh"
#include "base/system_packages.hh"
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
  EXPECT_NE(debian_packages_key(plain, DiffId{sha256("another")}), debian_packages_key(plain, root));
  other = plain;
  other.archive.snapshot = "20260101T000000Z";
  EXPECT_NE(debian_root_key(other), debian_root_key(plain));
  EXPECT_NE(debian_root_key(request_for("trixie")), debian_root_key(plain));
  other = plain;
  other.archive.options = {"APT::Default-Release \"stable\""};
  EXPECT_NE(debian_root_key(other), debian_root_key(plain));
  EXPECT_NE(debian_packages_key(other, root), debian_packages_key(plain, root));
}

TEST(DebianPackages, HavePythonUnlessItIsLeftOut) {
  DebianRequest request = request_for("trixie");
  EXPECT_THAT(debian_packages(request), testing::ElementsAre("ca-certificates", "netbase", "python3", "tzdata"));
  request.python = DebianRequest::Python::left_out;
  EXPECT_THAT(debian_packages(request), testing::ElementsAre("ca-certificates", "netbase", "tzdata"));
}

TEST(DebianSources, AreDebiansOwnUnlessThereIsAMirror) {
  DebianArchive archive;
  archive.suite = "trixie";
  EXPECT_THAT(source_lines(archive),
              testing::ElementsAre("deb http://deb.debian.org/debian trixie main",
                                   "deb http://deb.debian.org/debian trixie-updates main",
                                   "deb http://deb.debian.org/debian-security trixie-security main"));
  archive.mirror = "https://mirror.example/debian/";
  EXPECT_THAT(source_lines(archive), testing::ElementsAre("deb https://mirror.example/debian trixie main",
                                                          "deb https://mirror.example/debian trixie-updates main"));
  archive.snapshot = "20260101T000000Z";
  EXPECT_THAT(source_lines(archive),
              testing::ElementsAre(
                  "deb https://mirror.example/debian/archive/debian/20260101T000000Z trixie main",
                  "deb https://mirror.example/debian/archive/debian/20260101T000000Z trixie-updates main",
                  "deb https://mirror.example/debian/archive/debian-security/20260101T000000Z trixie-security main"));
}

class DebianBaseTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PATH");
    VENEER_NEEDS(find_program("mmdebstrap", path != nullptr ? path : ""), "mmdebstrap is missing");
    cache_ = std::make_shared<image::LayerCache>(folder_.path());
  }
  std::string refusal(const DebianRequest& request) {
    return refusal([&] { make_debian_base(request, cache_); });
  }
  static std::string refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return "no error";
  }

  static std::vector<DiffId> base_layers(const Base& base, std::size_t count) {
    std::vector<DiffId> result;
    for (std::size_t i = 0; i < count; ++i) result.push_back(base.layers[i].diff_id);
    return result;
  }
  void add_to(const Base& base);

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

// A frozen copy of an archive has a way out, which is named.
TEST_F(DebianBaseTest, SaysHowAnExpiredArchiveIsTaken) {
  const TemporaryFolder archive(std::filesystem::temp_directory_path(), "archive");
  for (const std::string suite : {"bookworm", "bookworm-updates"}) {
    const std::filesystem::path folder = archive.path() / "dists" / suite;
    make_folders(folder / "main" / "binary-amd64");
    write_text_file(folder / "main" / "binary-amd64" / "Packages", "");
    write_text_file(folder / "Release",
                    "Suite: " + suite + "\nCodename: " + suite +
                        "\nComponents: main\nArchitectures: amd64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
                        "Valid-Until: Thu, 08 Jan 2026 00:00:00 UTC\nSHA256:\n " +
                        sha256("").hex() + " 0 main/binary-amd64/Packages\n");
  }
  std::filesystem::permissions(archive.path(), std::filesystem::perms(0755));
  DebianRequest request = request_for("bookworm");
  request.archive.mirror = "file://" + archive.path().native();
  request.archive.options = {"Acquire::AllowInsecureRepositories \"true\""};
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("is expired (invalid since"), HasSubstr("[tool.veneer.system]"),
                                      HasSubstr("apt_options = ['Acquire::Check-Valid-Until \"false\"']")));
  request.archive.options.emplace_back("Acquire::Check-Valid-Until \"false\"");
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("mmdebstrap failed"), testing::Not(HasSubstr("expired"))));
}

TEST_F(DebianBaseTest, MakesTwoLayersOnce) {
  DebianRequest request = request_for("bookworm");
  EXPECT_FALSE(has_debian_base(request, *cache_));
  const Base base = make_debian_base(request, cache_);
  EXPECT_TRUE(has_debian_base(request, *cache_));
  ASSERT_EQ(base.layers.size(), 2u);
  EXPECT_THAT(base.packages, testing::Contains(testing::Field(&InstalledPackage::name, "python3")));
  for (const InstalledPackage& package : base.packages) EXPECT_TRUE(package.sha256) << package.name;
  EXPECT_EQ(base.tree().entries().at("usr/bin/python3.11").layer, 1u);
  EXPECT_EQ(base.tree().entries().at("usr/bin/dpkg").layer, 0u);
  EXPECT_EQ(base.tree().find("bin")->link_target, "usr/bin");
  EXPECT_TRUE(base.tree().contains("etc/mime.types"));
  EXPECT_TRUE(base.tree().contains("etc/protocols"));
  EXPECT_TRUE(base.tree().contains("usr/share/zoneinfo/Europe/Berlin"));
  EXPECT_EQ(base.tree().find("tmp")->mode, 01777u);
  ASSERT_TRUE(base.tree().contains("etc/ssl/certs/ca-certificates.crt"));
  EXPECT_GT(base.tree().find("etc/ssl/certs/ca-certificates.crt")->content->size(), 100'000u);
  EXPECT_FALSE(base.tree().contains("usr/bin/perl5.36-x86_64-linux-gnu")) << "usrmerge brought all of Perl along";
  // Python's own modules start fast: their byte code is there and bound to no time.
  const tree::Inode* cached = base.tree().find("usr/lib/python3.11/__pycache__/os.cpython-311.pyc");
  ASSERT_NE(cached, nullptr);
  const Bytes start = read_all(*cached->content->open(), 1 << 20);
  EXPECT_EQ(load_little_endian<std::uint32_t>(start.data() + 4), 1u);
  for (const auto& [path, entry] : base.tree().entries()) {
    EXPECT_EQ(entry.inode->mtime, 315532800) << path;
    EXPECT_FALSE(path.starts_with("var/log/") && entry.inode->type == archive::EntryType::file) << path;
  }
  const Base again = make_debian_base(request, cache_, [](const std::string& line) { ADD_FAILURE() << line; });
  EXPECT_EQ(again.layers[1].diff_id, base.layers[1].diff_id);
  add_to(base);
}

/// One more package is one more layer, which holds what the package brought.
void DebianBaseTest::add_to(const Base& base) {
  PackagesRequest request;
  request.packages = {"python3", "media-types", "libpq5"};
  request.temporary = std::filesystem::temp_directory_path();
  EXPECT_THAT(packages_to_add(base, request), testing::ElementsAre("libpq5"));
  EXPECT_FALSE(has_packages(base, request, *cache_));
  std::vector<std::string> said;
  const Base more = add_packages(base, request, cache_, [&](const std::string& line) { said.push_back(line); });
  EXPECT_THAT(said, testing::Contains("fetching libpq5"));
  ASSERT_EQ(more.layers.size(), 3u);
  EXPECT_EQ(base_layers(more, 2), base_layers(base, 2));
  std::set<std::string> folders;
  for (const auto& [path, entry] : more.tree().entries()) {
    if (entry.layer < 2 || entry.inode->type == archive::EntryType::folder) continue;
    EXPECT_EQ(entry.inode->mtime, fixed_time) << path;
    folders.insert(path.substr(0, path.find('/', path.starts_with("usr/") ? 4 : 0)));
    EXPECT_FALSE(path.starts_with("var/log") || path.starts_with("var/cache") || path.starts_with("tmp/")) << path;
  }
  EXPECT_THAT(folders, testing::ElementsAre("etc", "usr/lib", "usr/share", "var"));
  EXPECT_EQ(more.tree().entries().at("usr/lib/x86_64-linux-gnu/libpq.so.5").layer, 2u);
  const std::vector<InstalledPackage> added = packages_added(base.packages, more.packages);
  EXPECT_THAT(added, testing::Contains(testing::Field(&InstalledPackage::name, "libpq5")));
  for (const InstalledPackage& package : added) EXPECT_TRUE(package.sha256) << package.name;
  EXPECT_TRUE(has_packages(base, request, *cache_));
  const Base again = add_packages(base, request, cache_, [](const std::string& line) { ADD_FAILURE() << line; });
  EXPECT_EQ(again.layers[2].diff_id, more.layers[2].diff_id);

  request.packages = {"no-such-package-here"};
  EXPECT_THAT(refusal([&] { add_packages(base, request, cache_); }),
              AllOf(HasSubstr("adding no-such-package-here to debian:bookworm"), HasSubstr("[tool.veneer.system]")));
  request.packages = {"libpq5", "tzdata-legacy"};
  request.archive.mirror = "http://127.0.0.1:1/debian";
  EXPECT_THAT(refusal([&] { add_packages(base, request, cache_); }), HasSubstr("mirror in [tool.veneer.system]"));
}

}  // namespace
}  // namespace veneer::base
