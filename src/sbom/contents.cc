#include "sbom/contents.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "archive/content.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"
#include "image/history.hh"
#include "image/open_layer.hh"
#include "image/run_config.hh"
#include "python/name.hh"
#include "python/wheel/metadata.hh"
#include "tree/apply_layer.hh"
#include "tree/hashed_content.hh"
#include "tree/read_text.hh"

namespace veneer::sbom {

namespace {

constexpr std::uint64_t metadata_limit = 256 << 10;  // headers come first; descriptions may be longer
constexpr std::uint64_t status_limit = 32 << 20;
constexpr std::uint64_t most_kept = 256 << 20;  // of all of them at a time
constexpr std::size_t longest_word = 200;
constexpr std::string_view dpkg_status = "var/lib/dpkg/status";
constexpr std::string_view dpkg_folder = "var/lib/dpkg/status.d/";
constexpr std::string_view metadata_ends[] = {".dist-info/METADATA", ".egg-info/PKG-INFO", ".egg-info"};

/// The start of a file.
class KeptText : public archive::MemoryContent {
 public:
  KeptText(Bytes bytes, std::shared_ptr<std::uint64_t> kept) : MemoryContent(std::move(bytes)), kept_(std::move(kept)) {
    *kept_ += size();
  }
  KeptText(const KeptText&) = delete;
  KeptText& operator=(const KeptText&) = delete;
  ~KeptText() override { *kept_ -= size(); }

 private:
  std::shared_ptr<std::uint64_t> kept_;
};

bool is_metadata(std::string_view path) {
  return std::ranges::any_of(metadata_ends, [&](std::string_view end) { return path.ends_with(end); });
}

/// How much is to be kept of a file; 0 for most.
std::uint64_t kept_bytes(std::string_view path) {
  if (path.ends_with(dpkg_status) || path.ends_with("os-release") || path.find(dpkg_folder) != std::string_view::npos) {
    return status_limit;
  }
  return is_metadata(path) ? metadata_limit : 0;
}

tree::FileTree read_tree(const image::Image& image, const image::Blobs& blobs) {
  tree::FileTree tree;
  const auto kept = std::make_shared<std::uint64_t>(0);
  const auto keep = [&](const archive::TarEntry& entry, ByteSource& data,
                        std::uint64_t) -> std::shared_ptr<const archive::Content> {
    const std::uint64_t most = kept_bytes(entry.path);
    if (most == 0) return std::make_shared<tree::HashedContent>(entry.size, Hash{});
    const std::uint64_t wanted = std::min(most, entry.size);
    if (wanted < entry.size && !is_metadata(entry.path)) {
      throw Error(ErrorKind::refused, fmt::format("{} has more than {} bytes", printable(entry.path), status_limit));
    }
    if (*kept + wanted > most_kept) {
      throw Error(ErrorKind::refused, "the files that say what is installed are larger than those of any real image");
    }
    Bytes bytes(wanted);
    bytes.resize(read_full(data, bytes));
    return std::make_shared<KeptText>(std::move(bytes), kept);
  };
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const image::Layer& layer = image.layers[i];
    in_context(
        [&] { return fmt::format("layer {} ({})", i + 1, layer.blob.text()); },
        [&] { image::read_layer(blobs, layer, [&](ByteSource& tar) { tree::apply_layer(tree, tar, i, keep); }); });
  }
  return tree;
}

[[noreturn]] void throw_too_many() {
  throw Error(ErrorKind::refused, fmt::format("the image says that it has more than {} packages", most_packages));
}

std::vector<base::InstalledPackage> read_debian(const tree::FileTree& tree, std::size_t& improper) {
  using base::DpkgState;
  std::vector<base::InstalledPackage> all = base::packages_in_status(tree::read_text(tree, dpkg_status, status_limit),
                                                                     DpkgState::installed, most_packages + 1);
  for (auto entry = tree.entries().lower_bound(dpkg_folder);
       entry != tree.entries().end() && entry->first.starts_with(dpkg_folder); ++entry) {
    if (entry->second.inode->type != archive::EntryType::file || entry->first.ends_with(".md5sums")) continue;
    for (base::InstalledPackage& package :
         base::packages_in_status(tree::read_text(tree, entry->first, status_limit), DpkgState::any, most_packages)) {
      all.push_back(std::move(package));
    }
    if (all.size() > most_packages) break;
  }
  if (all.size() > most_packages) throw_too_many();
  improper += std::erase_if(all, [](const base::InstalledPackage& package) { return !is_proper(package); });
  const auto identity = [](const base::InstalledPackage& package) {
    return std::tie(package.name, package.architecture, package.version);
  };
  std::ranges::sort(all, {}, identity);
  const auto twice = std::ranges::unique(all, {}, identity);
  all.erase(twice.begin(), twice.end());
  return all;
}

/// "app/.venv/lib/python3.12/site-packages" of a metadata file's path; nothing where distributions do not count.
bool is_installed(std::string_view path) {
  if (!path.ends_with(".egg-info")) path = tree::parent_path(path);
  const std::string_view folder = tree::parent_path(path);
  const std::string_view name = tree::base_name(folder);
  return (name == "site-packages" || name == "dist-packages") && folder != "usr/lib/python3/dist-packages";
}

std::optional<std::size_t> application_layer(const image::Image& image) {
  const auto history = image::history_of_layers(image.config.history, image.layers.size());
  for (std::size_t i = history.size(); i-- > 0;) {
    if (history[i].is_certain && history[i].created_by.starts_with("veneer: application ")) return i;
  }
  return std::nullopt;
}

std::vector<Distribution> read_python(const tree::FileTree& tree, const image::Image& image,
                                      const image::InstalledFiles& files, std::size_t& improper) {
  const std::optional<std::size_t> own = application_layer(image);
  const std::string environment = image::environment_variable(image.config, "VIRTUAL_ENV");
  std::map<std::pair<std::string, std::string>, Distribution> found;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::file || !is_metadata(path) || !is_installed(path)) continue;
    auto distribution = read_distribution(tree::read_text(tree, path, metadata_limit));
    if (!distribution) {
      ++improper;
      continue;
    }
    distribution->is_project = own == entry.layer;
    const auto file = files.distributions.find(distribution->name);
    const bool is_in_environment = environment.size() > 1 && ("/" + path).starts_with(environment + "/");
    if (file != files.distributions.end() && is_in_environment) distribution->file = file->second;
    Distribution& known = found[{distribution->name, distribution->version}];
    if (known.name.empty() || (distribution->file && !known.file)) known = std::move(*distribution);
    if (found.size() > most_packages) throw_too_many();
  }
  std::vector<Distribution> result;
  for (auto& [key, distribution] : found) result.push_back(std::move(distribution));
  return result;
}

