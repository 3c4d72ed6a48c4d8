#include "python/supply/wheel_supply.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "python/lock/location.hh"
#include "python/supply/sdist_build.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {

namespace fs = std::filesystem;
namespace {
bool is_url(const std::string& location) { return is_on_a_server(location) || scheme_of(location) == "file"; }

/// What to do about a file or folder that is not there.
std::string moved_hint(const SelectedPackage& package) {
  return package.location.starts_with('/')
             ? "the lock holds a path of the machine that locked; make it relative in pyproject.toml and run: uv lock"
             : "it should lie there, as seen from the lock";
}

bool has_file(const SelectedPackage& package) {
  return package.kind == PackageKind::wheel || package.kind == PackageKind::sdist ||
         package.kind == PackageKind::archive;
}
}  // namespace

WheelSupply::WheelSupply(net::Downloads& downloads, BuiltWheels& built, GitCheckouts& checkouts, const UvProgram& uv,
                         const Target& target, SupplyOptions options)
    : downloads_(downloads),
      built_(built),
      sources_(checkouts),
      uv_(uv),
      target_(target),
      options_(std::move(options)) {}

const UvProgram& WheelSupply::uv() const {
  if (uv_.path.empty()) {
    throw Error(ErrorKind::not_found, "uv is not on PATH", "install uv: it builds the project's own wheel");
  }
  return uv_;
}

net::DownloadRequest WheelSupply::request(const SelectedPackage& package) const {
  net::DownloadRequest request;
  request.location = package.location;
  if (!is_url(request.location)) {
    request.location = (options_.lock_folder / request.location).lexically_normal().native();
  }
  if (request.location.starts_with('/') && !fs::exists(request.location)) {
    throw Error(ErrorKind::not_found,
                fmt::format("{} is not there: {}", printable(package.display_name()), printable(request.location)),
                moved_hint(package));
  }
  request.file_name = package.file;
  request.hash = package.hash;
  request.size = package.size;
  const IndexCredentials::Answer access = options_.credentials.find(request.location, package.index);
  request.credentials = access.credentials;
  request.netrc = access.netrc;
  return request;
}

/// Files whose SHA-256 the lock gives were compared with it when they came.
void WheelSupply::keep(const SelectedPackage& package, const net::DownloadedFile& file) {
  files_.emplace(package.name, file);
  if (package.hash) return;
  bool is_vouched_for = false;
  std::vector<std::string> found;
  for (const std::string& expected : package.hashes) {
    const std::string algorithm = expected.substr(0, expected.find(':'));
    File data(file.path);
    const auto digest = algorithm == "sha256" ? file.hash.text() : digest_text(algorithm, data);
    if (!digest) {
      throw Error(ErrorKind::refused, fmt::format("the lock has a hash of {} by {}, which is not supported",
                                                  printable(package.display_name()), printable(algorithm)));
    }
    if (*digest == expected) {
      found.clear();
      is_vouched_for = algorithm != "md5";
      break;
    }
    found.push_back(*digest);
  }
  if (!found.empty()) {
    throw Error(ErrorKind::verification,
                fmt::format("{} has {}, but the lock says {}", printable(package.file), fmt::join(found, ", "),
                            printable(fmt::format("{}", fmt::join(package.hashes, ", ")))));
  }
  if (is_vouched_for) return;
  if (options_.strictness == Strictness::strict) {
    throw Error(ErrorKind::refused, fmt::format("the lock has no hash of {}", printable(package.display_name())),
                "lock it with an index that gives hashes, or build without --strict");
  }
  computed_hashes_.emplace(package.name, file.hash);
}

std::string wheel_identity(const FileHash& hash) { return "wheel " + hash.hex(); }

std::string WheelSupply::identity(const SelectedPackage& package) {
  if (has_file(package) && !package.hash && !files_.contains(package.name)) {
    keep(package, downloads_.get(request(package)));
  }
  const auto file_hash = [&] { return package.hash ? *package.hash : files_.at(package.name).hash; };
  if (package.kind == PackageKind::wheel) return wheel_identity(file_hash());
  if (package.kind == PackageKind::tree) return wheel_identity(build_folder(package).wheel.hash);
  SourceBuild source{package, {}, {}, options_.build_constraints};
  if (package.kind != PackageKind::git) source.archive_hash = file_hash();
  return "source " + source_build_key(source, target_, uv()).hex();
}

