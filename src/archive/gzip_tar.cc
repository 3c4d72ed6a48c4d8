#include "archive/gzip_tar.hh"

#include <zlib.h>

#include <array>
#include <vector>

#include "archive/canonical_deflate.hh"
#include "foundation/error.hh"
#include "foundation/parallel.hh"

namespace veneer::archive {

namespace {

constexpr std::size_t piece_size = 4 << 20;

/// The settings are those of LayerWriter. All of `data` in one call, so that the bytes depend on nothing else.
void deflate_all(ByteView data, Bytes& into) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error(ErrorKind::failed, "zlib cannot be set up");
  }
  const std::size_t start = into.size();
  into.resize(start + deflateBound(&stream, data.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(into.data() + start);
  stream.avail_out = static_cast<uInt>(into.size() - start);
  const int result = deflate(&stream, Z_FINISH);
  into.resize(into.size() - stream.avail_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw Error(ErrorKind::failed, "zlib failed");
}

Bytes gzip_member(ByteView data) {
  Bytes member;
  append(member, std::as_bytes(std::span(gzip_member_header)));
  deflate_all(data, member);
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
  append_little_endian<std::uint32_t>(member, static_cast<std::uint32_t>(crc));
  append_little_endian<std::uint32_t>(member, static_cast<std::uint32_t>(data.size()));
  return member;
}

}  // namespace

WrittenLayer gzip_tar(ByteSource& tar, ByteSink& blob) {
  WrittenLayer written;
  Sha256 tar_hash;
  Sha256 blob_hash;
  std::vector<Bytes> pieces(default_workers());
  std::vector<Bytes> members(pieces.size());
  for (bool at_end = false; !at_end;) {
    std::size_t count = 0;
    while (count < pieces.size() && !at_end) {
      Bytes& piece = pieces[count];
      piece.resize(piece_size);
      piece.resize(read_full(tar, piece));
      at_end = piece.size() < piece_size;
      if (piece.empty() && written.tar_size > 0) break;
      tar_hash.update(piece);
      written.tar_size += piece.size();
      ++count;
    }
    parallel_for(count, count, [&](std::size_t i) { members[i] = gzip_member(pieces[i]); });
    for (std::size_t i = 0; i < count; ++i) {
      blob_hash.update(members[i]);
      written.blob_size += members[i].size();
      blob.write(members[i]);
    }
  }
  written.diff_id = {tar_hash.finish()};
  written.blob = {blob_hash.finish()};
  return written;
}

}  // namespace veneer::archive
