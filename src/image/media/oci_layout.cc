#include "image/media/oci_layout.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "image/manifest.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view layout_text = "{\"imageLayoutVersion\":\"1.0.0\"}";

fs::path lock_path(const fs::path& folder) { return folder / ".veneer-lock"; }

Value empty_index() {
  Value index;
  index.set("schemaVersion", 2);
  index.set("mediaType", oci_index_type);
  index.set("manifests", Value::Array{});
  return index;
}

/// `path` (inside `folder`) when it is a regular file, or a link to one inside `folder`. Nothing when it is missing.
std::optional<fs::path> file_inside(const fs::path& folder, const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error == std::errc::no_such_file_or_directory) return std::nullopt;
  if (error) throw_system_error("read", path, error.value());
  const fs::path root = fs::canonical(folder);
  if (std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first != root.end()) {
    throw Error(ErrorKind::refused, fmt::format("'{}' leads out of the layout, to '{}'", printable(path.native()),
                                                printable(real.native())));
  }
  if (!fs::is_regular_file(real)) {
    throw Error(ErrorKind::refused, fmt::format("'{}' is not a file", printable(path.native())));
  }
  return real;
}

bool has_size(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  if (fs::is_symlink(path, error)) return false;
  const std::uint64_t found = fs::file_size(path, error);
  return !error && found == size;
}

/// Links `from` to `to` under a temporary name and renames; false when the file system does not let us.
bool link_file(const fs::path& from, const fs::path& to) {
  const fs::path temporary = to.parent_path() / fmt::format(".{}.{}.tmp", to.filename().native(), random_name());
  if (::link(from.c_str(), temporary.c_str()) != 0) return false;
  const int result = ::rename(temporary.c_str(), to.c_str());
  const int error_number = errno;
  ::unlink(temporary.c_str());  // rename() does nothing when both are the same file already
  if (result != 0) throw_system_error("create", to, error_number);
  return true;
}

void copy_blob(ByteSource& from, const fs::path& to) {
  AtomicFile file(to);
  copy(from, file);
  file.commit();
}

}  // namespace

fs::path OciLayout::blob_path(const BlobDigest& digest) const { return folder_ / "blobs" / "sha256" / digest.hex(); }

fs::path OciLayout::file_of(std::string_view name) const {
  std::optional<fs::path> path = file_inside(folder_, folder_ / name);
  if (path) return *std::move(path);
  throw Error(ErrorKind::refused,
              fmt::format("'{}' is no OCI layout: it has no {}", printable(folder_.native()), name));
}

std::string OciLayout::read_text(std::string_view name) const {
  return read_text_file(file_of(name), small_blob_limit);
}

OciLayout OciLayout::open(fs::path folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    throw Error(ErrorKind::not_found, fmt::format("there is no folder '{}'", printable(folder.native())));
  }
  OciLayout layout(std::move(folder));
  layout.lock_ = FileLock::share(layout.file_of("oci-layout"));
  const std::string text = layout.read_text("oci-layout");
  in_context([&] { return fmt::format("reading {}", printable((layout.folder_ / "oci-layout").native())); },
             [&] {
               const std::string version = parse_json(text).at("imageLayoutVersion").string();
               if (version != "1.0.0") {
                 throw Error(ErrorKind::refused,
                             fmt::format("layout version '{}' is not supported, only 1.0.0 is", printable(version)));
               }
             });
  return layout;
}

OciLayout OciLayout::create(fs::path folder) {
  std::error_code error;
  const bool is_strange = fs::exists(folder, error) && !fs::is_empty(folder, error) &&
                          !fs::exists(folder / "oci-layout", error) && !fs::exists(lock_path(folder), error);
  if (is_strange) {
    throw Error(ErrorKind::refused,
                fmt::format("'{}' holds something else than an OCI layout", printable(folder.native())),
                "name an empty folder, or one that does not exist yet");
  }
  make_folders(folder);
  const FileLock lock(lock_path(folder), FileLock::Kind::exclusive);
  make_folders(folder / "blobs" / "sha256");
  if (!fs::exists(folder / "index.json")) write_text_file(folder / "index.json", to_json(empty_index()));
  if (!fs::exists(folder / "oci-layout")) write_text_file(folder / "oci-layout", layout_text);
  return open(std::move(folder));
}

Index OciLayout::index() const {
  return in_context([&] { return fmt::format("OCI layout {}", printable(folder_.native())); },
                    [&] { return parse_index(read_text("index.json")); });
}

SealedImage OciLayout::read(const ImageRequest& request) const {
  return in_context([&] { return fmt::format("OCI layout {}", printable(folder_.native())); },
                    [&] { return read_indexed_image(*this, read_text("index.json"), request); });
}

