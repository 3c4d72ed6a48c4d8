#include "python/supply/sdist_build.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/compression.hh"
#include "archive/tar.hh"
#include "archive/zip.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "net/http.hh"
#include "python/project/git.hh"
#include "python/supply/wheel_build.hh"

namespace veneer::python {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view source_key_version = "source build 2";
constexpr std::int64_t source_epoch = 315532800;      // 1980-01-01
constexpr std::uint64_t unpacked_limit = 4ull << 30;  // bytes
constexpr std::size_t entry_limit = 200'000;
constexpr std::size_t parent_limit = 20'000;  // folders that only the paths of entries name; each may name thousands

/// `name`, cleaned, if it stays below the folder that it is unpacked to.
fs::path safe_path(const std::string& name) {
  fs::path path = fs::path(name).lexically_normal();
  if (name.empty() || name.find('\0') != std::string::npos || path.is_absolute() || *path.begin() == "..") {
    throw Error(ErrorKind::refused, "the archive holds the path \"" + printable(name) + "\", which leads outside");
  }
  return path;
}

/// Where to write below `root`; no part of the way may be a link that an earlier entry made. Folders on the way are
/// made and taken off `budget`.
fs::path writable_place(const fs::path& root, const fs::path& relative, std::size_t& budget) {
  fs::path place = root;
  for (const fs::path& part : relative.parent_path()) {
    place /= part;
    if (fs::is_symlink(fs::symlink_status(place))) {
      throw Error(ErrorKind::refused, "the archive writes through the link " + printable(place.filename().native()));
    }
    std::error_code error;
    if (fs::create_directory(place, error) && budget-- == 0) {
      throw Error(ErrorKind::refused, fmt::format("the archive has more than {} folders", parent_limit));
    }
    if (error) throw_system_error("make", place, error.value());
  }
  place = root / relative;
  if (fs::is_symlink(fs::symlink_status(place))) fs::remove(place);
  return place;
}

/// A file of a folder that goes away when the build ends: nothing waits until it is on the disk.
class ScratchFile : public ByteSink {
 public:
  ScratchFile(const fs::path& path, mode_t mode) : path_(path) {
    ::unlink(path.c_str());  // of an entry of the same name; it may be what is copied here
    descriptor_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!descriptor_.is_open()) throw_system_error("create", path, errno);
    if (::fchmod(descriptor_.get(), mode) != 0) throw_system_error("set the mode of", path, errno);
  }
  void write(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) throw_system_error("write", path_, errno);
      if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void commit() override {}

 private:
  fs::path path_;
  FileDescriptor descriptor_;
};

void write_file(ByteSource& data, const fs::path& path, bool executable, std::uint64_t& budget) {
  ScratchFile file(path, executable ? 0755 : 0644);
  budget -= copy(data, file, budget);
}

void unpack_tar(const fs::path& archive, const fs::path& target) {
  const std::unique_ptr<ByteSource> bytes = archive::open_sniffed(std::make_unique<File>(archive));
  archive::TarReader reader(*bytes, {.entries = entry_limit});
  std::uint64_t budget = unpacked_limit;
  std::size_t folders = parent_limit;
  while (const auto entry = reader.next()) {
    if (entry->path.empty()) continue;
    const fs::path place = writable_place(target, safe_path(entry->path), folders);
    switch (entry->type) {
      case archive::EntryType::folder: make_folders(place); break;
      case archive::EntryType::file: write_file(reader.data(), place, (entry->mode & 0100) != 0, budget); break;
      case archive::EntryType::symlink:
        safe_path((fs::path(entry->path).parent_path() / entry->link_target).native());
        fs::create_symlink(entry->link_target, place);
        break;
      case archive::EntryType::hard_link: {
        File source(writable_place(target, safe_path(entry->link_target), folders));
        write_file(source, place, (entry->mode & 0100) != 0, budget);
        break;
      }
      default: throw Error(ErrorKind::refused, "the archive holds the device " + printable(entry->path));
    }
  }
}

void unpack_zip(const fs::path& archive, const fs::path& target) {
  const archive::ZipReader reader(std::make_shared<File>(archive),
                                  {.entries = entry_limit, .total_size = unpacked_limit});
  std::uint64_t budget = unpacked_limit;
  std::size_t folders = parent_limit;
  for (const archive::ZipEntry& entry : reader.entries()) {
    const fs::path place = writable_place(target, safe_path(entry.name), folders);
    if (entry.is_folder) {
      make_folders(place.has_filename() ? place : place.parent_path());
    } else {
      write_file(*reader.open(entry), place, entry.unix_mode && (*entry.unix_mode & 0100) != 0, budget);
    }
  }
}

