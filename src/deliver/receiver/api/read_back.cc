#include "deliver/receiver/api/read_back.hh"

#include <fmt/format.h>

#include <set>

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

}  // namespace

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
  engine::EngineAnswer answer;
  GeneratedSource saved([&](ByteSink& sink) {
    answer = transport.download(fmt::format("/images/sha256:{}/get", image.hex()), sink);
    if (!answer.ok()) {
      throw Error(ErrorKind::network,
                  fmt::format("the engine does not save an image: {} ({})", read_error(answer.body), answer.status));
    }
  });
  archive::TarReader reader(saved);
  while (const auto entry = reader.next()) {
    if (entry->type != archive::EntryType::file || entry->size == 0) continue;
    const std::filesystem::path place = folder_.path() / "layer";
    HashedFile file(place);
    copy(reader.data(), file);
    const Hash hash = file.finish();
    const auto found = wanted_.find(hash);
    if (found == wanted_.end() || found->second > 0) continue;
    file.commit();
    std::filesystem::rename(place, folder_.path() / hash.hex());
    found->second = entry->size;
  }
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

std::unique_ptr<ByteSource> ReadBack::open(const BlobDigest& digest) const {
  if (wanted_.contains(digest.hash)) return std::make_unique<File>(folder_.path() / digest.hash.hex());
  return others_.open(digest);
}

std::optional<std::filesystem::path> ReadBack::path(const BlobDigest& digest) const {
  if (wanted_.contains(digest.hash)) return folder_.path() / digest.hash.hex();
  return others_.path(digest);
}

}  // namespace veneer::deliver
