#include "python/project/python_choice.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/specifier.hh"

namespace veneer::python {

namespace {

/// Newest released one first, then those that are not released.
constexpr std::array debian_releases = {DebianRelease{"trixie", 13, "3.13.5", 41, true},
                                        DebianRelease{"bookworm", 11, "3.11.2", 36, true},
                                        DebianRelease{"forky", 14, "3.14.7", 43, false}};
constexpr const DebianRelease& newest_release = debian_releases[0];

constexpr int oldest_minor = 8;   // that uv has
constexpr int newest_minor = 40;  // that will be looked at
constexpr int oldest_for_wheels = 10;
constexpr int most_patches = 60;

class Chooser {
 public:
  Chooser(const PythonQuestion& question, const LockedFilesFor& files_for)
      : question_(question),
        files_for_(files_for),
        named_(question.suite.empty() ? nullptr : find_debian_release(question.suite)) {}

  PythonChoice choose() {
    choose_request();
    const int start = (named_ != nullptr ? *named_ : newest_release).minor;
    std::vector<int> candidates;
    for (int minor = start; minor >= oldest_minor; --minor) add_if_allowed(candidates, minor);
    if (candidates.empty()) {
      for (int minor = start + 1; minor <= newest_minor && candidates.empty(); ++minor)
        add_if_allowed(candidates, minor);
    }
    if (candidates.empty()) throw_nothing();
    choice_.minor = candidates.front();
    if (!request_ && named_ != nullptr && fits(std::string(named_->version))) {
      choice_.reason = "the base that is named has it";
    } else if (candidates.size() > 1) {
      avoid_builds(candidates);
    }
    if (choice_.reason.empty()) choice_.reason = plain_reason();
    choose_source();
    return choice_;
  }

 private:
  bool fits(const std::string& version) const {
    return allows_python(question_.requires_python, version) && (!request_ || satisfies(request_->request, version));
  }

  /// The newest patch level of the minor that fits; nothing when none does.
  std::optional<std::string> newest_fitting(int minor) const {
    if (request_ && !request_->request.exact.empty()) {
      const std::string& exact = request_->request.exact;
      return exact.starts_with(fmt::format("3.{}.", minor)) && fits(exact) ? std::optional(exact) : std::nullopt;
    }
    for (int patch = most_patches; patch >= 0; --patch) {
      if (std::string version = fmt::format("3.{}.{}", minor, patch); fits(version)) return version;
    }
    return std::nullopt;
  }

  void add_if_allowed(std::vector<int>& candidates, int minor) const {
    if (newest_fitting(minor)) candidates.push_back(minor);
  }

  void choose_request() {
    if (question_.option) {
      request_ = question_.option;
    } else if (question_.version_file) {
      request_ = question_.version_file;
    } else if (question_.dockerfile && (named_ == nullptr || !fits(std::string(named_->version)))) {
      request_ = question_.dockerfile;
      bool is_possible = false;
      for (int minor = oldest_minor; minor <= newest_minor; ++minor) is_possible |= newest_fitting(minor).has_value();
      if (is_possible) return;
      choice_.notes.push_back(fmt::format("{} says Python {}, which requires-python \"{}\" does not allow",
                                          request_->place, printable(request_->request.text),
                                          printable(question_.requires_python)));
      request_.reset();
    }
  }

  std::string plain_reason() const {
    if (request_ && !question_.option && question_.version_file) {
      return fmt::format("{} says {}", request_->place, printable(request_->request.text));
    }
    if (request_) return fmt::format("{} says so", request_->place);
    if (!question_.requires_python.empty()) {
      return fmt::format("it fits requires-python \"{}\"", printable(question_.requires_python));
    }
    return "it is that of Debian's newest release";
  }

  const std::optional<LockedFiles>& files(int minor) {
    const auto known = files_.find(minor);
    if (known != files_.end()) return known->second;
    const DebianRelease& release = named_ != nullptr ? *named_ : newest_release;
    Target target;
    target.minor = minor;
    target.full_version = fits(std::string(release.version)) && release.minor == minor ? std::string(release.version)
                                                                                       : *newest_fitting(minor);
    target.libc = {LibcKind::glibc, 2, release.glibc};
    target.machine = question_.machine;
    return files_[minor] = files_for_(target);
  }