void WheelSupply::fetch(const std::vector<const SelectedPackage*>& packages) {
  std::vector<const SelectedPackage*> wanted;
  std::vector<net::DownloadRequest> requests;
  for (const SelectedPackage* package : packages) {
    if (wheel_files_.contains(package->name) || !has_file(*package) || files_.contains(package->name)) continue;
    wanted.push_back(package);
    requests.push_back(request(*package));
  }
  const auto files = downloads_.get_all(
      requests, std::max<std::size_t>(options_.workers, 8), [&](const net::DownloadProgress& progress) {
        if (options_.progress) {
          options_.progress(fmt::format("downloading {} of {} files, {:.1f} of {:.1f} MB", progress.files_done,
                                        progress.files_total, static_cast<double>(progress.bytes_done) / 1e6,
                                        static_cast<double>(progress.bytes_total) / 1e6));
        }
      });
  for (std::size_t i = 0; i < wanted.size(); ++i) keep(*wanted[i], files[i]);
  for (const SelectedPackage* package : packages) {
    if (wheel_files_.contains(package->name)) continue;
    wheel_files_[package->name] = package->kind == PackageKind::wheel ? files_.at(package->name).path : build(*package);
  }
}

fs::path WheelSupply::build(const SelectedPackage& package) {
  if (package.kind == PackageKind::tree) return build_folder(package).wheel.path;
  return in_context(
      [&] { return fmt::format("building {}", printable(package.display_name())); },
      [&] {
        SourceBuild source{package, {}, {}, options_.build_constraints};
        if (package.kind != PackageKind::git) {
          source.archive = files_.at(package.name).path;
          source.archive_hash = files_.at(package.name).hash;
        }
        if (options_.source_builds == SourceBuilds::refused && !find_built(source, target_, uv(), built_)) {
          throw Error(
              ErrorKind::refused,
              fmt::format("{} has no wheel for the target, and --no-build is given", printable(package.display_name())),
              "build it where that is allowed; its wheel is then in the cache");
        }
        if (options_.progress) options_.progress(fmt::format("building {}", package.display_name()));
        const BuiltWheel wheel = build_source(source, target_, uv(), built_);
        if (wheel.origin == BuildOrigin::built) ++wheels_built_;
        return wheel.path;
      });
}

const AppWheel& WheelSupply::build_folder(const SelectedPackage& package) {
  const auto known = folder_wheels_.find(package.name);
  if (known != folder_wheels_.end()) return known->second;
  return in_context([&] { return fmt::format("building {}", printable(package.display_name())); },
                    [&]() -> const AppWheel& {
                      const fs::path folder = (options_.lock_folder / package.location).lexically_normal();
                      if (!fs::exists(folder)) {
                        throw Error(ErrorKind::not_found,
                                    fmt::format("its folder is not there: {}", printable(folder.native())),
                                    moved_hint(package));
                      }
                      const Project project = read_project(folder);
                      if (options_.progress) options_.progress(fmt::format("building {}", package.display_name()));
                      AppWheel wheel = build_app_wheel(project, target_, uv(), built_, sources_);
                      if (wheel.wheel.origin == BuildOrigin::built) ++wheels_built_;
                      return folder_wheels_.emplace(package.name, std::move(wheel)).first->second;
                    });
}

std::string WheelSupply::built_version(const std::string& name) const {
  const auto known = folder_wheels_.find(name);
  if (known == folder_wheels_.end()) return {};
  return parse_wheel_file_name(known->second.wheel.path.filename().native()).version;
}

Wheel WheelSupply::open(const SelectedPackage& package) {
  ++wheels_opened_;
  const fs::path& path = wheel_files_.at(package.name);
  return open_wheel(std::make_shared<File>(path), path.filename().native(), options_.strictness);
}

}  // namespace veneer::python
