#include "python/supply/uv_build.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "python/project/build_environment.hh"
#include "python/supply/build_failure.hh"

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

BuiltWheel BuiltWheels::get(const Hash& key, const Build& build, const Judge& judge) {
  if (auto cached = find(key)) return *cached;
  const fs::path place = folder_ / key.hex();
  make_folders(place);
  const FileLock lock = lock_kept(place / ".lock", FileLock::Kind::exclusive);
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

void uv_build_wheel(const UvProgram& uv, const UvBuild& build, const fs::path& output, const fs::path& scratch) {
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
  command.inherits = reaches_builds;
  command.folder = fs::is_directory(build.source) ? build.source : scratch;

  std::optional<std::string> python;
  if (!build.python.empty()) {
    Command search = command;
    search.arguments = {uv.path.native(), "python", "find", "--system", "--no-python-downloads", build.python};
    const CommandResult found = run(search);
    if (found.exit_code == 0) python = found.output.substr(0, found.output.find('\n'));
  }
  // The modes of files that the build makes must not depend on the user's umask.
  command.arguments = {"sh",    "-c",      "umask 022; exec \"$@\"", "sh",        uv.path.native(),
                       "build", "--wheel", "--no-progress",          "--out-dir", output.native()};
  if (python) {
    command.arguments.push_back("--python");
    command.arguments.push_back(*python);
  }
  if (!build.constraints.empty()) {
    const fs::path file = scratch / "build-constraints.txt";
    write_text_file(file, fmt::format("{}\n", fmt::join(build.constraints, "\n")));
    command.arguments.push_back("--build-constraints");
    command.arguments.push_back(file.native());
  }
  command.arguments.push_back(build.source.native());
  const CommandResult result = run(command);
  if (result.exit_code == 0) return;
  if (const auto missing = find_missing(result.errors)) {
    throw Error(ErrorKind::failed, fmt::format("{} is missing on this machine", missing->what), missing->hint);
  }
  throw Error(ErrorKind::failed,
              fmt::format("uv build failed with exit code {}:\n{}", result.exit_code, last_lines(result.errors)));
}

}  // namespace veneer::python
