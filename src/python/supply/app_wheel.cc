#include "python/supply/app_wheel.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "archive/zip.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "python/project/lfs.hh"
#include "python/supply/wheel_build.hh"
#include "python/target.hh"
#include "python/wheel/wheel.hh"

namespace veneer::python {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view app_wheel_key = "app wheel 3";
constexpr std::int64_t default_epoch = 315532800;  // 1980-01-01, the first day that a zip file can write

void check_history(const Project& project, const ProjectSources& sources, const UvProgram& uv) {
  if (project.version_plugin.empty()) return;
  const auto is_given = [](const auto& variable) {
    return variable.first.starts_with("SETUPTOOLS_SCM_PRETEND_VERSION") || variable.first == "PDM_BUILD_SCM_VERSION";
  };
  if (std::any_of(uv.environment.begin(), uv.environment.end(), is_given)) return;
  const GitCheckout* git = sources.tree->git.get();
  if (git == nullptr) {
    throw Error(ErrorKind::refused,
                fmt::format("{} takes the version of {} from git, but {} is in no git repository",
                            project.version_plugin, printable(project.name), printable(project.folder.native())),
                "build in a git clone of the project");
  }
  if (git->outermost().repository.history == History::shallow) {
    throw Error(ErrorKind::refused,
                fmt::format("{} takes the version of {} from git's history, but {} is a shallow clone",
                            project.version_plugin, printable(project.name), printable(git->root().native())),
                "run: git fetch --unshallow --tags");
  }
}

std::string read_start(ByteSource& source, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const std::size_t count = source.read(std::as_writable_bytes(std::span(text)).subspan(filled));
    if (count == 0) break;
    filled += count;
  }
  text.resize(filled);
  return text;
}

using Names = std::set<std::string, std::less<>>;

Names members_of(const std::filesystem::path& wheel) {
  Names members;
  const archive::ZipReader reader(std::make_shared<File>(wheel));
  for (const archive::ZipEntry& entry : reader.entries()) members.insert(entry.name);
  return members;
}

/// Relative to the project, which is where the file `path` of `sources` lies; nothing when it lies beside it.
std::optional<std::string> in_project(const ProjectSources& sources, const std::string& path) {
  const std::string start = sources.subfolder.empty() ? "" : sources.subfolder.generic_string() + "/";
  if (!path.starts_with(start)) return std::nullopt;
  return path.substr(start.size());
}

/// What a file of a package is called in a wheel, mostly.
std::string_view installed_name(std::string_view file) {
  if (file.starts_with("src/")) file.remove_prefix(4);
  return file;
}

/// The folders at the top of what it installs.
Names packages_of(const Names& members) {
  Names packages;
  for (const std::string& member : members) {
    const std::size_t slash = member.find('/');
    if (slash == std::string::npos) continue;
    const std::string folder = member.substr(0, slash);
    if (folder.find('.') == std::string::npos) packages.insert(folder);  // dist-info and data have one
  }
  return packages;
}

/// Whether the project's file lies in one of its packages.
bool is_of_package(const Names& packages, std::string_view file) {
  const std::string_view installed = installed_name(file);
  const std::size_t slash = installed.find('/');
  return slash != std::string_view::npos && packages.contains(installed.substr(0, slash));
}

std::vector<std::string> files_that_the_wheel_lacks(const ProjectSources& sources, const Names& members) {
  const Names packages = packages_of(members);
  std::vector<std::string> missing;
  if (!sources.tree->git) return missing;
  for (const std::string& tracked : sources.tree->git->files.tracked) {
    const std::optional<std::string> file = in_project(sources, tracked);
    if (!file) continue;
    const std::string_view name = std::string_view(*file).substr(file->rfind('/') + 1);
    if (name.starts_with(".git")) continue;
    if (is_of_package(packages, *file) && !members.contains(installed_name(*file))) missing.push_back(*file);
  }
  return missing;
}

std::vector<std::string> stand_ins_in_the_wheel(const ProjectSources& sources, const Names& members) {
  std::vector<std::string> found;
  if (!sources.tree->git) return found;
  const std::vector<std::string>& paths = sources.tree->paths;
  for (const GitState& repository : sources.tree->git->repositories) {
    for (const std::string& entry : untracked_entries(repository)) {
      const std::string path = repository.path.empty() ? entry : repository.path + "/" + entry;
      if (std::binary_search(paths.begin(), paths.end(), path)) continue;
      const std::optional<std::string> file = in_project(sources, path);
      if (file && !file->ends_with('/') && members.contains(installed_name(*file))) found.push_back(*file);
    }
  }
  return found;
}

std::vector<std::string> ignored_in_the_wheel(const ProjectSources& sources, const Names& members) {
  std::vector<std::string> found;
  for (const std::string& path : sources.tree->ignored) {
    const std::optional<std::string> file = in_project(sources, path);
    if (file && members.contains(installed_name(*file))) found.push_back(*file);
  }
  return found;
}

std::vector<Secret> secrets_kept_from_the_wheel(const ProjectSources& sources, const Names& members) {
  const Names packages = packages_of(members);
  std::vector<Secret> found;
  for (const Secret& secret : sources.tree->secrets) {
    const std::optional<std::string> file = in_project(sources, secret.path);
    if (file && is_of_package(packages, *file)) found.push_back({*file, secret.kind});
  }
  return found;
}