  /// The first package that has no wheel for `minor`, but one for an older candidate.
  std::optional<std::string> without_wheel(int minor, const std::vector<int>& candidates) {
    const auto& here = files(minor);
    if (!here || here->no_wheel.empty()) return std::nullopt;
    for (const int older : candidates) {
      if (older >= minor || older < oldest_for_wheels || !files(older)) continue;
      const std::vector<std::string>& wheels = files(older)->wheels;
      for (const std::string& name : here->no_wheel) {
        if (std::find(wheels.begin(), wheels.end(), name) != wheels.end()) return name;
      }
    }
    return std::nullopt;
  }

  /// Candidates are sorted, the newest first.
  void avoid_builds(const std::vector<int>& candidates) {
    std::vector<std::string> lacking;
    for (const int minor : candidates) {
      if (!files(minor)) continue;
      const std::optional<std::string> name = without_wheel(minor, candidates);
      if (!name) {
        choice_.minor = minor;
        if (!lacking.empty()) choice_.reason = fmt::format("{}", fmt::join(lacking, ", "));
        return;
      }
      lacking.push_back(fmt::format("the lock has no wheel of {} for 3.{}", printable(*name), minor));
    }
  }

  void choose_source() {
    if (request_) choice_.exact = request_->request.exact;
    for (const DebianRelease& release : debian_releases) {
      if (release.minor != choice_.minor || (named_ != nullptr && named_ != &release)) continue;
      if (release.is_released ? !fits(std::string(release.version)) : !choice_.exact.empty()) continue;
      choice_.suite = release.suite;
      choice_.source = PythonSource::debian;
      return;
    }
    choice_.source = PythonSource::uv;
    choice_.suite = (named_ != nullptr ? *named_ : newest_release).suite;
    for (int patch = 0; patch <= most_patches && choice_.exact.empty(); ++patch) {
      if (fits(fmt::format("3.{}.{}", choice_.minor, patch))) continue;
      std::vector<std::string> specifiers;
      if (!question_.requires_python.empty()) specifiers.push_back(question_.requires_python);
      if (request_ && !request_->request.specifiers.empty()) specifiers.push_back(request_->request.specifiers);
      choice_.constraints = fmt::format("{}", fmt::join(specifiers, ","));
      return;
    }
  }

  [[noreturn]] void throw_nothing() const {
    const std::string bounds = printable(question_.requires_python);
    if (!request_) {
      throw Error(ErrorKind::refused, fmt::format("no Python satisfies requires-python \"{}\"", bounds),
                  "change requires-python in pyproject.toml");
    }
    if (question_.requires_python.empty()) {
      throw Error(ErrorKind::refused,
                  fmt::format("no Python satisfies \"{}\" of {}", printable(request_->request.text), request_->place));
    }
    throw Error(ErrorKind::refused,
                fmt::format("{} says Python {}, which requires-python \"{}\" does not allow", request_->place,
                            printable(request_->request.text), bounds),
                "change one of them");
  }

  const PythonQuestion& question_;
  const LockedFilesFor& files_for_;
  const DebianRelease* named_;
  std::optional<PlacedRequest> request_;
  std::map<int, std::optional<LockedFiles>> files_;
  PythonChoice choice_;
};

}  // namespace

const DebianRelease& newest_debian_release() { return newest_release; }

const DebianRelease* find_debian_release(std::string_view suite) {
  const auto found = std::find_if(debian_releases.begin(), debian_releases.end(),
                                  [&](const DebianRelease& release) { return release.suite == suite; });
  return found == debian_releases.end() ? nullptr : &*found;
}

std::string_view python_source_name(PythonSource source) {
  constexpr std::array<std::string_view, 3> names = {"base", "debian", "uv"};
  return names.at(static_cast<std::size_t>(source));
}

std::string PythonChoice::text() const {
  const std::string from = source == PythonSource::uv ? "uv's" : fmt::format("that of debian:{}", suite);
  return fmt::format("Python {}, {}: {}", wanted(), from, reason);
}

PythonChoice choose_python(const PythonQuestion& question, const LockedFilesFor& files_for) {
  return Chooser(question, files_for).choose();
}

}  // namespace veneer::python
