// Tar archives from anyone: read or refused; an entry that was read and can be written comes back as it was. Reading in
// order and by seeking find the same.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

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
  const ByteView bytes = std::as_bytes(std::span(data, size));
  MemorySource source(bytes);
  archive::TarLimits limits;
  limits.entries = 1000;
  std::vector<std::string> found;
  try {
    archive::TarReader reader(source, limits);
    while (const auto entry = reader.next()) {
      found.push_back(entry->path + "@" + std::to_string(reader.data_offset()));
      if (entry->path.size() > limits.path_length) std::abort();
      if (reader.data_offset() > size) std::abort();
      const Bytes content = read_all(reader.data(), size);
      if (content.size() != entry->size) std::abort();
      write_and_read(*entry, content);
    }
    found.emplace_back("the end");
  } catch (const Error&) {
  }
  std::vector<std::string> found_by_seeking;
  try {
    archive::TarReader reader(std::make_shared<MemoryAccess>(Bytes(bytes.begin(), bytes.end())), limits);
    while (const auto entry = reader.next()) {
      found_by_seeking.push_back(entry->path + "@" + std::to_string(reader.data_offset()));
    }
    found_by_seeking.emplace_back("the end");
  } catch (const Error&) {
  }
  if (found != found_by_seeking) std::abort();
  return 0;
}
