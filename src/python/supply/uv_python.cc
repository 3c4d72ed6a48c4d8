#include "python/supply/uv_python.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "net/http.hh"
#include "python/lock/location.hh"
#include "python/version.hh"

namespace veneer::python {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view ways_out =
    "take the Python of a Debian release (--python 3.13), or a base that has the one that is wanted (--base "
    "docker:python:3.12-slim); UV_PYTHON_INSTALL_MIRROR and UV_PYTHON_DOWNLOADS_JSON_URL name other places";

Command uv_command(const UvProgram& uv) {
  if (uv.path.empty()) {
    throw Error(ErrorKind::not_found, "uv is not on PATH, and no Debian release has the Python that is wanted",
                "install uv, which brings it (pipx install uv); or " + std::string(ways_out));
  }
  Command command;
  command.environment = {{"NO_COLOR", "1"}, {"LC_ALL", "C.UTF-8"}};
  command.unset = {"UV_PYTHON", "UV_PYTHON_PREFERENCE", "UV_NO_MANAGED_PYTHON", "UV_PROJECT", "UV_WORKING_DIR"};
  command.arguments = {uv.path.native(), "python"};
  return command;
}

/// As uv writes the platform of the machine in a key.
std::string platform_of(const std::string& machine) {
  if (machine == "armv7l") return "linux-armv7-gnueabihf";
  return fmt::format("linux-{}-gnu", machine);
}

bool is_prerelease(const std::string& version) {
  const auto parsed = Version::parse(version);
  return !parsed || parsed->is_prerelease();
}

}  // namespace

std::vector<UvPython> parse_uv_pythons(std::string_view json) {
  std::vector<UvPython> pythons;
  const Value document = parse_json(json);
  for (const Value& row : document.array()) {
    if (row.at("implementation").string() != "cpython" || row.string_or("variant", "default") != "default") continue;
    const Value* url = row.find("url");
    if (url == nullptr || !url->is_string()) continue;
    const std::string place =
        is_on_a_server(url->string()) ? net::split_url(url->string()).without_user_info : url->string();
    pythons.push_back({row.at("key").string(), row.at("version").string(), place});
  }
  return pythons;
}

UvPython find_uv_python(const UvProgram& uv, const UvPythonRequest& request) {
  Command command = uv_command(uv);
  command.folder = fs::temp_directory_path();         // not the project, whose own .python-version was read
  command.unset.emplace_back("UV_PYTHON_DOWNLOADS");  // "never" empties the list; the installation obeys it
  const std::string key = fmt::format("cpython-{}-{}", request.wanted, platform_of(request.machine));
  command.arguments.insert(command.arguments.end(),
                           {"list", "--only-downloads", "--all-versions", "--output-format", "json", key});
  const CommandResult result = run(command);
  if (result.exit_code != 0) {
    throw Error(ErrorKind::network, "uv cannot tell which Pythons it has:\n" + last_lines(result.errors),
                std::string(ways_out));
  }
  const std::vector<UvPython> pythons = in_context([] { return "reading the answer of uv python list"; },
                                                   [&] { return parse_uv_pythons(result.output); });
  const bool wants_prerelease = is_prerelease(request.wanted);
  std::vector<std::string> versions;
  for (const UvPython& python : pythons) {
    if (is_prerelease(python.version) == wants_prerelease && request.fits(python.version)) return python;
    versions.push_back(python.version);
  }
  throw Error(ErrorKind::not_found,
              versions.empty() ? fmt::format("uv has no Python {} for {}", request.wanted, request.machine)
                               : fmt::format("uv has no Python {} for {} that fits, only {}", request.wanted,
                                             request.machine, printable(fmt::format("{}", fmt::join(versions, ", ")))),
              fmt::format("'uv python list --all-versions --only-downloads' names what this uv ({}) has; or {}",
                          uv.version, ways_out));
}

UvPythonArchive fetch_uv_python(const UvProgram& uv, const UvPython& python, const fs::path& folder) {
  const fs::path kept = folder / "archives";
  make_folders(kept);
  Command command = uv_command(uv);
  command.folder = folder;
  command.environment["UV_PYTHON_CACHE_DIR"] = kept.native();
  command.environment["UV_PYTHON_INSTALL_DIR"] = (folder / "installed").native();
  command.unset.insert(command.unset.end(), {"UV_PYTHON_INSTALL_BIN", "UV_COMPILE_BYTECODE"});
  command.arguments.insert(command.arguments.end(), {"install", "--no-bin", "--no-progress", python.key});
  const CommandResult result = run(command);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kept)) {
    if (entry.is_regular_file() && !entry.path().filename().native().starts_with('.')) files.push_back(entry.path());
  }
  if (result.exit_code != 0 || files.size() != 1) {
    throw Error(ErrorKind::network,
                fmt::format("uv did not bring Python {} from {}:\n{}", python.version, printable(python.url),
                            last_lines(result.errors)),
                std::string(ways_out));
  }
  File file(files.front());
  return {files.front(), {sha256(file)}};
}

}  // namespace veneer::python
