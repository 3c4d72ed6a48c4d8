#include "deliver/receiver/sent_archive.hh"

#include <fmt/format.h>

#include <array>

#include "deliver/receiver/generated_source.hh"
#include "foundation/error.hh"
#include "image/media/archive_writer.hh"

namespace veneer::deliver {

namespace {

void skip(ByteSource& source, std::uint64_t count) {
  std::array<std::byte, 16 * 1024> buffer{};
  while (count > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size()));
    const std::size_t read = source.read(std::span(buffer).first(wanted));
    if (read == 0) throw Error(ErrorKind::failed, "the archive is shorter than what was sent of it");
    count -= read;
  }
}

}  // namespace

SentArchive::SentArchive(const image::SealedImage& sealed, const DeliveryPlan& plan, const image::Blobs& blobs,
                         std::vector<image::Reference> names)
    : sent_(image_as_sent(sealed, plan)),
      included_(blobs_to_send(plan)),
      blobs_(blobs),
      names_(std::move(names)),
      size_(image::archive_size(sent_, names_, included_)) {
  for (const Step& step : plan.steps) {
    if (step.action != Action::send || blobs_.contains(step.blob)) continue;
    throw Error(ErrorKind::not_found,
                fmt::format("the layer {} must travel and is not here ({})", step.blob.text(), step.why),
                "build or pull the image again");
  }
}

Hash SentArchive::digest() const {
  CountingSink nowhere;
  HashingSink sink(nowhere);
  image::write_archive(sink, sent_, blobs_, names_, included_);
  return sink.finish();
}

std::unique_ptr<ByteSource> SentArchive::open(std::uint64_t offset) const {
  auto source = std::make_unique<GeneratedSource>(
      [this](ByteSink& sink) { image::write_archive(sink, sent_, blobs_, names_, included_); });
  skip(*source, offset);
  return source;
}

std::size_t CountedSource::read(std::span<std::byte> into) {
  const std::size_t count = next_.read(into);
  count_ += count;
  if (count > 0) on_progress_(count_);
  return count;
}

}  // namespace veneer::deliver
