#include "archive/layer_writer.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "archive/compression.hh"
#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::archive {
namespace {

TarEntry entry(std::string path, EntryType type = EntryType::file) {
  TarEntry result;
  result.path = std::move(path);
  result.type = type;
  result.mode = type == EntryType::folder ? 0755 : 0644;
  result.mtime = 315532800;
  return result;
}

/// Data that is at hand in deflated form, as that of a wheel.
class Deflated : public Content {
 public:
  explicit Deflated(std::string text, std::string stream = {}, std::optional<Hash> sha256 = std::nullopt)
      : text_(std::move(text)), stream_(stream.empty() ? tests::deflated(text_) : std::move(stream)), sha256_(sha256) {}
  std::uint64_t size() const override { return text_.size(); }
  std::unique_ptr<ByteSource> open() const override { return std::make_unique<MemorySource>(as_bytes(text_)); }
  std::optional<DeflatedData> deflated() const override {
    DeflatedData data;
    data.stream = std::make_unique<MemorySource>(as_bytes(stream_));
    data.stream_size = stream_.size();
    data.sha256 = sha256_;
    data.crc32 = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(text_.data()), static_cast<uInt>(text_.size())));
    return data;
  }
  const std::string& stream() const { return stream_; }

 private:
  std::string text_;
  std::string stream_;
  std::optional<Hash> sha256_;
};

/// Gives its data in pieces of one byte, or all at once.
class InPieces : public Content {
 public:
  InPieces(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  std::uint64_t size() const override { return text_.size(); }
  std::unique_ptr<ByteSource> open() const override {
    struct Source : ByteSource {
      Source(std::string_view text, std::size_t size) : rest(text), piece(size) {}
      std::size_t read(std::span<std::byte> into) override {
        const std::size_t count = std::min({into.size(), piece, rest.size()});
        std::copy_n(as_bytes(rest).begin(), count, into.begin());
        rest.remove_prefix(count);
        return count;
      }
      std::string_view rest;
      std::size_t piece;
    };
    return std::make_unique<Source>(text_, piece_);
  }

 private:
  std::string text_;
  std::size_t piece_;
};

struct Made {
  Bytes blob;
  WrittenLayer layer;
};

template <typename Fill>
Made make(Fill&& fill) {
  BytesSink blob;
  LayerWriter writer(blob);
  fill(writer);
  const WrittenLayer layer = writer.finish();
  return {blob.take(), layer};
}

std::string unpacked(const Bytes& blob) {
  return std::string(as_text(read_all(*open_gzip(std::make_unique<MemorySource>(blob)), 64 << 20)));
}

TEST(LayerWriter, GivesTheTarAndItsDigests) {
  const MemoryContent text("hello");
  const Made made = make([&](LayerWriter& writer) {
    writer.add(entry("d", EntryType::folder), nullptr);
    writer.add(entry("d/f"), &text);
  });
  TarEntry file = entry("d/f");
  file.size = 5;
  std::string expected(as_text(tar_header(entry("d", EntryType::folder))));
  expected += std::string(as_text(tar_header(file))) + "hello" + std::string(507, '\0') + std::string(1024, '\0');
  EXPECT_EQ(unpacked(made.blob), expected);
  EXPECT_EQ(made.layer.tar_size, expected.size());
  EXPECT_EQ(made.layer.diff_id.hash, sha256(expected));
  EXPECT_EQ(made.layer.blob.hash, sha256(made.blob));
  EXPECT_EQ(made.layer.blob_size, made.blob.size());
}

/// Where gzip members begin, found by inflating one after the other.
std::vector<std::size_t> member_starts(const Bytes& blob) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < blob.size();) {
    starts.push_back(at);
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(blob.data() + at));
    stream.avail_in = static_cast<uInt>(blob.size() - at);
    std::vector<Bytef> out(1 << 20);
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    at += stream.total_in;
    inflateEnd(&stream);
  }
  return starts;
}

