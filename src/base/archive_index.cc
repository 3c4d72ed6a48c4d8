#include "base/archive_index.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::base {

namespace {

constexpr std::size_t most_packages = 500'000;

/// "~" sorts before the end, letters before all others.
int weight(std::string_view text, std::size_t at) {
  if (at == text.size() || is_digit(text[at])) return 0;
  if (text[at] == '~') return -1;
  if (is_letter(text[at])) return static_cast<unsigned char>(text[at]);
  return static_cast<unsigned char>(text[at]) + 256;
}

std::strong_ordering compare_part(std::string_view left, std::string_view right) {
  std::size_t l = 0;
  std::size_t r = 0;
  while (l < left.size() || r < right.size()) {
    while ((l < left.size() && !is_digit(left[l])) || (r < right.size() && !is_digit(right[r]))) {
      const int first = weight(left, l);
      const int second = weight(right, r);
      if (first != second) return first <=> second;
      if (l < left.size()) ++l;
      if (r < right.size()) ++r;
    }
    const auto number = [](std::string_view text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t start = at;
      while (at < text.size() && is_digit(text[at])) ++at;
      return text.substr(start, at - start);
    };
    const std::string_view first = number(left, l);
    const std::string_view second = number(right, r);
    if (first.size() != second.size()) return first.size() <=> second.size();
    if (first != second) return first <=> second;
  }
  return std::strong_ordering::equal;
}

struct VersionParts {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

VersionParts parts_of(std::string_view version) {
  VersionParts parts;
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const std::size_t dash = version.rfind('-');
  parts.upstream = version.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = version.substr(dash + 1);
  return parts;
}

std::uint64_t bytes_of(std::string_view number, std::uint64_t unit) {
  return std::min<std::uint64_t>(read_number<std::uint32_t>(number).value_or(0), 1u << 31) * unit;
}

void read_line(std::string_view line, ArchivePackage& package) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t') return;
  const std::string_view field = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (field == "Package") package.name = value;
  if (field == "Version") package.version = value;
  if (field == "Section") package.section = value;
  if (field == "Depends") package.depends = value;
  if (field == "Pre-Depends") package.pre_depends = value;
  if (field == "Provides") package.provides = value;
  if (field == "Installed-Size") package.installed_size = bytes_of(value, 1024);
  if (field == "Size") package.size = bytes_of(value, 1);
  if ((field == "Essential" && value == "yes") || (field == "Priority" && value == "required")) {
    package.is_required = true;
  }
}

/// Chooses what satisfies dependencies, one package after the other.
class Resolver {
 public:
  Resolver(const ArchiveIndex& index, const PackageNames& present) : index_(index), present_(present) {
    for (const std::string_view name : present) note_provided(name);
  }

  PackageNames take(const std::vector<std::string>& wanted) {
    for (const std::string& name : wanted) {
      if (const std::string_view real = real_package(name); !real.empty()) add(real);
    }
    while (!open_.empty()) {
      const ArchivePackage* package = index_.find(open_.front());
      open_.pop_front();
      for (const std::string_view field : {package->pre_depends, package->depends}) {
        for (const Dependency& dependency : parse_dependencies(field)) satisfy(dependency);
      }
    }
    return std::move(taken_);
  }

 private:
  bool is_there(std::string_view name) const {
    return taken_.contains(name) || present_.contains(name) || provided_.contains(name);
  }

  /// `name` itself, or the first that provides it; empty when there is none.
  std::string_view real_package(std::string_view name) const {
    if (const ArchivePackage* package = index_.find(name)) return package->name;
    const auto providers = index_.providers(name);
    return providers.empty() ? std::string_view() : providers.front();
  }

  void satisfy(const Dependency& dependency) {
    if (std::ranges::any_of(dependency, [this](const Alternative& one) { return is_there(one.name); })) return;
    for (const Alternative& one : dependency) {
      const std::string_view real = real_package(one.name);
      if (!real.empty()) return add(real);
    }
  }

