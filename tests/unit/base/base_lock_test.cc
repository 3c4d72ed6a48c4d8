#include "base/base_lock.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/layer_variants.hh"
#include "foundation/error.hh"
#include "foundation/temporary.hh"

namespace veneer::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string hash_a(64, 'a');
const std::string hash_b(64, 'b');

std::string package_row(std::string_view name, std::string_view version, std::string_view hash) {
  return fmt::format("    {{ name = \"{}\", version = \"{}\", architecture = \"amd64\", sha256 = \"{}\" }},\n", name,
                     version, hash);
}

/// Line 1 is a comment, the table begins on line 4, its packages on line 11.
std::string lock_text(const std::string& packages) {
  return "# What images stand on, pinned. Written by veneer and to be committed; 'veneer base update' makes it anew.\n"
         "version = 1\n\n[[base]]\nname = \"debian:bookworm\"\nplatform = \"linux/amd64\"\nkind = \"debian\"\n"
         "target = { interpreter = \"/usr/bin/python3.11\", python = \"3.11.2\", libc = \"glibc-2.36\", "
         "machine = \"x86_64\" }\n"
         "folders = [\n    \"app 755 0 0 315532800\",\n]\npackages = [\n" +
         packages + "]\n";
}

std::string refusal(const std::string& text) {
  try {
    parse_base_lock(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_NE(error.hint(), "");
    return error.what();
  }
  return "nothing was refused";
}

LockedBase some_base() {
  LockedBase base;
  base.name = "debian:trixie";
  base.platform = "linux/arm64";
  base.snapshot = "20260101T000000Z";
  base.interpreter = Interpreter{"3.12.15", "https://example.org/cpython.tar.gz", {*Hash::from_hex(hash_a)}};
  base.target = {
      "/usr/local/bin/python3.12", "3.12.15", "glibc-2.41", "aarch64", {"app 755 0 0 1", "a \"b\\ 755 0 0 1"}};
  base.packages = {{"zlib1g", "1:1.3", "arm64", Hash::from_hex(hash_b)}, {"adduser", "3.152", "all", std::nullopt}};
  base.build_packages = {{"gcc", "4:14", "arm64", Hash::from_hex(hash_a)}};
  return base;
}

TEST(BaseLockText, IsTheSameAgain) {
  const std::string text =
      lock_text(package_row("adduser", "3.134", hash_a) + package_row("libc6", "2.36-9+deb12u14", hash_b));
  EXPECT_EQ(write_base_lock(parse_base_lock(text)), text);
}

TEST(BaseLockText, HoldsEachKind) {
  BaseLock lock;
  lock.set(some_base());
  LockedBase image = some_base();
  image.name = "oci:my base:v1";
  image.kind = LockedBase::Kind::image;
  image.snapshot.clear();
  image.interpreter.reset();
  image.image.config = ConfigDigest{*Hash::from_hex(hash_a)};
  image.packages.clear();
  lock.set(image);
  image.name = "python:3.13-slim";
  image.kind = LockedBase::Kind::registry;
  image.image.index = ManifestDigest{*Hash::from_hex(hash_a)};
  image.image.manifest = ManifestDigest{*Hash::from_hex(hash_b)};
  image.pythons = {{"/usr/local/bin/python3", "/usr/local/bin/python3.13", "3.13.1", "glibc-2.36", "x86_64"}};
  image.files = {{"usr", "folder 755 0 0 1"}, {"etc/passwd", "file 644 0 0 1 8", "a:\"\\\n\tb\n"}};
  lock.set(image);
  const std::string text = write_base_lock(lock);
  const BaseLock read = parse_base_lock(text);
  EXPECT_EQ(write_base_lock(read), text);
  ASSERT_EQ(read.bases.size(), 3u);
  const LockedBase& debian = *read.find("debian:trixie", "linux/arm64");
  EXPECT_EQ(debian.packages[0].name, "adduser");  // sorted
  EXPECT_EQ(debian.interpreter, some_base().interpreter);
  EXPECT_EQ(debian.target, some_base().target);
  EXPECT_EQ(debian.build_packages, some_base().build_packages);
  EXPECT_EQ(read.find("python:3.13-slim", "linux/arm64")->image, image.image);
  EXPECT_EQ(read.find("python:3.13-slim", "linux/amd64"), nullptr);
  const LockedBase& found = *read.find("python:3.13-slim", "linux/arm64");
  EXPECT_EQ(found.pythons, image.pythons);
  EXPECT_THAT(found.files, ElementsAre(image.files[1], image.files[0]));  // sorted
}

TEST(BaseLockText, OnePlatformReplacesNoOther) {
  BaseLock lock;
  LockedBase base = some_base();
  lock.set(base);
  base.platform = "linux/amd64";
  lock.set(base);
  base.packages.clear();
  lock.set(base);
  ASSERT_EQ(lock.bases.size(), 2u);
  EXPECT_EQ(lock.bases[0].platform, "linux/amd64");
  EXPECT_TRUE(lock.bases[0].packages.empty());
  EXPECT_FALSE(lock.bases[1].packages.empty());
}

TEST(BaseLockText, MayBeOutOfOrderAndCommented) {
  const BaseLock lock = parse_base_lock(
      lock_text(package_row("zlib1g", "1", hash_a) + "\r\n  # by hand\n" + package_row("adduser", "2", hash_b)));
  EXPECT_EQ(lock.bases[0].packages[0].name, "adduser");
  EXPECT_EQ(lock.bases[0].packages[0].line, 16u);
}

TEST(BaseLockText, IsRefusedByLine) {
  const std::string row = package_row("libc6", "2.36", hash_a);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {lock_text("<<<<<<< HEAD\n" + row + "=======\n" + row + ">>>>>>> other\n"),
       "line 13: a merge conflict: <<<<<<< HEAD"},
      {lock_text(row + package_row("libc6", "2.37", hash_a)), "line 14: the package libc6 is there twice"},
      {lock_text(package_row("libc6", "2.36", "abc")), "line 13: 'abc' is no SHA-256"},
      {lock_text(package_row("libc6", "2.36\\\" x", hash_a)), "line 13: '2.36\" x' is no version of a Debian package"},
      {lock_text("    { name = \"libc6\" },\n"), "line 13: 'version' is missing"},
      {lock_text("    { name = \"a\", name = \"b\" },\n"), "line 13: a key is there twice"},
      {lock_text("    { nome = \"libc6\", name = \"a\", version = \"1\", architecture = \"all\" },\n"),
       "line 13: 'nome' is not known"},
      {lock_text("    \"libc6\",\n"), "line 13: '{' is expected here"},
      {lock_text(row).substr(0, lock_text(row).size() - 2), "line 13: an array does not end"},
      {lock_text(row) + "kind = \"debian\"\n", "line 15: 'kind' is there twice"},
      {lock_text(row) + "mood = \"good\"\n", "line 4: 'mood' is not known"},
      {lock_text(row) + lock_text(row).substr(lock_text(row).find("[[base]]")),
       "line 15: debian:bookworm for linux/amd64 is there twice"},
      {lock_text(row) + "files = [\n    { path = \"a\", is = \"strange\" },\n]\n",
       "line 16: 'strange' is no kind of file"},
      {lock_text(row) +
           "files = [\n    { path = \"a\", is = \"absent\" },\n    { path = \"a\", is = \"absent\" },\n]\n",
       "line 4: the file a is there twice"},
      {lock_text(row) + std::string("\0", 1) + "\n", "line 15: it has a control character"},
      {"version = 2\n", "line 1: it is of a version that this veneer does not know"},
      {"[[base]]\n", "line 1: the version is expected first"},
      {"", "it names no version"},
  };
  for (const auto& [text, message] : cases) EXPECT_THAT(refusal(text), HasSubstr(message));
  std::string image = lock_text("");
  image.replace(image.find("\"debian\""), 8, "\"registry\"\nimage = { config = \"sha256:" + hash_a + "\" }");
  EXPECT_THAT(refusal(image), HasSubstr("line 4: 'image' lacks its digest"));
  image.replace(image.find("sha256:"), 7, "sha512:");
  EXPECT_THAT(refusal(image), HasSubstr("line 8: "));
}

