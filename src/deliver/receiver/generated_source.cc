#include "deliver/receiver/generated_source.hh"

#include <algorithm>
#include <cstring>
#include <utility>

namespace veneer::deliver {

namespace {
constexpr std::size_t block_size = 256 * 1024;
constexpr std::size_t most_blocks = 8;

// Unwinds a writer whose reader has gone. No std::exception: nothing but the thread's own handler should stop it.
struct Abandoned {};
}  // namespace

class GeneratedSource::Sink : public ByteSink {
 public:
  explicit Sink(GeneratedSource& source) : source_(source) {}

  void write(ByteView bytes) override {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), block_size - block_.size());
      append(block_, bytes.first(count));
      bytes = bytes.subspan(count);
      if (block_.size() == block_size) pass_on();
    }
  }
  void commit() override { pass_on(); }

  void pass_on() {
    if (block_.empty()) return;
    std::unique_lock lock(source_.mutex_);
    source_.changed_.wait(lock, [&] { return source_.abandoned_ || source_.blocks_.size() < most_blocks; });
    if (source_.abandoned_) throw Abandoned{};
    source_.blocks_.push_back(std::exchange(block_, {}));
    source_.changed_.notify_all();
  }

 private:
  GeneratedSource& source_;
  Bytes block_;
};

GeneratedSource::GeneratedSource(std::function<void(ByteSink&)> produce) {
  writer_ = std::thread([this, produce = std::move(produce)] {
    std::exception_ptr failure;
    try {
      Sink sink(*this);
      produce(sink);
      sink.pass_on();
    } catch (const Abandoned&) {
      // The destructor waits.
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    finished_ = true;
    changed_.notify_all();
  });
}

GeneratedSource::~GeneratedSource() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  writer_.join();
}

std::size_t GeneratedSource::read(std::span<std::byte> into) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !blocks_.empty() || finished_; });
  if (blocks_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return 0;
  }
  const Bytes& first = blocks_.front();
  const std::size_t count = std::min(into.size(), first.size() - read_of_first_);
  std::memcpy(into.data(), first.data() + read_of_first_, count);
  read_of_first_ += count;
  if (read_of_first_ == first.size()) {
    blocks_.pop_front();
    read_of_first_ = 0;
    changed_.notify_all();
  }
  return count;
}

}  // namespace veneer::deliver
