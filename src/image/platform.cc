#include "image/platform.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "foundation/error.hh"
#include "image/media_type.hh"

namespace veneer::image {

namespace {

bool is_attestation(const Descriptor& descriptor) {
  return descriptor.annotations.contains("vnd.docker.reference.type");
}

std::string_view effective_variant(const Platform& platform) {
  if (platform.architecture == "arm64" && platform.variant == "v8") return {};
  return platform.variant;
}

struct Machine {
  std::string_view architecture;
  std::string_view variant;
  std::string_view name;
};
constexpr std::array machines = {
    Machine{"amd64", "", "x86_64"}, Machine{"arm64", "", "aarch64"},   Machine{"arm", "v7", "armv7l"},
    Machine{"arm", "v6", "armv6l"}, Machine{"386", "", "i686"},        Machine{"ppc64le", "", "ppc64le"},
    Machine{"s390x", "", "s390x"},  Machine{"riscv64", "", "riscv64"}, Machine{"loong64", "", "loongarch64"}};

}  // namespace

std::optional<std::string> machine_of(const Platform& platform) {
  const auto* found = std::ranges::find_if(machines, [&](const Machine& machine) {
    return machine.architecture == platform.architecture && machine.variant == effective_variant(platform);
  });
  if (platform.os != "linux" || found == machines.end()) return std::nullopt;
  return std::string(found->name);
}

bool may_hold_programs_of(const Platform& platform, std::string_view machine) {
  if (platform.architecture == "amd64" && machine == "i686") return true;
  const auto is_of = [&](const Machine& one) { return one.architecture == platform.architecture; };
  return std::ranges::none_of(machines, is_of) ||
         std::ranges::any_of(machines, [&](const Machine& one) { return is_of(one) && one.name == machine; });
}

std::string platform_text(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

Platform parse_platform(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text;;) {
    const std::size_t slash = rest.find('/');
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  const bool is_complete =
      std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  if (parts.size() < 2 || parts.size() > 3 || !is_complete) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no platform", printable(text)), "write one like linux/amd64");
  }
  return {parts[0], parts[1], parts.size() == 3 ? parts[2] : ""};
}

std::optional<Platform> native_platform() {
#if defined(__x86_64__)
  return Platform{"linux", "amd64", ""};
#elif defined(__aarch64__)
  return Platform{"linux", "arm64", ""};
#else
  return std::nullopt;
#endif
}

bool matches(const Platform& offered, const Platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return false;
  const std::string_view have = effective_variant(offered);
  const std::string_view need = effective_variant(wanted);
  return have.empty() || need.empty() || have == need;
}

std::string entry_kind(const Descriptor& descriptor) {
  if (is_attestation(descriptor)) return "attestation";
  if (!descriptor.platform) return document_kind(descriptor.media_type) == DocumentKind::index ? "index" : "unknown";
  if (descriptor.platform->architecture.empty() || descriptor.platform->architecture == "unknown") return "unknown";
  return platform_text(*descriptor.platform);
}

bool is_usable(const Descriptor& descriptor) {
  if (document_kind(descriptor.media_type) == DocumentKind::other || is_attestation(descriptor)) return false;
  if (!descriptor.platform) return true;
  const Platform& platform = *descriptor.platform;
  return !platform.os.empty() && platform.os != "unknown" && !platform.architecture.empty() &&
         platform.architecture != "unknown";
}

const Descriptor& select_entry(const Index& index, const std::optional<Platform>& wanted) {
  std::vector<const Descriptor*> found;
  std::vector<const Descriptor*> without_platform;
  std::string listing;
  for (const Descriptor& descriptor : index.manifests) {
    if (!listing.empty()) listing += ", ";
    listing += printable(entry_kind(descriptor));
    if (!is_usable(descriptor)) continue;
    if (!descriptor.platform) {
      without_platform.push_back(&descriptor);
    } else if (!wanted || matches(*descriptor.platform, *wanted)) {
      found.push_back(&descriptor);
    }
  }
  if (found.empty()) found = without_platform;
  // The same manifest may be listed twice, under two names.
  const bool is_one = !found.empty() && std::all_of(found.begin(), found.end(), [&](const Descriptor* descriptor) {
    return descriptor->digest == found.front()->digest;
  });
  if (is_one) return *found.front();
  const std::string for_platform = wanted ? " for " + platform_text(*wanted) : "";
  if (found.empty()) {
    throw Error(ErrorKind::not_found, fmt::format("the index has no image{} (it has: {})", for_platform,
                                                  listing.empty() ? "nothing" : listing));
  }
  throw Error(ErrorKind::refused, fmt::format("the index has several images{}: {}", for_platform, listing),
              "name a platform, such as linux/amd64");
}

}  // namespace veneer::image
