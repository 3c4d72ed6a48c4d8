#include "registry/memory.hh"

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"

namespace veneer::registry {

namespace {

constexpr std::uint64_t largest_memory = 1 << 20;
constexpr std::size_t most_repositories = 1000;
constexpr std::uint64_t usual_smaller_chunk = 4 << 20;
constexpr std::uint64_t least_chunk = 64 << 10;

}  // namespace

Remembered read_memory(std::string_view json, std::int64_t now) {
  Remembered remembered;
  try {
    const Value document = parse_json(json);
    const std::int64_t learned = document.at("learned").integer();
    if (learned <= now && now - learned < memory_seconds) {
      const std::int64_t chunk = document.at("chunk").integer();
      const auto most = static_cast<std::int64_t>(UploadLimits{}.chunk);
      remembered.limits.chunk =
          static_cast<std::uint64_t>(std::clamp(chunk, static_cast<std::int64_t>(least_chunk), most));
      remembered.limits.takes_bodies = document.at("bodies").boolean();
      remembered.limits.takes_chunks = document.at("chunks").boolean();
      remembered.limits_learned = learned;
    }
    for (const auto& [repository, manifest] : document.table_or_empty("pushed").table()) {
      remembered.pushed.emplace(repository, ManifestDigest::parse(manifest.string()));
    }
  } catch (const Error&) {
    return {};
  }
  return remembered;
}

std::string memory_json(const Remembered& remembered) {
  Value pushed{Value::Table{}};
  for (const auto& [repository, manifest] : remembered.pushed) pushed.set(repository, manifest.text());
  Value document{Value::Table{}};
  document.set("learned", remembered.limits_learned);
  document.set("chunk", remembered.limits.chunk);
  document.set("bodies", remembered.limits.takes_bodies);
  document.set("chunks", remembered.limits.takes_chunks);
  document.set("pushed", std::move(pushed));
  return to_json(document);
}

Memory::Memory(const std::filesystem::path& cache, std::string_view name, std::int64_t now)
    : path_(cache / "registries" / (std::string(name) + ".json")), now_(now) {
  try {
    remembered_ = read_memory(read_text_file_if_exists(path_, largest_memory).value_or("{}"), now);
  } catch (const Error&) {  // such as a folder of that name
  }
}

UploadLimits Memory::limits() const {
  const std::lock_guard lock(mutex_);
  return remembered_.limits;
}

void Memory::learned() {
  remembered_.limits_learned = now_;
  is_new_ = true;
}

bool Memory::shrink(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size > remembered_.limits.chunk) return true;  // another upload has found out meanwhile
  const std::uint64_t smaller = size > usual_smaller_chunk ? usual_smaller_chunk : size / 2;
  if (smaller < least_chunk) return false;
  remembered_.limits.chunk = smaller;
  learned();
  return true;
}

void Memory::takes_no_bodies() {
  const std::lock_guard lock(mutex_);
  remembered_.limits.takes_bodies = false;
  remembered_.limits.takes_chunks = true;
  learned();
}

void Memory::takes_no_chunks() {
  const std::lock_guard lock(mutex_);
  remembered_.limits.takes_chunks = false;
  remembered_.limits.takes_bodies = true;
  learned();
}

std::optional<ManifestDigest> Memory::pushed(const std::string& repository) const {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.pushed.find(repository);
  if (found == remembered_.pushed.end()) return std::nullopt;
  return found->second;
}

void Memory::set_pushed(const std::string& repository, const ManifestDigest& manifest) {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.pushed.find(repository);
  if (found != remembered_.pushed.end() && found->second == manifest) return;
  if (remembered_.pushed.size() >= most_repositories) remembered_.pushed.clear();
  remembered_.pushed[repository] = manifest;
  is_new_ = true;
}

void Memory::save() {
  const std::lock_guard lock(mutex_);
  if (!is_new_) return;
  try {
    make_folders(path_.parent_path());
    write_text_file(path_, memory_json(remembered_));
  } catch (const Error&) {  // a cache that cannot be written
  }
  is_new_ = false;
}

}  // namespace veneer::registry
