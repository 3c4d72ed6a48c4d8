#include "image/media/oci_layout.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <vector>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/parallel.hh"
#include "image/manifest.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view damaged_hint = "write the image there again; 'veneer build' mends the store of its project";
constexpr std::string_view layout_text = "{\"imageLayoutVersion\":\"1.0.0\"}";

fs::path layout_lock(const fs::path& folder) { return folder / ".veneer-lock"; }

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
    throw Error(ErrorKind::refused, fmt::format("'{}' is not a file", printable(path.native())),
                std::string(damaged_hint));
  }
  return real;
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
  clear_place(to);
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

/// What the file `name` says, by `parse`; Errors name the file.
template <typename Parse>
auto OciLayout::read_as(std::string_view name, const Parse& parse) const {
  try {
    const std::string text = read_text(name);
    return in_context([&] { return fmt::format("reading {}", printable((folder_ / name).native())); },
                      [&] { return parse(text); });
  } catch (Error& error) {
    if (error.hint().empty()) error.set_hint(std::string(damaged_hint));
    throw;
  }
}

OciLayout OciLayout::open(fs::path folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    throw Error(ErrorKind::not_found, fmt::format("there is no folder '{}'", printable(folder.native())));
  }
  OciLayout layout(std::move(folder));
  layout.lock_ = FileLock::share(layout.file_of("oci-layout"));
  layout.read_as("oci-layout", [](const std::string& text) {
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
                          !fs::exists(folder / "oci-layout", error) && !fs::exists(layout_lock(folder), error);
  if (is_strange) {
    throw Error(ErrorKind::refused,
                fmt::format("'{}' holds something else than an OCI layout", printable(folder.native())),
                "name an empty folder, or one that does not exist yet");
  }
  make_folders(folder);
  const FileLock lock = lock_kept(layout_lock(folder), FileLock::Kind::exclusive);
  make_folders(folder / "blobs" / "sha256");
  if (!fs::exists(folder / "index.json")) write_text_file(folder / "index.json", to_json(empty_index()));
  if (!fs::exists(folder / "oci-layout")) write_text_file(folder / "oci-layout", layout_text);
  return open(std::move(folder));
}

Index OciLayout::index() const {
  return in_context([&] { return fmt::format("OCI layout {}", printable(folder_.native())); },
                    [&] { return read_as("index.json", [](const std::string& text) { return parse_index(text); }); });
}

SealedImage OciLayout::read(const ImageRequest& request) const {
  return in_context([&] { return fmt::format("OCI layout {}", printable(folder_.native())); },
                    [&] {
                      (void)index();  // an Error about it names the file
                      return read_indexed_image(*this, read_text("index.json"), request);
                    });
}

void OciLayout::add_document(const BlobDigest& digest, std::string_view text, const KeptFiles& files) {
  const fs::path target = blob_path(digest);
  if (files.is_whole(target, digest.hash)) return;
  write_text_file(target, text);
  files.vouch(target, digest.hash);
}

void OciLayout::add_blob(const Layer& layer, const Blobs& source, const KeptFiles& files) {
  const fs::path target = blob_path(layer.blob);
  if (files.is_whole(target, layer.blob.hash)) return;
  const std::optional<fs::path> file = source.path(layer.blob);
  const bool is_linked = file && files.is_whole(*file, layer.blob.hash) && link_file(*file, target);
  if (!is_linked) copy_blob(*open_blob(source, layer), target);
  files.vouch(target, layer.blob.hash);
}

void OciLayout::write(const SealedImage& image, const Blobs& source, std::string_view tag, const KeptFiles& files,
                      Remote remote) {
  in_context([&] { return fmt::format("writing to the OCI layout {}", printable(folder_.native())); },
             [&] {
               const FileLock lock = lock_kept(layout_lock(folder_), FileLock::Kind::exclusive);
               remove_abandoned(folder_);
               make_folders(folder_ / "blobs" / "sha256");
               std::vector<const Layer*> layers;  // each blob once: images have equal layers, such as empty ones
               std::set<BlobDigest> seen;
               for (const Layer& layer : image.image.layers) {
                 const bool is_left_out = remote == Remote::left_out && !source.is_here(layer.blob);
                 if (!is_left_out && seen.insert(layer.blob).second) layers.push_back(&layer);
               }
               parallel_for(layers.size(), default_workers(), [&](std::size_t i) {
                 add_blob(*layers[i], source, files);
                 fail_point("layout.after-blob");
               });
               add_document({image.config_digest.hash}, image.config, files);
               add_document({image.manifest_digest.hash}, image.manifest, files);

               Value index = read_as("index.json", [](const std::string& text) {
                 (void)parse_index(text);  // what is strange there must not be carried on
                 return parse_json(text);
               });
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

void OciLayout::mend(const fs::path& folder, const KeptFiles& files) {
  if (!fs::is_directory(folder)) return;
  const FileLock lock = lock_kept(layout_lock(folder), FileLock::Kind::exclusive);
  const OciLayout layout(folder);
  // `mended` returns what the file should say.
  const auto mend_file = [&](std::string_view name, std::string_view otherwise, const auto& mended) {
    const fs::path path = folder / name;
    if (!fs::exists(fs::symlink_status(path))) return;
    std::string text(otherwise);
    try {
      const std::string found = layout.read_text(name);
      text = mended(found);
      if (text == found) return;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::failed && ::access(path.c_str(), R_OK) == 0) throw;  // it is not the file's fault
      files.report(path, error.message());
    }
    write_text_file(path, text);
  };
  mend_file("oci-layout", layout_text, [](const std::string& text) {
    if (parse_json(text).at("imageLayoutVersion").string() != "1.0.0") {
      throw Error(ErrorKind::refused, "its version is not 1.0.0");
    }
    return text;
  });
  mend_file("index.json", to_json(empty_index()), [&](const std::string& text) {
    (void)parse_index(text);
    Value index = parse_json(text);
    Value::Array kept;
    for (const Value& entry : index.array_or_empty("manifests")) {
      if (layout.has_documents(parse_descriptor(entry), files)) kept.push_back(entry);
    }
    if (kept.size() == index.array_or_empty("manifests").size()) return text;
    index.set("manifests", std::move(kept));
    return to_json(index);
  });
}

/// Whether the documents that `descriptor` leads to can be read; what is not so is reported.
bool OciLayout::has_documents(const Descriptor& descriptor, const KeptFiles& files) const {
  const DocumentKind kind = document_kind(descriptor.media_type);
  if (kind == DocumentKind::other) return true;
  const fs::path path = blob_path(descriptor.digest);
  if (!fs::exists(fs::symlink_status(path))) {
    files.report(folder_ / "index.json", fmt::format("{} is not there", descriptor.digest.text()));
    return false;
  }
  if (!files.is_whole(path, descriptor.digest.hash)) return false;
  try {
    const Value document = parse_json(read_small_blob(*this, descriptor.digest, descriptor.size));
    if (kind == DocumentKind::index) {
      const Value::Array& entries = document.array_or_empty("manifests");
      return std::all_of(entries.begin(), entries.end(), [&](const Value& entry) {
        const Descriptor next = parse_descriptor(entry);
        return !contains(next.digest) || has_documents(next, files);
      });
    }
    const Descriptor config = parse_descriptor(document.at("config"));
    return files.is_whole(blob_path(config.digest), config.digest.hash);
  } catch (const Error& error) {
    files.report(folder_ / "index.json", error.message());
    return false;
  }
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
    fs::remove_all(entry.path(), error);
    if (error) continue;
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
    throw Error(ErrorKind::not_found, fmt::format("blob {} is not in '{}'", digest.text(), printable(folder_.native())),
                std::string(damaged_hint));
  }
  return open_blob_file(*file, digest, std::string(damaged_hint));
}

}  // namespace veneer::image
