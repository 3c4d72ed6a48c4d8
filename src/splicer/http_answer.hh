// An answer of an HTTP/1.1 server (RFC 9112): its status, and its body as it was meant. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "foundation/stream.hh"

namespace veneer::splicer {

/// The body in chunks, of a given length, or to the end of the stream. Throws Error (network) for what is no such
/// answer, a line of more than 16 KiB, more than 100 headers, and an end that comes too early.
class HttpAnswer : public ByteSource {
 public:
  /// Reads the head, also those of status 100 before it. `stream` must outlive the answer, which may read more of it
  /// than its own.
  explicit HttpAnswer(ByteSource& stream);
  int status() const { return status_; }
  std::size_t read(std::span<std::byte> into) override;

 private:
  enum class Framing { to_the_end, length, chunks, ended };
  void read_head();
  void read_header(const std::string& header);
  void next_chunk();
  bool fill();
  std::string line();

  ByteSource& stream_;
  int status_ = 0;
  Framing framing_ = Framing::to_the_end;
  std::uint64_t rest_ = 0;
  bool in_chunk_ = false;
  std::array<std::byte, 64 * 1024> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace veneer::splicer
