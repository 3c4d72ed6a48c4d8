// Tar archives from anyone: read or refused; an entry that was read and can be written comes back as it was.
#include <cstdint>
#include <cstdlib>

#include "archive/tar.hh"
#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "foundation/stream.hh"

using namespace veneer;

namespace {

void write_and_read(const archive::TarEntry& entry, ByteView data) {
  Bytes tar;
  try {
    tar = archive::tar_header(entry);
  } catch (const Error&) {
    return;  // a path that no layer of ours may hold
  }
  append(tar, data);
  tar.resize(tar.size() + archive::tar_padding(data.size()) + archive::tar_end_size);
  if (tar.size() % 512 != 0) std::abort();
  MemorySource source(tar);
  archive::TarReader reader(source);
  const auto again = reader.next();
  if (!again || again->path != entry.path || again->type != entry.type || again->mode != entry.mode ||
      again->uid != entry.uid || again->gid != entry.gid || again->mtime != entry.mtime || again->size != entry.size ||
      again->link_target != entry.link_target || again->xattrs != entry.xattrs) {
    std::abort();
  }
  if (read_all(reader.data(), data.size()) != Bytes(data.begin(), data.end()) || reader.next()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemorySource source(std::as_bytes(std::span(data, size)));
  archive::TarLimits limits;
  limits.entries = 1000;
  try {
    archive::TarReader reader(source, limits);
    while (const auto entry = reader.next()) {
      if (entry->path.size() > limits.path_length) std::abort();
      if (reader.data_offset() > size) std::abort();
      const Bytes content = read_all(reader.data(), size);
      if (content.size() != entry->size) std::abort();
      write_and_read(*entry, content);
    }
  } catch (const Error&) {
  }
  return 0;
}
