#include "build/wheel_findings.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"

namespace veneer::build {

namespace {

std::string list(const std::vector<std::string>& paths) {
  constexpr std::size_t most_shown = 5;
  std::string shown;
  for (std::size_t i = 0; i < std::min(most_shown, paths.size()); ++i)
    shown += (i == 0 ? "" : ", ") + printable(paths[i]);
  return paths.size() > most_shown ? shown + ", …" : shown;
}

void add_findings(const std::string& name, const python::AppWheel& wheel, std::vector<std::string>& findings) {
  const auto is_or_are = [](const std::vector<std::string>& paths) { return paths.size() == 1 ? "is" : "are"; };
  if (!wheel.missing.empty()) {
    findings.push_back(fmt::format("{} of the package's files in git {} not in the wheel of {}: {}",
                                   wheel.missing.size(), is_or_are(wheel.missing), name, list(wheel.missing)));
  }
  if (!wheel.ignored.empty()) {
    findings.push_back(fmt::format("{} of the files that git ignores {} in the wheel of {}: {}", wheel.ignored.size(),
                                   is_or_are(wheel.ignored), name, list(wheel.ignored)));
  }
  for (const python::Secret& secret : wheel.left_secrets) {
    findings.push_back(fmt::format("{} is {} that git does not track, so the wheel of {} was built without it",
                                   printable(secret.path), secret.kind, name));
  }
  for (const python::Secret& secret : wheel.secrets) {
    findings.push_back(
        fmt::format("{} in the wheel of {} is {}, so it is in the image", printable(secret.path), name, secret.kind));
  }
  add_lfs_finding(wheel.lfs_pointers, "in the wheel of " + name, findings);
  for (const std::string& path : wheel.left_out) {
    findings.push_back(
        fmt::format("{} is large and not in git, so the wheel of {} was built without it", printable(path), name));
  }
  for (const std::string& path : wheel.emptied) {
    findings.push_back(
        fmt::format("git neither tracks nor ignores {}; in the wheel of {} it is empty", printable(path), name));
  }
}

}  // namespace

void add_lfs_finding(const std::vector<std::string>& paths, const std::string& where,
                     std::vector<std::string>& findings) {
  if (paths.empty()) return;
  findings.push_back(fmt::format("{} {} {} not the file but a pointer of Git LFS: {}; run: git lfs pull", paths.size(),
                                 paths.size() == 1 ? "path" : "paths", where + (paths.size() == 1 ? " is" : " are"),
                                 list(paths)));
}

void add_wheel_findings(const python::WheelSupply& supply, std::vector<std::string>& findings) {
  for (const auto& [name, wheel] : supply.folder_wheels()) add_findings(printable(name), wheel, findings);
}

}  // namespace veneer::build
