#include "deliver/receiver/api/read_back.hh"

#include <fmt/format.h>

#include <functional>
#include <set>
#include <string_view>

#include "archive/tar.hh"
#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/generated_source.hh"
#include "foundation/error.hh"

namespace veneer::deliver {

namespace {

// Writes to a file and hashes.
class HashedFile : public ByteSink {
 public:
  explicit HashedFile(const std::filesystem::path& path) : file_(path) {}
  void write(ByteView bytes) override {
    hasher_.update(bytes);
    file_.write(bytes);
  }
  void commit() override { file_.commit(); }
  Hash finish() { return hasher_.finish(); }

 private:
  AtomicFile file_;
  Sha256 hasher_;
};

// Calls `on_file` for each file of what the engine saves of an image.
void for_each_saved_file(engine::EngineTransport& transport, const Hash& image,
                         const std::function<void(const archive::TarEntry&, ByteSource&)>& on_file) {
  GeneratedSource saved([&](ByteSink& sink) {
    const engine::EngineAnswer answer = transport.download(fmt::format("/images/sha256:{}/get", image.hex()), sink);
    if (!answer.ok()) {
      throw Error(ErrorKind::network,
                  fmt::format("the engine does not save an image: {} ({})", read_error(answer.body), answer.status));
    }
  });
  archive::TarReader reader(saved);
  while (const auto entry = reader.next()) {
    if (entry->type == archive::EntryType::file && entry->size > 0) on_file(*entry, reader.data());
  }
}

}  // namespace

std::set<BlobDigest> find_blobs(engine::EngineTransport& transport, const Hash& image,
                                const std::set<BlobDigest>& wanted) {
  constexpr std::string_view place = "blobs/sha256/";
  std::set<BlobDigest> found;
  for_each_saved_file(transport, image, [&](const archive::TarEntry& entry, ByteSource& data) {
    if (!entry.path.starts_with(place)) return;
    const auto hash = Hash::from_hex(entry.path.substr(place.size()));
    if (hash && wanted.contains(BlobDigest{*hash}) && sha256(data) == *hash) found.insert(BlobDigest{*hash});
  });
  return found;
}

ReadBack::ReadBack(engine::EngineTransport& transport, const DeliveryPlan& plan, const image::Blobs& others,
                   const std::filesystem::path& parent)
    : others_(others), folder_(parent, "read-back") {
  std::set<Hash> images;
  for (const Step& step : plan.steps) {
    if (step.action != Action::splice || !step.source) continue;
    wanted_.emplace(step.diff_id.hash, 0);
    images.insert(*step.source);
  }
  for (const Hash& image : images) read_image(transport, image);
  for (const auto& [diff_id, size] : wanted_) {
    if (size > 0) continue;
    throw Error(ErrorKind::verification, fmt::format("the engine does not give its layer {} back", diff_id.hex()));
  }
}

void ReadBack::read_image(engine::EngineTransport& transport, const Hash& image) {
  for_each_saved_file(transport, image, [&](const archive::TarEntry& entry, ByteSource& data) {
    const std::filesystem::path place = folder_.path() / "layer";
    HashedFile file(place);
    copy(data, file);
    const Hash hash = file.finish();
    const auto found = wanted_.find(hash);
    if (found == wanted_.end() || found->second > 0) return;
    file.commit();
    std::filesystem::rename(place, folder_.path() / hash.hex());
    found->second = entry.size;
  });
}

DeliveryPlan ReadBack::as_sent(const DeliveryPlan& plan) const {
  DeliveryPlan sent = plan;
  for (Step& step : sent.steps) {
    if (step.action != Action::splice) continue;
    step.action = Action::send;
    step.size = wanted_.at(step.diff_id.hash);
  }
  return sent;
}

bool ReadBack::contains(const BlobDigest& digest) const {
  return wanted_.contains(digest.hash) || others_.contains(digest);
}

void ReadBack::bring(const std::set<BlobDigest>& digests) const {
  std::set<BlobDigest> others = digests;
  std::erase_if(others, [this](const BlobDigest& digest) { return wanted_.contains(digest.hash); });
  others_.bring(others);
}

std::unique_ptr<ByteSource> ReadBack::open(const BlobDigest& digest) const {
  if (wanted_.contains(digest.hash)) return std::make_unique<File>(folder_.path() / digest.hash.hex());
  return others_.open(digest);
}

std::optional<std::filesystem::path> ReadBack::path(const BlobDigest& digest) const {
  if (wanted_.contains(digest.hash)) return folder_.path() / digest.hash.hex();
  return others_.path(digest);
}

}  // namespace veneer::deliver
