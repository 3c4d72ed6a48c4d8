#include "archive/canonical_deflate.hh"

#include <fmt/format.h>

#include "foundation/digest.hh"
#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr int compression_level = 6;
constexpr int memory_level = 8;
constexpr int raw_window_bits = -15;
constexpr std::size_t output_size = 128 * 1024;

/// Of what zlib 1.2.11 to 1.3.1 make of probe().
constexpr std::string_view known_answer = "6f7b8ef11129305dfa0513be76d67e4d45161a56ca9a164640117fc6dbff90dd";

/// Digits with near and far repetitions, noise, much of four letters (long chains to search), zeros, and the beginning
/// again: all that makes compressors and their levels differ, in more than one block.
std::string probe() {
  std::string text;
  for (unsigned i = 0; i < 4000; ++i) text += std::to_string(i * 7919 % 10007) + ",";
  std::uint32_t state = 1;
  const auto noise = [&] {
    state = state * 1664525 + 1013904223;
    return state >> 24;
  };
  for (unsigned i = 0; i < 20'000; ++i) text += static_cast<char>(noise());
  for (unsigned i = 0; i < 12'000; ++i) text += "abcd"[noise() >> 6];
  return text + std::string(4096, '\0') + text.substr(0, 8192);
}

}  // namespace

CanonicalDeflate::CanonicalDeflate() : CanonicalDeflate(Unchecked{}) {
  [[maybe_unused]] static const bool is_checked = (check_compressor(&compressed_probe), true);
}

CanonicalDeflate::CanonicalDeflate(Unchecked /*unchecked*/) : buffer_(output_size) {
  if (deflateInit2(&stream_, compression_level, Z_DEFLATED, raw_window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw Error(ErrorKind::failed, "zlib cannot be set up");
  }
}

CanonicalDeflate::~CanonicalDeflate() { deflateEnd(&stream_); }

void CanonicalDeflate::restart() {
  if (deflateReset(&stream_) != Z_OK) throw Error(ErrorKind::failed, "zlib failed");
}

void CanonicalDeflate::add(ByteView piece, End end, const std::function<void(ByteView)>& put) {
  const int flush = end == End::stream ? Z_FINISH : end == End::byte_boundary ? Z_SYNC_FLUSH : Z_NO_FLUSH;
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
  stream_.avail_in = static_cast<uInt>(piece.size());
  for (;;) {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int result = deflate(&stream_, flush);
    if (result == Z_STREAM_ERROR) throw Error(ErrorKind::failed, "zlib failed");
    put(ByteView(buffer_).first(buffer_.size() - stream_.avail_out));
    if (flush == Z_FINISH ? result == Z_STREAM_END : stream_.avail_out != 0) return;
  }
}

/// As the layer writer does it: a header up to a byte boundary, then data in pieces.
Bytes CanonicalDeflate::compressed_probe(ByteView probe) {
  constexpr std::size_t head_size = 512;
  constexpr std::size_t piece_size = 10'000;
  CanonicalDeflate deflate(Unchecked{});
  Bytes result;
  const auto put = [&](ByteView bytes) { append(result, bytes); };
  deflate.add(probe.first(head_size), End::byte_boundary, put);
  for (probe = probe.subspan(head_size); probe.size() > piece_size; probe = probe.subspan(piece_size)) {
    deflate.add(probe.first(piece_size), End::more_follows, put);
  }
  deflate.add(probe, End::stream, put);
  return result;
}

void check_compressor(const std::function<Bytes(ByteView probe)>& compress) {
  if (sha256(compress(as_bytes(probe()))).hex() == known_answer) return;
  throw Error(ErrorKind::failed,
              fmt::format("the zlib of this machine ({}) does not compress as zlib does elsewhere, so its layers would "
                          "have other digests than those of other machines",
                          printable(zlibVersion())),
              "run veneer with the classic zlib (Debian's zlib1g), not with zlib-ng or a tuned build");
}

}  // namespace veneer::archive