TEST(BaseLockText, CannotHoldControlCharacters) {
  BaseLock lock;
  lock.bases.push_back(some_base());
  lock.bases[0].name = "oci:a\nb";
  EXPECT_THROW(write_base_lock(lock), Error);
}

std::vector<InstalledPackage> installed(const std::string& version, const std::string& hash = hash_a) {
  return {{"libc6", version, "amd64", 1024, Hash::from_hex(hash)}, {"tzdata", "1", "all", 1024, std::nullopt}};
}

std::vector<LockedPackage> pins(const std::string& version, const std::string& hash = hash_a) {
  return {{"libc6", version, "amd64", Hash::from_hex(hash), 7}, {"unrelated", "9", "amd64", std::nullopt, 8}};
}

TEST(PinnedPackages, ContradictAnotherVersionOrHash) {
  EXPECT_FALSE(contradicts(pins("1"), installed("1")));
  EXPECT_FALSE(contradicts({}, installed("1")));
  EXPECT_TRUE(contradicts(pins("1"), installed("2")));
  EXPECT_TRUE(contradicts(pins("1"), installed("1", hash_b)));
  check_hashes(pins("1"), installed("2", hash_b));
  try {
    check_hashes(pins("1"), installed("1", hash_b));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.what(),
                HasSubstr("line 7 of veneer.lock: libc6 1 has SHA-256 " + hash_a + ", in the archive " + hash_b));
  }
}

