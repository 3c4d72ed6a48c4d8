#include "python/supply/uv_build.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/standard_path.hh"
#include "foundation/text.hh"
#include "python/project/build_environment.hh"
#include "python/supply/build_failure.hh"

extern char** environ;  // NOLINT(readability-redundant-declaration): not every libc declares it

namespace veneer::python {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view uv_hint = "uv builds the wheel; install it (pipx install uv), so that it is on PATH";

std::optional<fs::path> only_wheel(const fs::path& folder) {
  std::optional<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".whl") continue;
    if (found) throw Error(ErrorKind::failed, "there are two wheels in " + printable(folder.native()));
    found = entry.path();
  }
  return found;
}

void remove_wheels(const fs::path& folder) {
  std::vector<fs::path> wheels;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".whl" || path.extension() == ".sha256") wheels.push_back(path);
  }
  for (const fs::path& path : wheels) fs::remove_all(path);
}

BuiltWheel describe(const fs::path& path, const FileHash& hash, BuildOrigin origin) {
  BuiltWheel wheel;
  wheel.path = path;
  wheel.size = fs::file_size(path);
  wheel.hash = hash;
  wheel.tags = wheel_file_tags(path.filename().native());
  wheel.origin = origin;
  return wheel;
}

void sync(const fs::path& path) {
  const FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open() || ::fsync(descriptor.get()) != 0) throw_system_error("write", path, errno);
}

/// Variables of uv that name folders of wheels, and what stands between two of them.
constexpr std::array<std::pair<const char*, char>, 5> link_variables = {{{"UV_FIND_LINKS", ','},
                                                                         {"UV_INDEX", ' '},
                                                                         {"UV_EXTRA_INDEX_URL", ' '},
                                                                         {"UV_DEFAULT_INDEX", '\0'},
                                                                         {"UV_INDEX_URL", '\0'}}};

/// Builds run elsewhere than where their caller stands: what such variables name relative to that, by whole paths.
std::map<std::string, std::string> whole_links() {
  std::map<std::string, std::string> values;
  for (const auto& [variable, separator] : link_variables) {
    const char* text = ::getenv(variable);
    if (text == nullptr) continue;
    std::string value;
    for (const std::string& item : split_fields(text, separator)) {
      const std::size_t equals = item.find('=');  // "name=folder" of UV_INDEX
      const std::size_t start =
          equals == std::string::npos || std::string_view(variable) != "UV_INDEX" ? 0 : equals + 1;
      const fs::path place = item.substr(start);
      std::error_code error;
      const bool is_folder = !place.empty() && place.is_relative() && fs::is_directory(place, error);
      if (!value.empty()) value += separator;
      value += item.substr(0, start) + (is_folder ? fs::canonical(place, error).native() : place.native());
    }
    values[variable] = value;
  }
  return values;
}

/// Files and folders that the caller's variables name, as they are called without links.
std::map<std::string, fs::path> places_of_variables() {
  std::map<std::string, fs::path> places;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !reaches_builds(text.substr(0, equals))) continue;
    const fs::path value = text.substr(equals + 1);
    std::error_code error;
    if (!value.is_absolute() || !fs::exists(value, error)) continue;
    const fs::path real = fs::canonical(value, error);
    if (!error && real != "/") places.emplace(text.substr(0, equals), real);
  }
  return places;
}

