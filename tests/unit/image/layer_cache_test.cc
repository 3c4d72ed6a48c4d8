#include "image/cache/layer_cache.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "image/cache/prune.hh"

namespace veneer::image {
namespace {

namespace fs = std::filesystem;

class LayerCacheTest : public testing::Test {
 protected:
  TemporaryFolder temporary_{fs::temp_directory_path(), "cache-test"};
  fs::path folder_ = temporary_.path() / "cache";

  static LayerKey key(std::string_view name) { return {sha256(name)}; }

  /// Stores `text` as if it were a layer's blob.
  static CachedLayer store(const LayerCache& cache, const LayerKey& key, const std::string& text) {
    return cache.store(key, [&](ByteSink& blob) {
      blob.write(as_bytes(text));
      return archive::WrittenLayer{{sha256("tar of " + text)}, text.size() * 2, {sha256(text)}, text.size()};
    });
  }

  static std::string read(const LayerCache& cache, const BlobDigest& digest) {
    const auto source = cache.open(digest);
    return std::string(as_text(read_all(*source, 1'000'000)));
  }
};

TEST_F(LayerCacheTest, GivesBackWhatWasStored) {
  const LayerCache cache(folder_);
  EXPECT_FALSE(cache.find(key("a")));
  const CachedLayer made = store(cache, key("a"), "blob");
  const auto found = cache.find(key("a"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->layer.blob, made.layer.blob);
  EXPECT_EQ(found->layer.diff_id, made.layer.diff_id);
  EXPECT_EQ(found->tar_size, 8u);
  EXPECT_EQ(read(cache, made.layer.blob), "blob");
}

TEST_F(LayerCacheTest, AnEntryWhoseBlobIsGoneOrCutIsNoEntry) {
  const LayerCache cache(folder_);
  const CachedLayer made = store(cache, key("a"), "blob");
  write_text_file(*cache.path(made.layer.blob), "blo");
  EXPECT_FALSE(cache.find(key("a")));
  fs::remove(*cache.path(made.layer.blob));
  EXPECT_FALSE(cache.find(key("a")));
}

TEST_F(LayerCacheTest, ADamagedEntryIsNoEntry) {
  const LayerCache cache(folder_);
  store(cache, key("a"), "blob");
  write_text_file(folder_ / "layers" / (key("a").hex() + ".json"), "{\"diff_id\":");
  EXPECT_FALSE(cache.find(key("a")));
}

TEST_F(LayerCacheTest, ADamagedBlobIsAnErrorWhenRead) {
  const LayerCache cache(folder_);
  const CachedLayer made = store(cache, key("a"), "blob");
  write_text_file(*cache.path(made.layer.blob), "BLOB");
  EXPECT_THROW(read(cache, made.layer.blob), Error);
}

TEST_F(LayerCacheTest, AFailureStoresNothing) {
  const LayerCache cache(folder_);
  EXPECT_THROW(cache.store(key("a"),
                           [](ByteSink& blob) -> archive::WrittenLayer {
                             blob.write(as_bytes("half"));
                             throw Error(ErrorKind::refused, "bad wheel");
                           }),
               Error);
  EXPECT_FALSE(cache.find(key("a")));
  EXPECT_TRUE(fs::is_empty(folder_ / "blobs" / "sha256"));
}

TEST_F(LayerCacheTest, KilledAnywhereItHoldsTheLayerOrNot) {
  for (const std::string point : {"cache.before-blob", "file.before-rename", "file.after-rename",
                                  "cache.between-blob-and-entry", "file.before-rename:2", "cache.after-entry"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      arm_fail_point(point);
      store(LayerCache(folder_), key(point), "blob of " + point);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    const LayerCache cache(folder_);
    if (const auto found = cache.find(key(point))) {
      EXPECT_EQ(read(cache, found->layer.blob), "blob of " + point);
    }
    const CachedLayer made = store(cache, key(point), "blob of " + point);
    EXPECT_EQ(read(cache, made.layer.blob), "blob of " + point);
  }
}

TEST_F(LayerCacheTest, TwoProcessesMayMakeTheSameLayer) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const LayerCache cache(folder_);
      for (int round = 0; round < 50; ++round) store(cache, key("same"), "the same blob");
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const LayerCache cache(folder_);
  ASSERT_TRUE(cache.find(key("same")));
}

TEST_F(LayerCacheTest, TwoMakersThatDifferKeepTheirOwnContents) {
  const LayerCache cache(folder_);
  const auto make = [&](const std::string& text) {
    for (int round = 0; round < 300; ++round) {
      const std::string blob = text + std::to_string(round);
      const CachedLayer made = store(cache, key("same"), blob);
      EXPECT_EQ(read(cache, made.layer.blob), blob);
    }
  };
  std::thread other([&] { make("of B, which is longer "); });
  make("of A ");
  other.join();
  const auto found = cache.find(key("same"));
  ASSERT_TRUE(found);
  EXPECT_EQ(DiffId{sha256("tar of " + read(cache, found->layer.blob))}, found->layer.diff_id);
}

TEST_F(LayerCacheTest, WhatIsDamagedIsSaidOnceAndMadeAgain) {
  std::vector<std::string> said;
  const auto hear = [&](const fs::path& path, const std::string&) { said.push_back(path.filename()); };
  const LayerCache good(folder_);
  const CachedLayer made = store(good, key("a"), "blob");
  const fs::path entry = folder_ / "layers" / (key("a").hex() + ".json");
  const fs::path blob = *good.path(made.layer.blob);
  std::string text = read_text_file(entry, 10'000);

  // A digit of the diff ID would be another image.
  text[text.find("sha256:") + 7] = text[text.find("sha256:") + 7] == '1' ? '2' : '1';
  for (const auto& [path, damage] : {std::pair(entry, text), std::pair(blob, std::string("BLOB"))}) {
    write_text_file(path, damage);
    said.clear();
    const LayerCache cache(folder_, hear);
    EXPECT_FALSE(cache.find(key("a")));
    EXPECT_FALSE(cache.find(key("a")));
    EXPECT_THAT(said, testing::ElementsAre(path.filename()));
    store(cache, key("a"), "blob");
    EXPECT_EQ(cache.find(key("a"))->layer.diff_id, made.layer.diff_id);
    EXPECT_EQ(read(cache, made.layer.blob), "blob");
  }
}

TEST_F(LayerCacheTest, AnEntryHoldsForItsOwnKeyOnly) {
  const LayerCache cache(folder_);
  store(cache, key("a"), "blob of a");
  store(cache, key("b"), "blob of b");
  fs::copy_file(folder_ / "layers" / (key("a").hex() + ".json"), folder_ / "layers" / (key("b").hex() + ".json"),
                fs::copy_options::overwrite_existing);
  EXPECT_FALSE(cache.find(key("b")));
  cache.set_note("claims", key("a"), "of a");
  cache.set_note("claims", key("b"), "of b");
  fs::copy_file(folder_ / "notes" / "claims" / (key("a").hex() + ".note"),
                folder_ / "notes" / "claims" / (key("b").hex() + ".note"), fs::copy_options::overwrite_existing);
  EXPECT_EQ(cache.note("claims", key("b")), std::nullopt);
}

TEST_F(LayerCacheTest, AnEntryOfAnOlderVersionIsNoDamage) {
  const auto fail = [](const fs::path& path, const std::string& why) { ADD_FAILURE() << path << why; };
  const LayerCache cache(folder_, fail);
  store(cache, key("a"), "blob");
  const fs::path entry = folder_ / "layers" / (key("a").hex() + ".json");
  std::string text = read_text_file(entry, 10'000);
  text.erase(text.find(",\"check\""));
  write_text_file(entry, text + "}\n");
  EXPECT_FALSE(cache.find(key("a")));
}

TEST_F(LayerCacheTest, ABlobThatTheDiskLostIsFoundAfterItWasRead) {
  const LayerCache cache(folder_);
  const CachedLayer made = store(cache, key("a"), "blob");
  const fs::path blob = *cache.path(made.layer.blob);
  write_text_file(blob, "BLOB");
  cache.files()->vouch(blob, made.layer.blob.hash);  // as if its times were those of before
  EXPECT_TRUE(cache.find(key("a")));
  EXPECT_THROW(read(cache, made.layer.blob), Error);
  EXPECT_FALSE(cache.find(key("a")));
}

TEST_F(LayerCacheTest, ABlobIsReadAgainWhenItsTimesChange) {
  store(LayerCache(folder_), key("a"), "blob");
  const LayerCache cache(folder_);
  ASSERT_TRUE(cache.find(key("a")));
  EXPECT_EQ(cache.files()->bytes_read(), 0u);
  fs::last_write_time(*cache.path({sha256("blob")}), fs::file_time_type::clock::now());
  ASSERT_TRUE(cache.find(key("a")));
  ASSERT_TRUE(cache.find(key("a")));
  EXPECT_EQ(cache.files()->bytes_read(), 4u);
}

TEST_F(LayerCacheTest, PruneRemovesImagesOfEnginesThatNobodyUses) {
  { const LayerCache makes_the_folders(folder_); }
  const fs::path images = folder_ / "engine-images";
  make_folders(images);
  const fs::path used = images / (std::string(64, 'a') + ".tar");
  const fs::path unused = images / (std::string(64, 'b') + ".tar");
  const fs::path unknown = images / "unknown";
  for (const fs::path& path : {used, unused, unknown}) write_text_file(path, "an archive");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(unused, now - std::chrono::hours(100));
  AtomicFile being_taken(images / (std::string(64, 'c') + ".tar"));
  being_taken.write(as_bytes("so far"));
  EXPECT_EQ(prune_cache(folder_, now - std::chrono::hours(1)).files, 2u);
  being_taken.commit();
  EXPECT_TRUE(fs::exists(used));
  EXPECT_FALSE(fs::exists(unused));
  EXPECT_FALSE(fs::exists(unknown));
}

TEST_F(LayerCacheTest, PruneKeepsWhatWasUsedAndRemovesOrphans) {
  CachedLayer old_layer;
  CachedLayer new_layer;
  {
    const LayerCache cache(folder_);
    old_layer = store(cache, key("old"), "old blob");
    new_layer = store(cache, key("new"), "new blob");
    write_text_file(folder_ / "blobs" / "sha256" / std::string(64, 'a'), "an orphan");
    write_text_file(folder_ / "blobs" / "sha256" / ".x.1-2.tmp", "a leftover");
    fs::last_write_time(folder_ / "layers" / (key("old").hex() + ".json"),
                        fs::file_time_type::clock::now() - std::chrono::hours(100));
  }
  const CacheUsage freed = prune_cache(folder_, fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(freed.files, 4u);
  const LayerCache cache(folder_);
  EXPECT_FALSE(cache.find(key("old")));
  EXPECT_FALSE(cache.contains(old_layer.layer.blob));
  EXPECT_TRUE(cache.find(key("new")));
  EXPECT_EQ(read(cache, new_layer.layer.blob), "new blob");
}

TEST_F(LayerCacheTest, NotesAreKeptByKindAndKey) {
  const LayerCache cache(folder_);
  EXPECT_EQ(cache.note("claims", key("a")), std::nullopt);
  cache.set_note("claims", key("a"), "text");
  EXPECT_EQ(cache.note("claims", key("a")), "text");
  EXPECT_EQ(cache.note("other", key("a")), std::nullopt);
}

}  // namespace
}  // namespace veneer::image
