#include "python/tag.hh"

#include <fmt/format.h>

#include <algorithm>

namespace veneer::python {

std::vector<std::string> supported_platforms(const Target& target) {
  std::vector<std::string> platforms;
  const std::string& machine = target.machine;
  if (target.libc.kind == LibcKind::musl) {
    for (int minor = target.libc.minor; minor >= 0; --minor) {
      platforms.push_back(fmt::format("musllinux_{}_{}_{}", target.libc.major, minor, machine));
    }
  } else if (target.libc.major == 2) {
    // PEP 599 and its forerunners named some of the versions by year; the two oldest exist for Intel's machines only.
    const bool is_intel = machine == "x86_64" || machine == "i686";
    const int oldest = is_intel ? 5 : 17;
    for (int minor = target.libc.minor; minor >= oldest; --minor) {
      platforms.push_back(fmt::format("manylinux_2_{}_{}", minor, machine));
      if (minor == 17) platforms.push_back("manylinux2014_" + machine);
      if (minor == 12 && is_intel) platforms.push_back("manylinux2010_" + machine);
      if (minor == 5 && is_intel) platforms.push_back("manylinux1_" + machine);
    }
  }
  platforms.push_back("linux_" + machine);
  return platforms;
}

std::vector<std::string> supported_tags(const Target& target) {
  const std::vector<std::string> platforms = supported_platforms(target);
  const bool is_free_threaded = target.threading == Threading::free_threaded;
  const auto interpreter = [&](int minor) { return fmt::format("cp{}{}", target.major, minor); };
  const auto generic = [&](int minor) { return fmt::format("py{}{}", target.major, minor); };
  const std::string own = interpreter(target.minor);
  std::vector<std::string> tags;
  const auto add = [&](const std::string& python, const std::string& abi) {
    for (const std::string& platform : platforms) tags.push_back(fmt::format("{}-{}-{}", python, abi, platform));
  };
  const std::string stable = is_free_threaded ? "abi3t" : "abi3";
  add(own, is_free_threaded ? own + "t" : own);
  add(own, stable);
  add(own, "none");
  for (int minor = target.minor - 1; minor >= 2; --minor) add(interpreter(minor), stable);
  std::vector<std::string> pure = {generic(target.minor), fmt::format("py{}", target.major)};
  for (int minor = target.minor - 1; minor >= 0; --minor) pure.push_back(generic(minor));
  for (const std::string& python : pure) add(python, "none");
  tags.push_back(own + "-none-any");
  for (const std::string& python : pure) tags.push_back(python + "-none-any");
  return tags;
}

TagRanks::TagRanks(const Target& target) {
  const std::vector<std::string> tags = supported_tags(target);
  ranks_.reserve(tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i) ranks_.emplace(tags[i], i);
}

std::optional<std::size_t> TagRanks::best(const std::vector<std::string>& tags) const {
  std::optional<std::size_t> result;
  for (const std::string& tag : tags) {
    const auto found = ranks_.find(tag);
    if (found != ranks_.end() && (!result || found->second < *result)) result = found->second;
  }
  return result;
}

}  // namespace veneer::python