/// Makes `command` run in `place`.
void enter(const Workshop::Place& place, const UvProgram& uv, const std::string& name, const fs::path& output,
           const fs::path& scratch, Command& command) {
  std::map<std::string, fs::path> named = places_of_variables();
  named["UV_CACHE_DIR"] = place.kept / "uv";  // of wheels that were built elsewhere it would take some
  named["CARGO_TARGET_DIR"] = place.kept / "cargo" / path_name(name);
  fs::path cargo;
  if (const auto home = named.find("HOME"); home != named.end()) cargo = home->second / ".cargo";
  if (const auto home = named.find("CARGO_HOME"); home != named.end()) cargo = home->second;
  std::vector<std::string> seen = {fs::canonical(uv.path).native(), output.native(), scratch.native()};
  for (const auto& [variable, path] : named) {
    if (path.native().starts_with(place.kept.native())) make_folders(path);
    command.environment[variable] = path.native();
    seen.push_back(path.native());
  }
  for (const auto& [variable, separator] : link_variables) {
    const auto links = command.environment.find(variable);
    if (links == command.environment.end()) continue;
    for (const std::string& item : split_fields(links->second, separator)) {
      const std::size_t root = item.starts_with('/') ? 0 : item.find("=/") + 1;
      std::error_code error;
      if (item.starts_with('/') || root > 0) {
        const fs::path folder = item.substr(root);
        if (fs::is_directory(folder, error)) seen.push_back(fs::canonical(folder, error).native());
      }
    }
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::vector<std::string> words = place.words;
  const fs::path work = scratch / "sandbox";
  make_folders(work);
  words.push_back(place.root.native());
  words.push_back(work.native());
  words.insert(words.end(), seen.begin(), seen.end());
  words.push_back("--");
  words.push_back(command.folder->native());
  words.push_back("env");
  words.push_back(fmt::format("PATH={}/bin:{}", cargo.native(), standard_path));
  words.push_back("UV_PYTHON_DOWNLOADS=never");
  // uv as it is called without links
  std::replace(command.arguments.begin(), command.arguments.end(), uv.path.native(), fs::canonical(uv.path).native());
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  command.arguments = std::move(words);
}

}  // namespace

UvProgram find_uv(const fs::path& path) {
  UvProgram uv;
  // A path with folders must hold wherever the program runs; a bare name is looked up in PATH.
  uv.path = path.has_parent_path() ? fs::absolute(path) : path;
  Command command;
  command.arguments = {path.native(), "--version"};
  try {
    const std::string text = run_checked(command);  // "uv 0.9.5 (...)"
    const std::size_t start = text.find(' ');
    if (text.starts_with("uv ") && start != std::string::npos) {
      uv.version = text.substr(start + 1, text.find_first_of(" \n", start + 1) - start - 1);
    }
  } catch (Error& error) {
    error.set_hint(std::string(uv_hint));
    throw;
  }
  if (uv.version.empty()) {
    throw Error(ErrorKind::failed, printable(path.native()) + " --version does not answer like uv",
                std::string(uv_hint));
  }
  return uv;
}

WheelTags wheel_file_tags(std::string_view file_name) {
  const std::string shown = printable(file_name);
  if (!file_name.ends_with(".whl")) throw Error(ErrorKind::refused, shown + " is not the name of a wheel");
  file_name.remove_suffix(4);
  WheelTags tags;
  for (std::string* field : {&tags.platform, &tags.abi, &tags.python}) {
    const std::size_t dash = file_name.rfind('-');
    if (dash == std::string_view::npos) throw Error(ErrorKind::refused, shown + " is not the name of a wheel");
    *field = file_name.substr(dash + 1);
    file_name = file_name.substr(0, dash);
  }
  return tags;
}

std::optional<BuiltWheel> BuiltWheels::find(const Hash& key) const {
  const std::optional<fs::path> path = only_wheel(folder_ / key.hex());
  if (!path) return std::nullopt;
  const std::optional<Hash> hash = files_->kept_hash(*path);
  if (!hash || !files_->is_whole(*path, *hash)) return std::nullopt;
  return describe(*path, {*hash}, BuildOrigin::cache);
}