/// The folder to build in what was unpacked: the only folder at the top, if there is but one.
fs::path source_root(const fs::path& unpacked, const std::string& subdirectory) {
  fs::path root = unpacked;
  std::vector<fs::directory_entry> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(unpacked)) entries.push_back(entry);
  if (entries.size() == 1 && fs::is_directory(entries[0].symlink_status())) root = entries[0].path();
  if (!subdirectory.empty()) root /= safe_path(subdirectory);
  if (!fs::is_directory(root)) {
    throw Error(ErrorKind::refused, "the archive has no folder " + printable(subdirectory));
  }
  return root;
}

/// A checkout of the commit with the whole history, as version plugins need it.
fs::path check_out(const SelectedPackage& package, const fs::path& target) {
  const std::string url = package.location.substr(package.location.starts_with("git+") ? 4 : 0);
  if (url.starts_with('-') || package.git_commit.find_first_not_of("0123456789abcdef") != std::string::npos ||
      package.git_commit.size() < 40) {
    throw Error(ErrorKind::refused, "the lock names no commit of " + net::display_url(url));
  }
  fs::create_directory(target);
  const auto git = [&](std::vector<std::string> arguments) {
    const CommandResult result = run(git_command(target, std::move(arguments)));
    if (result.exit_code != 0) {
      throw Error(ErrorKind::network, fmt::format("git cannot get {} at {}: {}", net::display_url(url),
                                                  package.git_commit, printable(result.errors, 1000)));
    }
  };
  git({"clone", "--quiet", "--no-checkout", "--template=", "--", url, "."});
  git({"checkout", "--quiet", "--detach", package.git_commit});
  if (fs::exists(target / ".gitmodules")) git({"submodule", "update", "--quiet", "--init", "--recursive"});
  return package.subdirectory.empty() ? target : target / safe_path(package.subdirectory);
}

fs::path prepare(const SourceBuild& build, const fs::path& scratch) {
  const SelectedPackage& package = build.package;
  if (package.kind == PackageKind::git) return check_out(package, scratch / "source");
  const std::string& name = package.file;
  const bool is_tar = name.ends_with(".tar.gz") || name.ends_with(".tgz");
  const bool is_zip = name.ends_with(".zip");
  if (!is_tar && !is_zip) {
    throw Error(ErrorKind::refused, fmt::format("{} is of a kind that is not supported", printable(name)),
                "source distributions are .tar.gz or .zip");
  }
  if (name.ends_with(".tar.gz") && package.subdirectory.empty() && build.archive.filename() == name)
    return build.archive;
  const fs::path unpacked = scratch / "source";
  fs::create_directory(unpacked);
  if (is_tar) {
    unpack_tar(build.archive, unpacked);
  } else {
    unpack_zip(build.archive, unpacked);
  }
  return source_root(unpacked, package.subdirectory);
}

/// Of all but the interpreter and the compilers.
Hash source_hash(const SourceBuild& build, const UvProgram& uv) {
  Sha256 hash;
  add_field(hash, source_key_version);
  add_field(hash, build.package.name);
  if (build.package.kind == PackageKind::git) {
    add_field(hash, build.package.location);
    add_field(hash, build.package.git_commit);
  } else {
    add_field(hash, build.archive_hash.text());
  }
  add_field(hash, build.package.subdirectory);
  add_field(hash, uv.version);
  for (const auto& [name, value] : uv.environment) add_field(hash, name + "=" + value);
  std::vector<std::string> constraints = build.constraints;
  std::sort(constraints.begin(), constraints.end());
  for (const std::string& constraint : constraints) add_field(hash, constraint);
  return hash.finish();
}

}  // namespace

Hash source_build_key(const SourceBuild& build, const Target& target, const UvProgram& uv) {
  return compiled_key(source_hash(build, uv), target, uv);
}

std::optional<BuiltWheel> find_built(const SourceBuild& build, const Target& target, const UvProgram& uv,
                                     const BuiltWheels& cache) {
  return find_wheel(source_hash(build, uv), build.package.name, target, uv, cache);
}

BuiltWheel build_source(const SourceBuild& build, const Target& target, const UvProgram& uv, BuiltWheels& cache) {
  return in_context(
      [&] {
        return fmt::format("building {} {} from source", printable(build.package.name),
                           printable(build.package.version));
      },
      [&] {
        const auto prepare_build = [&](const fs::path& scratch) {
          UvBuild uv_build;
          uv_build.source = prepare(build, scratch);
          uv_build.source_date_epoch = source_epoch;
          uv_build.constraints = build.constraints;
          uv_build.ceiling = scratch;
          return uv_build;
        };
        return build_wheel({source_hash(build, uv), build.package.name, {}, prepare_build}, target, uv, cache);
      });
}

}  // namespace veneer::python
