// The compressor of the canonical layer encoding: zlib with fixed settings, which docs/formats.md gives. Its bytes are
// part of every layer's digest, so a zlib that gives others (zlib-ng, a tuned build) must not make layers: the same
// commit gives the same image, or none. An object belongs to one thread.
#pragma once

#include <zlib.h>

#include <array>
#include <functional>

#include "foundation/bytes.hh"

namespace veneer::archive {

/// What each gzip member of ours begins with (RFC 1952: no name, no time, no system).
inline constexpr std::array<unsigned char, 10> gzip_member_header = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

class CanonicalDeflate {
 public:
  /// Error (failed) when the zlib at hand gives other bytes; that is found out once a process.
  CanonicalDeflate();
  CanonicalDeflate(const CanonicalDeflate&) = delete;
  CanonicalDeflate& operator=(const CanonicalDeflate&) = delete;
  ~CanonicalDeflate();

  enum class End { more_follows, byte_boundary, stream };
  /// Begins a stream.
  void restart();
  /// Compresses the next piece of the stream; `put` gets what comes out.
  void add(ByteView piece, End end, const std::function<void(ByteView)>& put);

 private:
  struct Unchecked {};
  explicit CanonicalDeflate(Unchecked);
  static Bytes compressed_probe(ByteView probe);

  z_stream stream_{};
  Bytes buffer_;
};

/// Throws Error (failed) unless `compress` does to a probe what classic zlib does. For CanonicalDeflate, and its tests.
void check_compressor(const std::function<Bytes(ByteView probe)>& compress);

}  // namespace veneer::archive
