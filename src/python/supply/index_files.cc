#include "python/supply/index_files.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/process.hh"

namespace veneer::python {

Pylock files_of_releases(const Selection& selection, const RequirementsFile& file, const Target& target,
                         const UvProgram& uv, const std::filesystem::path& folder) {
  std::string input;
  for (const SelectedPackage& package : selection.packages) {
    if (package.kind == PackageKind::release) input += fmt::format("{}=={}\n", package.name, package.version);
  }
  if (input.empty()) return {};
  if (uv.path.empty()) {
    throw Error(ErrorKind::not_found, "uv is not on PATH",
                "install uv: it asks the index which files a requirements file means");
  }
  for (const std::string& option : file.index_options) input += option + "\n";
  Command command;
  command.folder = folder;
  command.input = input;
  command.environment = {{"NO_COLOR", "1"}, {"LC_ALL", "C.UTF-8"}};
  if (uv.cache) command.environment["UV_CACHE_DIR"] = uv.cache->native();
  command.unset = {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_EXCLUDE_NEWER", "UV_CONSTRAINT", "UV_OVERRIDE"};
  // Universal, so that the answer holds every file and the choice among them is made here.
  command.arguments = {uv.path.native(),
                       "pip",
                       "compile",
                       "-",
                       "--universal",
                       "--no-deps",
                       "--no-progress",
                       "--quiet",
                       "--no-python-downloads",
                       "--no-header",
                       "--format",
                       "pylock.toml",
                       "--python-version",
                       target.full_version.substr(0, target.full_version.find_first_not_of("0123456789."))};
  const CommandResult result = run(command);
  if (result.exit_code != 0) {
    throw Error(ErrorKind::network, "uv cannot tell which files the index has: " + printable(result.errors, 2000));
  }
  return in_context([] { return "reading what uv says of the index"; }, [&] { return parse_pylock(result.output); });
}

}  // namespace veneer::python