class PinnedLayers : public testing::Test {
 protected:
  LayerVariant store(const std::vector<LockedPackage>& wanted, const std::string& version,
                     LayerVariants::Replace replace = LayerVariants::Replace::no) {
    ++made_;
    return variants_.store(
        wanted, installed(version),
        [&](ByteSink& blob) {
          blob.write(as_bytes(version));
          return archive::WrittenLayer{
              {sha256("tar of " + version)}, version.size(), {sha256(version)}, version.size()};
        },
        replace);
  }
  std::string found(const std::vector<LockedPackage>& wanted) const {
    const auto variant = variants_.find(wanted);
    return variant ? variant->packages[0].version : "";
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "pinned"};
  image::LayerCache cache_{folder_.path() / "cache"};
  LayerVariants variants_{cache_, {sha256("request")}};
  int made_ = 0;
};

TEST_F(PinnedLayers, AreFoundByWhatIsPinned) {
  EXPECT_EQ(found({}), "");
  store({}, "1");
  EXPECT_EQ(found({}), "1");
  EXPECT_EQ(found(pins("1")), "1");
  EXPECT_EQ(found(pins("2")), "");
  // What another lock pins does not change what is taken without one.
  store(pins("2"), "2");
  EXPECT_EQ(found({}), "1");
  EXPECT_EQ(found(pins("2")), "2");
  EXPECT_EQ(found(pins("2", hash_b)), "");
  // Security updates come by being asked for; who has pinned the old version finds it still.
  store({}, "3", LayerVariants::Replace::yes);
  EXPECT_EQ(found({}), "3");
  EXPECT_EQ(found(pins("1")), "1");
}

TEST_F(PinnedLayers, AreNotMadeAgainWhereThePinIsGone) {
  store({}, "3");
  EXPECT_EQ(found(pins("1")), "");
  store(pins("1"), "3");  // the archive has nothing older
  EXPECT_EQ(found(pins("1")), "3");
}

}  // namespace
}  // namespace veneer::base