BuiltWheel BuiltWheels::get(const Hash& key, const Build& build, const Judge& judge, const KeyOf& key_of) {
  if (auto cached = find(key)) return *cached;
  make_folders(folder_ / key.hex());
  const FileLock lock = lock_kept(folder_ / key.hex() / ".lock", FileLock::Kind::exclusive);
  if (auto cached = find(key)) return *cached;
  const TemporaryFolder work(folder_.parent_path() / "tmp", "build");
  const fs::path output = work.path() / "wheel";
  const fs::path scratch = work.path() / "scratch";
  make_folders(output);
  make_folders(scratch);
  build(output, scratch);
  const std::optional<fs::path> built = only_wheel(output);
  if (!built) throw Error(ErrorKind::failed, "the build ended well but left no wheel");
  judge(*built);
  const fs::path place = folder_ / key_of(wheel_file_tags(built->filename().native())).hex();
  make_folders(place);
  File file(*built);
  const FileHash hash{sha256(file)};
  sync(*built);
  remove_wheels(place);  // damaged ones, perhaps by another name
  const fs::path target = place / built->filename();
  files_->keep_hash(target, hash.hash);
  fail_point("built-wheel.rename");
  if (::rename(built->c_str(), target.c_str()) != 0) throw_system_error("rename", *built, errno);
  files_->vouch(target, hash.hash);
  return describe(target, hash, BuildOrigin::built);
}

std::optional<std::string> find_python(const UvProgram& uv, const std::string& request) {
  Command search;
  search.inherits = reaches_builds;
  search.folder = "/";  // whatever a .python-version here says
  search.arguments = {uv.path.native(), "python", "find", "--system", "--no-python-downloads", request};
  const CommandResult found = run(search);
  if (found.exit_code != 0) return std::nullopt;
  return found.output.substr(0, found.output.find('\n'));
}

void uv_build_wheel(const UvProgram& uv, const UvBuild& build, const Workshop::Place* place, const fs::path& output,
                    const fs::path& scratch) {
  Command command;
  command.environment = uv.environment;
  command.environment["SOURCE_DATE_EPOCH"] = std::to_string(build.source_date_epoch);
  command.environment["PYTHONHASHSEED"] = "0";
  command.environment["TZ"] = "UTC";
  command.environment["LC_ALL"] = "C.UTF-8";
  command.environment["NO_COLOR"] = "1";
  command.environment["TMPDIR"] = scratch.native();
  command.environment["GIT_CEILING_DIRECTORIES"] = build.ceiling.native();
  if (uv.cache) command.environment["UV_CACHE_DIR"] = uv.cache->native();
  for (const auto& [variable, value] : whole_links()) command.environment.emplace(variable, value);
  command.inherits = reaches_builds;
  command.folder = fs::is_directory(build.source) ? build.source : scratch;

  std::vector<std::string> words = {uv.path.native(), "build",         "--wheel",  "--no-progress",
                                    "--out-dir",      output.native(), "--python", build.python};
  if (!build.constraints.empty()) {
    const fs::path file = scratch / "build-constraints.txt";
    write_text_file(file, fmt::format("{}\n", fmt::join(build.constraints, "\n")));
    words.push_back("--build-constraints");
    words.push_back(file.native());
  }
  words.push_back(build.source.native());
  // The modes of files that the build makes must not depend on the user's umask.
  command.arguments = {"sh", "-c", "umask 022; exec \"$@\"", "sh"};
  command.arguments.insert(command.arguments.end(), words.begin(), words.end());
  if (place != nullptr) enter(*place, uv, build.name, output, scratch, command);
  const CommandResult result = run(command);
  if (result.exit_code == 0) return;
  if (const auto missing = find_missing(result.errors)) {
    if (place != nullptr) {
      throw Error(
          ErrorKind::failed, fmt::format("{} is missing where it is built", missing->what),
          missing->package.empty()
              ? "name the Debian package that has it in packages of [tool.veneer.build], beside the default ones"
              : fmt::format("say in pyproject.toml:\n  [tool.veneer.build]\n  packages = [\"{}\"]    # beside "
                            "the default ones",
                            missing->package));
    }
    throw Error(ErrorKind::failed, fmt::format("{} is missing on this machine", missing->what), missing->hint);
  }
  throw Error(ErrorKind::failed,
              fmt::format("uv build failed with exit code {}:\n{}", result.exit_code, last_lines(result.errors)));
}

}  // namespace veneer::python
