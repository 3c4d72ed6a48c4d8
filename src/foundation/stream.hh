// Sources and sinks of bytes: how data flows through the program without being held in memory. A source or sink is
// used by one thread at a time; RandomAccess may be read by many at once.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "foundation/bytes.hh"

namespace veneer {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills at most `into.size()` bytes (not 0) and returns how many; 0 means the end. Throws Error.
  virtual std::size_t read(std::span<std::byte> into) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(ByteView bytes) = 0;
  /// Makes what was written permanent. A sink destroyed uncommitted leaves nothing behind.
  virtual void commit() = 0;
};

/// Bytes of known size that can be read anywhere, by several threads at once.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills all of `into` from `offset` on; an Error of kind refused when that is past the end.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> into) const = 0;
};

/// Reads from memory that the caller keeps alive.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  std::size_t read(std::span<std::byte> into) override;

 private:
  ByteView rest_;
};

/// Collects into `bytes()`.
class BytesSink : public ByteSink {
 public:
  void write(ByteView bytes) override { append(bytes_, bytes); }
  void commit() override {}
  const Bytes& bytes() const { return bytes_; }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

/// Appends to a text that it does not own. Error (refused) "WHAT more than N bytes" before the text gets longer than
/// `most`; `what` (such as "the engine answered") must outlive it.
class BoundedText : public ByteSink {
 public:
  BoundedText(std::string& text, std::uint64_t most, std::string_view what) : text_(text), most_(most), what_(what) {}
  void write(ByteView bytes) override;
  void commit() override {}

 private:
  std::string& text_;
  std::uint64_t most_;
  std::string_view what_;
};

/// Counts and forgets.
class CountingSink : public ByteSink {
 public:
  void write(ByteView bytes) override { count_ += bytes.size(); }
  void commit() override {}
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

/// Owns its bytes.
class MemoryAccess : public RandomAccess {
 public:
  explicit MemoryAccess(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  Bytes bytes_;
};

/// Reads `length` bytes of `access` from `offset` on; shares ownership of it.
class SliceSource : public ByteSource {
 public:
  SliceSource(std::shared_ptr<const RandomAccess> access, std::uint64_t offset, std::uint64_t length);
  std::size_t read(std::span<std::byte> into) override;

 private:
  std::shared_ptr<const RandomAccess> access_;
  std::uint64_t offset_;
  std::uint64_t rest_;
};

inline constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// Copies everything; returns the count. An Error of kind refused when the source holds more than `limit` bytes.
std::uint64_t copy(ByteSource& from, ByteSink& to, std::uint64_t limit = no_limit);

/// Reads everything into memory, at most `limit` bytes (else an Error of kind refused).
Bytes read_all(ByteSource& from, std::uint64_t limit);

/// Fills all of `into`, or returns how many bytes there were before the end.
std::size_t read_full(ByteSource& from, std::span<std::byte> into);

}  // namespace veneer
