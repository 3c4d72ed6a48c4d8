#include "app/past_lock.hh"

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/selection_request.hh"
#include "base/base_lock.hh"
#include "foundation/temporary.hh"
#include "foundation/toml.hh"
#include "python/project/python_request.hh"
#include "python/specifier.hh"

namespace veneer::app {

namespace {

/// In the order in which they are taken; of each a version for which any requires-python of that minor holds.
constexpr std::array usual_pythons = {"3.13.99", "3.12.99", "3.14.99", "3.11.99", "3.10.99", "3.9.99"};

std::string requires_python(const PastTexts& texts) {
  if (!texts.pyproject.empty()) {
    const Value pyproject = parse_toml(texts.pyproject);
    std::string said = pyproject.table_or_empty("project").string_or("requires-python", "");
    if (!said.empty()) return said;
  }
  if (texts.lock_name != "uv.lock" || texts.lock.empty()) return {};
  return parse_toml(std::string_view(texts.lock).substr(0, texts.lock.find("\n[[package]]") + 1))
      .string_or("requires-python", "");
}

}  // namespace

std::string usual_python(const std::string& requires_python) {
  const auto allowed = python::SpecifierSet::parse(requires_python);
  const auto* const usual =
      std::ranges::find_if(usual_pythons, [&](const char* version) { return !allowed || allowed->contains(version); });
  return usual == usual_pythons.end() ? usual_pythons.front() : *usual;
}

python::Target past_target(const PastTexts& texts, const PastTarget& wanted) {
  if (wanted.python) return parse_target(wanted.python->text, wanted.platform, wanted.libc);
  if (!texts.base_lock.empty()) {
    const base::BaseLock pins = base::parse_base_lock(texts.base_lock);
    const auto pinned = std::ranges::find(pins.bases, wanted.platform, &base::LockedBase::platform);
    if (pinned != pins.bases.end() && !pinned->target.python.empty()) {
      return parse_target(pinned->target.python, wanted.platform, pinned->target.libc);
    }
  }
  if (const auto line = python::read_version_file(texts.python_version)) {
    if (python::parse_python_version(line->text)) return parse_target(line->text, wanted.platform, wanted.libc);
  }
  return parse_target(usual_python(requires_python(texts)), wanted.platform, wanted.libc);
}

std::unique_ptr<const python::AnyLock> read_past_lock(const PastTexts& texts, const Surroundings& surroundings,
                                                      python::KnownPackages* known) {
  // Nothing lies beside it that could be read.
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "lock");
  return python::parse_lock(
      texts.lock, folder.path() / texts.lock_name,
      [&](const std::string& name) { return surroundings.environment(name); }, known);
}

}  // namespace veneer::app