/// Secrets and pointers of LFS. Stand-ins, which are empty, are none.
void look_at_members(const fs::path& wheel, AppWheel& result) {
  const archive::ZipReader reader(std::make_shared<File>(wheel));
  for (const archive::ZipEntry& entry : reader.entries()) {
    if (entry.is_folder || entry.size == 0) continue;
    const auto start = [&] {
      const auto source = reader.open(entry);
      return read_start(*source, std::min<std::uint64_t>(entry.size, secret_start));
    };
    if (const std::string_view kind = secret_of(entry.name, start); !kind.empty()) {
      result.secrets.push_back({entry.name, kind});
    }
    if (entry.size < lfs_pointer_limit && is_lfs_pointer(start())) result.lfs_pointers.push_back(entry.name);
  }
}

/// Folders of wheels that the project's [tool.uv] find-links names by relative paths, as they are written.
std::vector<std::string> link_folders(const Project& project) {
  std::vector<std::string> folders;
  for (const PackageIndex& index : project.indexes) {
    if (!index.place.ends_with("find-links") || index.url.find("://") != std::string::npos) continue;
    if (fs::path(index.url).is_relative() && fs::is_directory(project.folder / index.url)) folders.push_back(index.url);
  }
  return folders;
}

/// The files there, sorted: a build may take any of them.
std::vector<fs::path> files_of_links(const Project& project, const std::string& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(project.folder / folder)) {
    const fs::path& path = entry.path();
    if ((path.extension() == ".whl" || path.native().ends_with(".tar.gz")) && entry.is_regular_file()) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Lays them into the copy of the project, which lacks what git ignores and what looks like an old build.
void copy_links(const Project& project, const fs::path& copy) {
  for (const std::string& folder : link_folders(project)) {
    const fs::path target = copy / folder;
    // A link to elsewhere, or a folder beside the project, is where it was.
    if (fs::path(folder).lexically_normal().native().starts_with("..")) continue;
    fs::create_directories(target);
    for (const fs::path& file : files_of_links(project, folder)) {
      fs::copy_file(file, target / file.filename(), fs::copy_options::skip_existing);
    }
  }
}

}  // namespace

void check_built_tags(const WheelTags& tags, const Target& target) {
  if (tags.is_pure()) return;
  const std::string python = fmt::format("cp{}{}", target.major, target.minor);
  const std::string abi = python + (target.threading == Threading::free_threaded ? "t" : "");
  const bool right_abi = tags.abi == "none" || tags.abi == "abi3" || tags.abi == abi;
  const bool right_python = tags.abi == "abi3" || tags.python.find("py3") != std::string::npos || tags.python == python;
  const bool right_platform = tags.platform == "any" || (tags.platform.find("linux") != std::string::npos &&
                                                         tags.platform.ends_with(target.machine));
  if (right_abi && right_python && right_platform) return;
  throw Error(ErrorKind::refused,
              fmt::format("the wheel that was built here is for {}-{}-{}, but the base image has {} on {}", tags.python,
                          tags.abi, tags.platform, abi, target.machine),
              fmt::format("it has compiled parts, so build where Python {} is installed (uv python install {})",
                          target.minor_version(), target.minor_version()));
}

void judge_built_wheel(const std::filesystem::path& wheel, const std::string& name, const Target& target) {
  const std::string file_name = wheel.filename().native();
  check_built_tags(wheel_file_tags(file_name), target);
  const Wheel opened = open_wheel(std::make_shared<File>(wheel), file_name);
  verify(opened);
  if (opened.name != name) {
    throw Error(ErrorKind::refused,
                fmt::format("the wheel that was built is of {}, not of {}", printable(opened.name), printable(name)));
  }
}

AppWheel build_app_wheel(const Project& project, const Target& target, const UvProgram& uv, BuiltWheels& cache,
                         SourceFinder& finder) {
  return in_context(
      [&] { return "building the wheel of " + printable(project.name); },
      [&] {
        if (!project.is_package) {
          throw Error(ErrorKind::refused, "it is not a package: pyproject.toml has no [build-system]");
        }
        const ProjectSources sources = finder.find(project.folder);
        check_history(project, sources, uv);
        UvBuild build;
        const std::int64_t commit_time = sources.tree->git ? sources.tree->git->outermost().commit_time : 0;
        build.source_date_epoch = std::max(commit_time, default_epoch);
        build.constraints = project.build_constraints;

        Sha256 hash;
        add_field(hash, app_wheel_key);
        hash.update(sources.fingerprint.bytes);
        add_field(hash, uv.version);
        add_field(hash, std::to_string(build.source_date_epoch));
        for (const std::string& constraint : build.constraints) add_field(hash, constraint);
        for (const auto& [name, value] : uv.environment) add_field(hash, name + "=" + value);

        for (const std::string& folder : link_folders(project)) {
          for (const fs::path& path : files_of_links(project, folder)) {
            File file(path);
            add_field(hash, path.filename().native());
            add_field(hash, sha256(file).hex());
          }
        }

        const auto prepare = [&](const std::filesystem::path& scratch) {
          const std::filesystem::path copy = scratch / "source";
          std::filesystem::create_directory(copy);
          build.source = copy_sources(sources, copy);
          copy_links(project, build.source);
          build.ceiling = scratch;
          return build;
        };
        AppWheel result;
        result.wheel = build_wheel({hash.finish(), project.name, project.requires_python, prepare}, target, uv, cache);
        result.left_out = sources.tree->left_out;
        const Names members = members_of(result.wheel.path);
        result.missing = files_that_the_wheel_lacks(sources, members);
        result.emptied = stand_ins_in_the_wheel(sources, members);
        result.ignored = ignored_in_the_wheel(sources, members);
        result.left_secrets = secrets_kept_from_the_wheel(sources, members);
        look_at_members(result.wheel.path, result);
        return result;
      });
}

}  // namespace veneer::python
