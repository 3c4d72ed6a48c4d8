#include "base/installed_packages.hh"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <tuple>

#include "foundation/text.hh"

namespace veneer::base {

namespace {

constexpr std::uint64_t largest_status = 512ull << 20;

struct Stanza {
  InstalledPackage package;
  std::string status;
};

/// Paragraphs of deb822(5), of which the fields that matter here are never folded.
void for_each_stanza(std::string_view text, const std::function<void(Stanza&)>& use) {
  Stanza stanza;
  const auto finish = [&] {
    if (!stanza.package.name.empty()) use(stanza);
    stanza = {};
  };
  const auto value_of = [](std::string_view line, std::string_view field) -> std::optional<std::string_view> {
    return line.starts_with(field) ? std::optional(line.substr(field.size())) : std::nullopt;
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) finish();
    if (const auto name = value_of(line, "Package: ")) stanza.package.name = *name;
    if (const auto version = value_of(line, "Version: ")) stanza.package.version = *version;
    if (const auto architecture = value_of(line, "Architecture: ")) stanza.package.architecture = *architecture;
    if (const auto status = value_of(line, "Status: ")) stanza.status = *status;
    if (const auto hash = value_of(line, "SHA256: ")) stanza.package.sha256 = Hash::from_hex(*hash);
    if (const auto size = value_of(line, "Installed-Size: ")) {
      stanza.package.installed_size =
          std::min<std::uint64_t>(read_number<std::uint32_t>(*size).value_or(0), 1u << 31) * 1024;
    }
  }
  finish();
}

using Identity = std::tuple<std::string, std::string, std::string>;  // sorts as wanted

Identity identity(const InstalledPackage& package) { return {package.name, package.architecture, package.version}; }

std::string text_at(const tree::Inode& inode) {
  if (inode.content == nullptr) return {};
  const Bytes bytes = read_all(*inode.content->open(), largest_status);
  return std::string(as_text(bytes));
}

}  // namespace

std::vector<InstalledPackage> packages_in_status(std::string_view text, DpkgState state, std::size_t most) {
  std::vector<InstalledPackage> packages;
  for_each_stanza(text, [&](Stanza& stanza) {
    if (packages.size() == most || (state == DpkgState::installed && !stanza.status.ends_with(" installed"))) return;
    packages.push_back(std::move(stanza.package));
  });
  return packages;
}

std::vector<InstalledPackage> installed_packages(const tree::FileTree& root) {
  std::map<Identity, InstalledPackage> packages;
  const tree::Inode* status = root.find("var/lib/dpkg/status");
  if (status == nullptr) return {};
  for (InstalledPackage& package : packages_in_status(text_at(*status), DpkgState::installed, no_limit)) {
    const Identity key = identity(package);
    packages.emplace(key, std::move(package));
  }
  constexpr std::string_view lists = "var/lib/apt/lists/";
  for (auto entry = root.entries().lower_bound(lists); entry != root.entries().end() && entry->first.starts_with(lists);
       ++entry) {
    if (!entry->first.ends_with("_Packages")) continue;
    for_each_stanza(text_at(*entry->second.inode), [&](Stanza& stanza) {
      const auto found = packages.find(identity(stanza.package));
      if (found != packages.end()) found->second.sha256 = stanza.package.sha256;
    });
  }
  std::vector<InstalledPackage> result;
  for (auto& [key, package] : packages) result.push_back(std::move(package));
  return result;
}

std::string native_architecture(const tree::FileTree& root) {
  for (const InstalledPackage& package : installed_packages(root)) {
    if (package.name == "dpkg") return package.architecture;
  }
  return {};
}

std::vector<InstalledPackage> packages_added(const std::vector<InstalledPackage>& before,
                                             const std::vector<InstalledPackage>& now) {
  std::vector<InstalledPackage> result;
  std::copy_if(now.begin(), now.end(), std::back_inserter(result), [&](const InstalledPackage& package) {
    return std::none_of(before.begin(), before.end(),
                        [&](const InstalledPackage& other) { return identity(other) == identity(package); });
  });
  return result;
}

void keep_hashes(std::vector<InstalledPackage>& packages, const std::vector<InstalledPackage>& known) {
  std::map<Identity, std::optional<Hash>> hashes;
  for (const InstalledPackage& package : known) hashes[identity(package)] = package.sha256;
  for (InstalledPackage& package : packages) {
    if (const auto found = hashes.find(identity(package)); !package.sha256 && found != hashes.end())
      package.sha256 = found->second;
  }
}

std::string packages_to_text(const std::vector<InstalledPackage>& packages) {
  std::string text = "debian packages 1\n";
  for (const InstalledPackage& package : packages) {
    text += fmt::format("{} {} {} {} {}\n", package.name, package.version, package.architecture, package.installed_size,
                        package.sha256 ? package.sha256->hex() : "-");
  }
  return text;
}

std::optional<std::vector<InstalledPackage>> packages_from_text(std::string_view text) {
  std::vector<InstalledPackage> packages;
  const std::vector<std::string> lines = split_words(text, "\n");
  if (lines.empty() || lines[0] != "debian packages 1") return std::nullopt;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> words = split_words(lines[i], " ");
    if (words.size() != 5) return std::nullopt;
    const auto size = read_number<std::uint64_t>(words[3]);
    const std::optional<Hash> hash = words[4] == "-" ? std::nullopt : Hash::from_hex(words[4]);
    if (!size || (!hash && words[4] != "-")) return std::nullopt;
    packages.push_back({words[0], words[1], words[2], *size, hash});
  }
  return packages;
}

}  // namespace veneer::base