TEST(LayerWriter, OneGzipMemberAnEntryAndOneForTheEnd) {
  const MemoryContent text("hello");
  const Made made = make([&](LayerWriter& writer) {
    writer.add(entry("a"), &text);
    writer.add(entry("b"), &text);
  });
  const auto starts = member_starts(made.blob);
  ASSERT_EQ(starts.size(), 3u);
  for (const std::size_t start : starts) {
    EXPECT_EQ(as_text(ByteView(made.blob).subspan(start, 10)), std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  }
}

TEST(LayerWriter, AWheelsStreamIsCopiedAsItIs) {
  const Deflated content(std::string(3000, 'w') + "heel");
  const Made made = make([&](LayerWriter& writer) { writer.add(entry("f"), &content); });
  EXPECT_NE(as_text(made.blob).find(content.stream()), std::string_view::npos);
  EXPECT_NE(unpacked(made.blob).find(std::string(3000, 'w') + "heel"), std::string::npos);
}

TEST(LayerWriter, StreamsThatAreNotWhatTheySayAreErrors) {
  const std::string text(1000, 'x');
  class WrongSum : public Deflated {
   public:
    using Deflated::Deflated;
    std::optional<DeflatedData> deflated() const override {
      auto data = Deflated::deflated();
      data->crc32 ^= 1;
      return data;
    }
  };
  const WrongSum wrong(text);
  EXPECT_THROW(make([&](LayerWriter& writer) { writer.add(entry("f"), &wrong); }), Error);
  class WrongSize : public Deflated {
   public:
    using Deflated::Deflated;
    std::uint64_t size() const override { return Deflated::size() + 1; }
  };
  const WrongSize longer(text);
  EXPECT_THROW(make([&](LayerWriter& writer) { writer.add(entry("f"), &longer); }), Error);
}

TEST(LayerWriter, AStreamThatGoesOnBehindItsSizeIsAnError) {
  /// The stream, and then one more piece.
  struct Longer : ByteSource {
    explicit Longer(std::string_view stream) : pieces{stream, "surplus"} {}
    std::size_t read(std::span<std::byte> into) override {
      if (next == pieces.size()) return 0;
      const std::string_view piece = pieces.at(next++);
      std::copy_n(as_bytes(piece).begin(), piece.size(), into.begin());
      return piece.size();
    }
    std::array<std::string_view, 2> pieces;
    std::size_t next = 0;
  };
  class Surplus : public Deflated {
   public:
    using Deflated::Deflated;
    std::optional<DeflatedData> deflated() const override {
      auto data = Deflated::deflated();
      data->stream = std::make_unique<Longer>(stream());
      return data;
    }
  };
  const std::string text(1000, 'x');
  for (const std::optional<Hash>& hash : {std::optional<Hash>(), std::optional(sha256(text))}) {
    const Surplus surplus(text, {}, hash);
    EXPECT_THROW(make([&](LayerWriter& writer) { writer.add(entry("f"), &surplus); }), Error);
  }
}

/// Reads no open() unless it must.
class Vouched : public Deflated {
 public:
  Vouched(const std::string& text, const std::string& of) : Deflated(text, tests::deflated(text), sha256(of)) {}
  std::unique_ptr<ByteSource> open() const override {
    ++opened;
    return Deflated::open();
  }
  mutable int opened = 0;
};

TEST(LayerWriter, AStreamWithAKnownHashIsReadOnce) {
  // In deflated form as large as several of the writer's buffers.
  std::string text;
  for (std::uint32_t i = 0; i < 600'000; ++i) text += static_cast<char>((i * i * 2654435761u) >> 24);
  const Deflated plain(text);
  const Vouched vouched(text, text);
  const auto made = [&](const Content& content) {
    return make([&](LayerWriter& writer) {
      writer.add(entry("f"), &content);
      writer.add(entry("g"), &content);
    });
  };
  const Made slowly = made(plain);
  const Made once = made(vouched);
  EXPECT_EQ(once.blob, slowly.blob);
  EXPECT_EQ(once.layer.diff_id, slowly.layer.diff_id);
  EXPECT_EQ(once.layer.blob.hash, sha256(once.blob));
  EXPECT_EQ(once.layer.diff_id.hash, sha256(unpacked(once.blob)));
  EXPECT_EQ(vouched.opened, 0);
}

TEST(LayerWriter, AStreamWithAnotherHashIsAnError) {
  const Vouched other("text", "another text");
  EXPECT_THROW(make([&](LayerWriter& writer) { writer.add(entry("f"), &other); }), Error);
  EXPECT_EQ(other.opened, 1);  // it may know better what is wrong
}

TEST(LayerWriter, AStreamThatWasVerifiedIsComparedByItsCrc) {
  class Verified : public Vouched {
   public:
    Verified(const std::string& text, std::uint32_t crc_error) : Vouched(text, "unknown"), crc_error_(crc_error) {}
    std::optional<DeflatedData> deflated() const override {
      auto data = Vouched::deflated();
      data->was_verified = true;
      data->crc32 ^= crc_error_;
      return data;
    }

   private:
    std::uint32_t crc_error_;
  };
  const Verified well("text", 0);
  const Deflated plain("text");
  const auto made = [](const Content& content) {
    return make([&](LayerWriter& writer) { writer.add(entry("f"), &content); });
  };
  EXPECT_EQ(made(well).blob, made(plain).blob);
  EXPECT_EQ(well.opened, 0);
  const Verified damaged("text", 1);
  EXPECT_THROW(made(damaged), Error);
}

TEST(LayerWriter, PiecesOfTheSourceDoNotShowInTheBytes) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += std::to_string(i * 7919 % 10007) + ",";
  const auto made = [&](std::size_t piece) {
    const InPieces content(text, piece);
    return make([&](LayerWriter& writer) { writer.add(entry("f"), &content); }).blob;
  };
  const Bytes whole = made(text.size());
  EXPECT_EQ(made(1), whole);
  EXPECT_EQ(made(4097), whole);
}

TEST(LayerWriter, TheBytesAreTheSameForEver) {
  // The encoding is a promise: a change here changes the digest of every layer there is, so it must raise layer_format.
  const MemoryContent text("print('hello')\n");
  const Deflated wheel(
      "a file of a wheel\n",
      std::string("\x4b\x54\x48\xcb\xcc\x49\x55\xc8\x4f\x53\x48\x54\x28\xcf\x48\x4d\xcd\xe1\x02\x00", 20));
  const Made made = make([&](LayerWriter& writer) {
    writer.add(entry("app", EntryType::folder), nullptr);
    writer.add(entry("app/main.py"), &text);
    writer.add(entry("app/wheel.txt"), &wheel);
  });
  EXPECT_EQ(made.layer.diff_id.hex(), "9b2a3717f3ac15140fa496e36443cc2f457f0ae41218680580bb362e567f1f93");
  EXPECT_EQ(made.layer.blob.hex(), "7eea171d798264b2a8d11af3db28572f6324406af79892466d026a42fca9a231");
}

TEST(LayerWriter, OtherToolsReadIt) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "layer-test");
  const MemoryContent text("hello\n");
  const Deflated wheel(std::string(100'000, 'w'));
  const Made made = make([&](LayerWriter& writer) {
    writer.add(entry("d", EntryType::folder), nullptr);
    writer.add(entry("d/f"), &text);
    writer.add(entry("d/" + std::string(200, 'n')), &wheel);
    writer.add(entry("e"), &text);
  });
  const auto path = folder.path() / "layer.tar.gz";
  write_text_file(path, as_text(made.blob));
  for (const char* tool : {"tar", "bsdtar"}) {
    const auto target = folder.path() / tool;
    std::filesystem::create_directory(target);
    Command command;
    command.arguments = {tool, "-xzf", path.native(), "-C", target.native()};
    run_checked(command);
    EXPECT_EQ(read_text_file(target / "d" / "f", 100), "hello\n") << tool;
    EXPECT_EQ(read_text_file(target / "d" / std::string(200, 'n'), 200'000), std::string(100'000, 'w')) << tool;
    EXPECT_TRUE(std::filesystem::exists(target / "e")) << tool;
  }
  Command command;
  command.arguments = {"python3", "-c",
                       "import sys, tarfile\n"
                       "print(sum(member.size for member in tarfile.open(sys.argv[1])))",
                       path.native()};
  EXPECT_EQ(run_checked(command), "100012\n");
}

TEST(LayerWriter, ContentThatChangesSizeIsAnError) {
  class Liar : public Content {
   public:
    std::uint64_t size() const override { return 10; }
    std::unique_ptr<ByteSource> open() const override {
      return std::make_unique<MemorySource>(as_bytes(std::string_view("short")));
    }
  };
  const Liar liar;
  EXPECT_THROW(make([&](LayerWriter& writer) { writer.add(entry("f"), &liar); }), Error);
}

}  // namespace
}  // namespace veneer::archive
