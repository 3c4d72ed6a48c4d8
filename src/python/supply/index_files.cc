#include "python/supply/index_files.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "foundation/error.hh"
#include "foundation/process.hh"
#include "net/http.hh"
#include "python/lock/location.hh"
#include "python/lock/pylock.hh"
#include "python/lock/requirements.hh"

namespace veneer::python {

namespace {

/// uv does not say by which index it found a file: the only one of those asked that is on the file's server.
void name_indexes(Pylock& answer, const std::vector<std::string>& options) {
  std::vector<net::SplitUrl> asked;
  for (const std::string& option : options) {
    const std::string place = place_of_index(option);
    if (is_on_a_server(place) && place.find("${") == std::string::npos) asked.push_back(net::split_url(place));
  }
  for (PylockPackage& entry : answer.packages) {
    LockPackage& package = entry.package;
    const LockFile* file = package.sdist ? &*package.sdist : package.wheels.empty() ? nullptr : &package.wheels.front();
    if (file == nullptr || !package.source.location.empty() || !is_on_a_server(file->location)) continue;
    const net::SplitUrl url = net::split_url(file->location);
    std::set<std::string> found;
    for (const net::SplitUrl& index : asked) {
      if (same_origin(index, url)) found.insert(index.without_user_info);
    }
    if (found.size() == 1) package.source.location = *found.begin();
  }
}

}  // namespace

Selection find_releases(const Selection& selection, const std::vector<std::string>& index_options, const Target& target,
                        const UvProgram& uv, const std::filesystem::path& folder) {
  std::string input;
  for (const SelectedPackage& package : selection.packages) {
    if (package.kind == PackageKind::release) input += fmt::format("{}=={}\n", package.name, package.version);
  }
  if (input.empty()) return selection;
  if (uv.path.empty()) {
    throw Error(ErrorKind::not_found, "uv is not on PATH",
                "install uv: it asks the index which files a requirements file means");
  }
  for (const std::string& option : index_options) input += option + "\n";
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
  const Pylock available = in_context([] { return "reading what uv says of the index"; },
                                      [&] {
                                        Pylock answer = parse_pylock(result.output);
                                        name_indexes(answer, index_options);
                                        return answer;
                                      });
  return fill_in(selection, available, target);
}

}  // namespace veneer::python