  void add(std::string_view name) {
    if (present_.contains(name) || !taken_.insert(name).second) return;
    note_provided(name);
    open_.push_back(name);
  }

  void note_provided(std::string_view name) {
    const ArchivePackage* package = index_.find(name);
    if (package == nullptr) return;
    for (const Dependency& one : parse_dependencies(package->provides)) provided_.insert(one.front().name);
  }

  const ArchiveIndex& index_;
  const PackageNames& present_;
  PackageNames taken_;
  std::set<std::string_view> provided_;
  std::deque<std::string_view> open_;
};

}  // namespace

std::strong_ordering compare_debian_versions(std::string_view left, std::string_view right) {
  const VersionParts l = parts_of(left);
  const VersionParts r = parts_of(right);
  if (const auto order = compare_part(l.epoch, r.epoch); order != 0) return order;
  if (const auto order = compare_part(l.upstream, r.upstream); order != 0) return order;
  return compare_part(l.revision, r.revision);
}

std::vector<Dependency> parse_dependencies(std::string_view field) {
  std::vector<Dependency> result;
  for (std::size_t start = 0; start < field.size();) {
    const std::size_t end = std::min(field.find(',', start), field.size());
    Dependency dependency;
    std::string_view rest = field.substr(start, end - start);
    start = end + 1;
    while (!rest.empty()) {
      const std::string_view one = trimmed(rest.substr(0, rest.find('|')));
      rest.remove_prefix(std::min(rest.find('|'), rest.size() - 1) + 1);
      const std::string_view name = one.substr(0, one.find_first_of(" (:["));
      if (name.empty()) continue;
      const std::size_t version = one.find('(');
      const bool is_exact = version != std::string_view::npos && trimmed(one.substr(version + 1)).starts_with('=');
      dependency.push_back({name, is_exact});
    }
    if (!dependency.empty()) result.push_back(std::move(dependency));
  }
  return result;
}

ArchiveIndex::ArchiveIndex(std::vector<std::string> texts)
    : texts_(std::make_unique<const std::vector<std::string>>(std::move(texts))) {
  const auto finish = [this](ArchivePackage& package) {
    if (!package.name.empty()) {
      const auto [known, is_new] = packages_.emplace(package.name, package);
      if (!is_new && compare_debian_versions(package.version, known->second.version) > 0) known->second = package;
      if (packages_.size() > most_packages) {
        throw Error(ErrorKind::refused, fmt::format("the archive lists more than {} packages", most_packages));
      }
    }
    package = {};
  };
  for (const std::string& whole : *texts_) {
    ArchivePackage package;
    for (std::string_view text = whole; !text.empty();) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      if (line.empty()) {
        finish(package);
      } else {
        read_line(line, package);
      }
    }
    finish(package);
  }
  for (const auto& [name, package] : packages_) {
    for (const Dependency& one : parse_dependencies(package.provides)) providers_[one.front().name].push_back(name);
  }
}

const ArchivePackage* ArchiveIndex::find(std::string_view name) const {
  const auto found = packages_.find(name);
  return found == packages_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> ArchiveIndex::providers(std::string_view name) const {
  const auto found = providers_.find(name);
  return found == providers_.end() ? std::vector<std::string_view>() : found->second;
}

PackageNames closure(const ArchiveIndex& index, const std::vector<std::string>& wanted, const PackageNames& present) {
  return Resolver(index, present).take(wanted);
}

PackageNames minimal_root(const ArchiveIndex& index, const std::vector<std::string>& added) {
  // Not usrmerge, which would bring Perl: the links that it makes are there.
  std::vector<std::string> wanted = {"usr-is-merged"};
  for (const auto& [name, package] : index.packages()) {
    if (package.is_required && name != "usrmerge") wanted.emplace_back(name);
  }
  wanted.emplace_back("apt");
  wanted.insert(wanted.end(), added.begin(), added.end());
  return closure(index, wanted, {});
}

}  // namespace veneer::base
