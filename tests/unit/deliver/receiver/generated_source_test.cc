#include "deliver/receiver/generated_source.hh"

#include <gtest/gtest.h>

#include <atomic>

#include "foundation/digest.hh"
#include "foundation/error.hh"

namespace veneer::deliver {
namespace {

TEST(GeneratedSource, GivesWhatIsWritten) {
  GeneratedSource source([](ByteSink& sink) {
    for (int i = 0; i < 50'000; ++i) sink.write(as_bytes("line " + std::to_string(i) + "\n"));
    sink.commit();
  });
  std::string expected;
  for (int i = 0; i < 50'000; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(as_text(read_all(source, no_limit)), expected);
  std::byte more;
  EXPECT_EQ(source.read({&more, 1}), 0U);
}

TEST(GeneratedSource, DoesNotNeedACommit) {
  GeneratedSource source([](ByteSink& sink) { sink.write(as_bytes("abc")); });
  EXPECT_EQ(as_text(read_all(source, 10)), "abc");
}

TEST(GeneratedSource, PassesOnAnErrorBehindTheBytes) {
  GeneratedSource source([](ByteSink& sink) {
    sink.write(as_bytes("abc"));
    sink.commit();
    throw Error(ErrorKind::verification, "the blob is another one");
  });
  std::byte piece[3];
  EXPECT_EQ(read_full(source, piece), 3U);
  EXPECT_THROW(source.read(piece), Error);
}

TEST(GeneratedSource, AWriterIsHeldBackAndLetGo) {
  std::atomic<std::uint64_t> written = 0;
  std::atomic<bool> ended = false;
  {
    GeneratedSource source([&](ByteSink& sink) {
      const Bytes block(64 * 1024);
      for (int i = 0; i < 10'000; ++i) {
        sink.write(block);
        written += block.size();
      }
      ended = true;
    });
    std::byte one;
    EXPECT_EQ(source.read({&one, 1}), 1U);
  }
  EXPECT_LT(written, 16U * 1024 * 1024);
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace veneer::deliver
