#include "app/selection_request.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "foundation/error.hh"
#include "image/platform.hh"
#include "python/name.hh"
#include "python/python_version.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

std::optional<int> small_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0 || number > 9999) {
    return std::nullopt;
  }
  return number;
}

python::Libc parse_libc(const std::string& text) {
  python::Libc libc;
  const std::size_t dash = text.find('-');
  const std::string kind = text.substr(0, dash);
  const std::string version = dash == std::string::npos ? "" : text.substr(dash + 1);
  const std::size_t dot = version.find('.');
  const auto major = small_number(std::string_view(version).substr(0, dot));
  const auto minor = dot == std::string::npos ? std::nullopt : small_number(std::string_view(version).substr(dot + 1));
  if ((kind != "glibc" && kind != "musl") || !major || !minor) {
    throw Error(ErrorKind::usage, fmt::format("--libc wants glibc-2.36 or musl-1.2, not '{}'", printable(text)));
  }
  libc.kind = kind == "glibc" ? python::LibcKind::glibc : python::LibcKind::musl;
  libc.major = *major;
  libc.minor = *minor;
  return libc;
}

}  // namespace

std::string machine_of_platform(const std::string& platform) {
  try {
    if (auto machine = image::machine_of(image::parse_platform(platform))) return std::move(*machine);
  } catch (const Error&) {
    // is no platform at all
  }
  throw Error(ErrorKind::usage,
              fmt::format("--platform wants linux/amd64, linux/arm64 or another Linux platform, not '{}'",
                          printable(platform)));
}

python::Target parse_target(const std::string& python, const std::string& platform, const std::string& libc) {
  python::Target target;
  const auto version = python::parse_python_version(python);
  if (!version) {
    throw Error(ErrorKind::usage, fmt::format("--python wants a version such as 3.12.7, not '{}'", printable(python)));
  }
  target.major = 3;
  target.minor = version->minor;
  target.threading = version->threading;
  target.full_version = version->has_patch() ? version->text : version->text + ".0";
  target.machine = machine_of_platform(platform);
  target.libc = parse_libc(libc);
  return target;
}

python::Selection answer(const SelectionRequest& request) {
  return python::select(*python::read_lock(request.lock, request.variables),
                        {request.target, request.options, request.default_groups, ""});
}

SelectionRequest request_from_json(const Value& line) {
  static const std::set<std::string, std::less<>> known = {"id",          "lock",           "python",  "platform",
                                                           "libc",        "extras",         "groups",  "no_groups",
                                                           "only_groups", "default_groups", "packages"};
  for (const auto& [key, value] : line.table()) {
    if (!known.contains(key)) throw Error(ErrorKind::refused, fmt::format("unknown member \"{}\"", printable(key)));
  }
  const auto names = [&](std::string_view key) { return python::normalised_names(line.strings_or_empty(key)); };
  const auto is_all = [&](std::string_view key) {
    const Value* value = line.find(key);
    if (value == nullptr || !value->is_string()) return false;
    if (value->string() != "all")
      throw Error(ErrorKind::refused, fmt::format("\"{}\" is neither a list nor \"all\"", key));
    return true;
  };
  SelectionRequest request;
  request.lock = line.at("lock").string();
  request.target = parse_target(line.at("python").string(), line.at("platform").string(), line.at("libc").string());
  if (is_all("extras")) {
    request.options.extra_choice = python::ExtraChoice::all;
  } else {
    request.options.extras = names("extras");
  }
  if (is_all("groups")) {
    request.options.group_choice = python::GroupChoice::all;
  } else {
    request.options.groups = names("groups");
  }
  request.options.excluded_groups = names("no_groups");
  if (auto only = names("only_groups"); !only.empty()) {
    request.options.project_choice = python::ProjectChoice::groups_alone;
    request.options.groups.insert(request.options.groups.end(), only.begin(), only.end());
  }
  if (is_all("packages")) {
    request.options.member_choice = python::MemberChoice::all;
  } else {
    request.options.packages = names("packages");
  }
  if (line.boolean_or("default_groups", false)) request.default_groups = python::DefaultGroups::taken;
  return request;
}

}  // namespace veneer::app
