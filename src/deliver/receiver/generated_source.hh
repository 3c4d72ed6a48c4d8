// Turns a writer into a reader: what `produce` writes on a thread of its own can be read here as it comes, with at most
// a few blocks in memory. One reader, one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "foundation/stream.hh"

namespace veneer::deliver {

class GeneratedSource : public ByteSource {
 public:
  /// `produce` is called once, on another thread, with a sink that blocks while the reader is behind; what it refers to
  /// must outlive this object. What it throws, read() throws when everything written before has been read.
  explicit GeneratedSource(std::function<void(ByteSink&)> produce);
  GeneratedSource(const GeneratedSource&) = delete;
  GeneratedSource& operator=(const GeneratedSource&) = delete;
  /// Stops the writer at its next write and waits for it.
  ~GeneratedSource() override;
  std::size_t read(std::span<std::byte> into) override;

 private:
  class Sink;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Bytes> blocks_;
  std::size_t read_of_first_ = 0;
  bool finished_ = false;
  bool abandoned_ = false;
  std::exception_ptr failure_;
  std::thread writer_;
};

}  // namespace veneer::deliver