bool consists_of(std::string_view text, std::string_view others) {
  return !text.empty() && text.size() <= longest_word && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool is_proper(const base::InstalledPackage& package) {
  return consists_of(package.name, "+-.") && consists_of(package.version, "+-.:~") &&
         consists_of(package.architecture, "-");
}

std::optional<Distribution> read_distribution(std::string_view metadata) {
  const python::Headers headers(metadata);
  const std::vector<std::string> names = headers.all("Name");
  const std::vector<std::string> versions = headers.all("Version");
  if (names.empty() || versions.empty()) return std::nullopt;
  if (!python::is_valid_name(names[0]) || names[0].size() > longest_word || !consists_of(versions[0], "+-.!_")) {
    return std::nullopt;
  }
  std::vector<std::string> said = headers.all("License-Expression");
  for (std::string& text : headers.all("License")) said.push_back(std::move(text));
  return Distribution{python::normalised_name(names[0]), versions[0],
                      python::licence_of(said, headers.all("Classifier")), std::nullopt, false};
}

ImageContents read_contents(const image::Image& image, const image::Blobs& blobs) {
  const tree::FileTree tree = read_tree(image, blobs);
  const image::InstalledFiles files = image::read_files_label(image::label_of(image.config, image::files_label));
  ImageContents contents;
  std::size_t improper = 0;
  contents.release = base::read_os_release(tree);
  contents.debian = read_debian(tree, improper);
  contents.python = read_python(tree, image, files, improper);
  contents.interpreter = files.interpreter;
  if (improper > 0) {
    contents.notes.push_back(
        fmt::format("{} packages whose metadata do not name them properly are left out", improper));
  }
  for (const auto& [path, name] : {std::pair("lib/apk/db/installed", "apk"), std::pair("var/lib/rpm", "rpm"),
                                   std::pair("usr/lib/sysimage/rpm", "rpm"), std::pair("var/lib/pacman", "pacman")}) {
    if (tree.contains(path)) contents.notes.push_back(fmt::format("packages of {} are not listed", name));
  }
  return contents;
}

}  // namespace veneer::sbom
