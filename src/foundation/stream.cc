#include "foundation/stream.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "foundation/error.hh"

namespace veneer {

namespace {
constexpr std::size_t chunk_size = 128 * 1024;

[[noreturn]] void over_limit(std::uint64_t limit) {
  throw Error(ErrorKind::refused, fmt::format("the data is larger than the limit of {} bytes", limit));
}
}  // namespace

std::size_t MemorySource::read(std::span<std::byte> into) {
  const std::size_t count = std::min(into.size(), rest_.size());
  std::copy_n(rest_.begin(), count, into.begin());
  rest_ = rest_.subspan(count);
  return count;
}

void BoundedText::write(ByteView bytes) {
  if (text_.size() > most_ || bytes.size() > most_ - text_.size()) {
    throw Error(ErrorKind::refused, fmt::format("{} more than {} bytes", what_, most_));
  }
  text_ += as_text(bytes);
}

void MemoryAccess::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > bytes_.size() || into.size() > bytes_.size() - offset) {
    throw Error(ErrorKind::refused, fmt::format("{} bytes at offset {} are past the end", into.size(), offset));
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
}

SliceSource::SliceSource(std::shared_ptr<const RandomAccess> access, std::uint64_t offset, std::uint64_t length)
    : access_(std::move(access)), offset_(offset), rest_(length) {}

std::size_t SliceSource::read(std::span<std::byte> into) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), rest_));
  if (count == 0) return 0;
  access_->read_at(offset_, into.first(count));
  offset_ += count;
  rest_ -= count;
  return count;
}

std::uint64_t copy(ByteSource& from, ByteSink& to, std::uint64_t limit) {
  const auto buffer = std::make_unique<std::array<std::byte, chunk_size>>();
  std::uint64_t total = 0;
  while (const std::size_t count = from.read(*buffer)) {
    if (count > limit - total) over_limit(limit);
    total += count;
    to.write(ByteView(*buffer).first(count));
  }
  return total;
}

Bytes read_all(ByteSource& from, std::uint64_t limit) {
  BytesSink sink;
  copy(from, sink, limit);
  return sink.take();
}

std::size_t read_full(ByteSource& from, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t count = from.read(into.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

}  // namespace veneer
