#include "foundation/kept_files.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer {
namespace {

namespace fs = std::filesystem;

class KeptFilesTest : public testing::Test {
 protected:
  KeptFiles files() {
    return KeptFiles(folder_.path() / "known",
                     [&](const fs::path& path, const std::string&) { said_.push_back(path); });
  }
  void write(const fs::path& path, std::string_view text) { write_text_file(path, text); }

  TemporaryFolder folder_{fs::temp_directory_path(), "veneer-kept-test-"};
  fs::path path_ = folder_.path() / "file";
  std::vector<fs::path> said_;
};

TEST_F(KeptFilesTest, ATextComesBackOrIsDamaged) {
  const KeptFiles kept = files();
  EXPECT_EQ(kept.read_text(path_, 100), std::nullopt);
  EXPECT_TRUE(said_.empty());
  for (const std::string text : {"", "text", "two\nlines\n"}) {
    kept.write_text(path_, text);
    EXPECT_EQ(kept.read_text(path_, 100), text);
    const std::string whole = read_text_file(path_, 1000);
    for (const std::size_t i : {std::size_t{0}, whole.size() / 2, std::size_t{64}, whole.size() - 1}) {
      std::string damaged = whole;
      damaged[i] ^= 1;
      write(path_, damaged);
      EXPECT_EQ(files().read_text(path_, 100), std::nullopt) << i;
      write(path_, whole.substr(0, i));
      EXPECT_EQ(files().read_text(path_, 100), std::nullopt) << i;
    }
  }
}

TEST_F(KeptFilesTest, AFileIsReadOnceUntilItIsWrittenTo) {
  write(path_, "content");
  const Hash hash = sha256("content");
  {
    const KeptFiles kept = files();
    EXPECT_TRUE(kept.is_whole(path_, hash));
    EXPECT_TRUE(kept.is_whole(path_, hash));
    EXPECT_EQ(kept.bytes_read(), 7u);
    EXPECT_FALSE(kept.is_whole(path_, sha256("other")));
  }
  const KeptFiles later = files();
  EXPECT_TRUE(later.is_whole(path_, hash));
  EXPECT_EQ(later.bytes_read(), 0u);
  write(path_, "CONTENT");
  EXPECT_FALSE(later.is_whole(path_, hash));
  EXPECT_FALSE(later.is_whole(folder_.path() / "none", hash));
}

TEST_F(KeptFilesTest, WithoutAMemoryEveryRunReads) {
  write(path_, "content");
  for (int run = 0; run < 2; ++run) {
    const KeptFiles kept;
    EXPECT_TRUE(kept.is_whole(path_, sha256("content")));
    EXPECT_EQ(kept.bytes_read(), 7u);
  }
}

TEST_F(KeptFilesTest, DamageIsSaidOnceAndAFolderMakesRoom) {
  const KeptFiles kept = files();
  fs::create_directories(path_ / "in it");
  EXPECT_FALSE(kept.is_whole(path_, sha256("")));
  EXPECT_FALSE(fs::exists(path_));
  write(path_, "wrong");
  EXPECT_FALSE(kept.is_whole(path_, sha256("")));
  EXPECT_THAT(said_, testing::ElementsAre(path_));
  EXPECT_TRUE(kept.is_reported(path_));
}

TEST_F(KeptFilesTest, ASealedFolderIsAsItWas) {
  const fs::path root = folder_.path() / "root";
  const fs::path made = folder_.path() / "made";
  make_folders(made / "bin");
  write(made / "bin" / "one", "1");
  write(made / "bin" / "two", "2");
  fs::create_symlink("one", made / "bin" / "link");
  const KeptFiles kept = files();
  EXPECT_FALSE(kept.is_sealed(root));
  kept.seal(root, made);
  fs::rename(made, root);
  EXPECT_TRUE(kept.is_sealed(root));
  fs::create_directory(root / "proc");  // to mount on
  EXPECT_TRUE(kept.is_sealed(root));
  EXPECT_TRUE(said_.empty());
  write(root / "bin" / "three", "3");
  EXPECT_FALSE(kept.is_sealed(root));
  fs::remove(root / "bin" / "three");
  EXPECT_TRUE(kept.is_sealed(root));
  write(root / "bin" / "two", "x");
  EXPECT_FALSE(kept.is_sealed(root));
  fs::remove(root / "bin" / "one");
  EXPECT_FALSE(kept.is_sealed(root));
  EXPECT_THAT(said_, testing::ElementsAre(root / "bin/three", root / "bin/two", root / "bin/one"));
}

TEST_F(KeptFilesTest, ALockIsMended) {
  fs::create_directories(path_ / "in it");
  { const FileLock lock = lock_kept(path_, FileLock::Kind::exclusive); }
  fs::permissions(path_, fs::perms::none);
  { const FileLock lock = lock_kept(path_, FileLock::Kind::shared); }
  EXPECT_TRUE(fs::is_regular_file(path_));
}

}  // namespace
}  // namespace veneer