void OciLayout::add_document(const BlobDigest& digest, std::string_view text) {
  const fs::path target = blob_path(digest);
  if (!has_size(target, text.size())) write_text_file(target, text);
}

void OciLayout::add_blob(const Layer& layer, const Blobs& source) {
  const fs::path target = blob_path(layer.blob);
  if (has_size(target, layer.size)) return;
  const auto reader = open_blob(source, layer);
  if (const std::optional<fs::path> file = source.path(layer.blob); file && has_size(*file, layer.size)) {
    CountingSink verified;
    copy(*reader, verified);
    if (link_file(*file, target)) return;
    copy_blob(*open_blob(source, layer), target);
    return;
  }
  copy_blob(*reader, target);
}

void OciLayout::write(const SealedImage& image, const Blobs& source, std::string_view tag) {
  in_context([&] { return fmt::format("writing to the OCI layout {}", printable(folder_.native())); },
             [&] {
               const FileLock lock(lock_path(folder_), FileLock::Kind::exclusive);
               remove_abandoned(folder_);
               make_folders(folder_ / "blobs" / "sha256");
               for (const Layer& layer : image.image.layers) {
                 add_blob(layer, source);
                 fail_point("layout.after-blob");
               }
               add_document({image.config_digest.hash}, image.config);
               add_document({image.manifest_digest.hash}, image.manifest);

               const std::string text = read_text("index.json");
               (void)parse_index(text);  // what is strange there must not be carried on
               Value index = parse_json(text);
               Value::Array manifests;
               for (const Value& entry : index.array_or_empty("manifests")) {
                 const Annotations annotations = parse_descriptor(entry).annotations;
                 const auto name = annotations.find(std::string(ref_name_annotation));
                 if (name == annotations.end() || name->second != tag) manifests.push_back(entry);
               }
               manifests.push_back(manifest_descriptor(image, {{std::string(ref_name_annotation), std::string(tag)}}));
               index.set("manifests", std::move(manifests));
               fail_point("layout.before-index");
               write_text_file(folder_ / "index.json", to_json(index));
               fail_point("layout.after-index");
             });
}

OciLayout::Pruned OciLayout::prune() {
  if (!lock_ || !lock_->try_exclusive()) return {};
  struct ShareAgain {
    FileLock& lock;
    ~ShareAgain() { lock.share(); }
  } const share_again{*lock_};
  return remove_blobs_except(needed_blobs());
}

std::set<std::string> OciLayout::needed_blobs() const {
  std::set<std::string> needed;
  std::vector<Descriptor> open = index().manifests;
  while (!open.empty()) {
    const Descriptor descriptor = std::move(open.back());
    open.pop_back();
    if (!needed.insert(descriptor.digest.hex()).second || !contains(descriptor.digest)) continue;
    const DocumentKind kind = document_kind(descriptor.media_type);
    if (kind == DocumentKind::other) continue;
    const std::string json = read_small_blob(*this, descriptor.digest, descriptor.size);
    // Everything that a document names by digest is kept, whether or not this version could run it.
    const Value document = parse_json(json);
    if (kind == DocumentKind::index) {
      for (const Value& entry : document.array_or_empty("manifests")) open.push_back(parse_descriptor(entry));
    } else {
      needed.insert(parse_descriptor(document.at("config")).digest.hex());
      for (const Value& entry : document.array_or_empty("layers")) needed.insert(parse_descriptor(entry).digest.hex());
    }
  }
  return needed;
}

OciLayout::Pruned OciLayout::remove_blobs_except(const std::set<std::string>& needed) {
  Pruned pruned;
  std::vector<fs::directory_entry> surplus;
  for (const auto& entry : fs::directory_iterator(folder_ / "blobs" / "sha256")) {
    if (!needed.contains(entry.path().filename().native())) surplus.push_back(entry);
  }
  for (const auto& entry : surplus) {
    std::error_code error;
    const std::uint64_t size = entry.is_regular_file(error) ? entry.file_size(error) : 0;
    if (!fs::remove(entry.path(), error)) continue;
    ++pruned.blobs;
    pruned.bytes += size;
  }
  return pruned;
}

bool OciLayout::contains(const BlobDigest& digest) const { return path(digest).has_value(); }

std::optional<fs::path> OciLayout::path(const BlobDigest& digest) const {
  return file_inside(folder_, blob_path(digest));
}

std::unique_ptr<ByteSource> OciLayout::open(const BlobDigest& digest) const {
  const std::optional<fs::path> file = path(digest);
  if (!file) {
    throw Error(ErrorKind::not_found,
                fmt::format("blob {} is not in '{}'", digest.text(), printable(folder_.native())));
  }
  return verify_blob(std::make_unique<File>(*file), digest);
}

}  // namespace veneer::image
