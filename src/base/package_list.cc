#include "base/package_list.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "base/known_libraries.hh"
#include "debian/package_need.hh"

namespace veneer::base {

namespace {

constexpr std::array<std::string_view, 6> drawing = {"libcairo2",         "libpango-1.0-0", "libpangocairo-1.0-0",
                                                     "libpangoft2-1.0-0", "librsvg2-2",     "wkhtmltopdf"};
constexpr std::array<std::string_view, 4> drawing_distributions = {"cairocffi", "cairosvg", "pangocffi", "weasyprint"};
constexpr std::size_t most_near = 3;

/// By its name: tools for fonts are in Debian's section "fonts", too.
bool is_font(std::string_view package) {
  constexpr std::array<std::string_view, 5> starts = {"fonts-", "gsfonts", "otf-", "ttf-", "xfonts-"};
  return std::ranges::any_of(starts, [&](std::string_view start) { return package.starts_with(start); });
}

/// Nothing for a package that may be needed to run. Debian's sections tell more than names do.
std::optional<std::string_view> why_build(const ArchivePackage& package) {
  const debian::PackageNeed named = debian::need_of(package.name);
  if (named.need == debian::Need::for_builds) return named.why;
  if (package.section.ends_with("libdevel")) return "it is for compiling";
  if (package.section.ends_with("/doc") || package.section == "doc") return "it is documentation";
  return std::nullopt;
}

/// The libraries that a development package is made of: those that it wants in exactly its version.
std::vector<std::string> libraries_of(const ArchiveIndex& index, const ArchivePackage& package) {
  std::vector<std::string> result;
  for (const Dependency& dependency : parse_dependencies(package.depends)) {
    const ArchivePackage* library = dependency.front().is_exact ? index.find(dependency.front().name) : nullptr;
    if (library == nullptr || why_build(*library) || !library->section.ends_with("libs")) continue;
    result.emplace_back(library->name);
  }
  std::ranges::sort(result);
  return result;
}

PackageCost cost_of(const ArchiveIndex& index, const PackageNames& names) {
  PackageCost cost;
  for (const std::string_view name : names) {
    const ArchivePackage* package = index.find(name);
    ++cost.packages;
    cost.installed += package->installed_size;
    cost.download += package->size;
  }
  return cost;
}

/// Insertions, deletions, exchanges and swaps of neighbours that make one of the other; more than `most` is most + 1.
std::size_t distance(std::string_view left, std::string_view right, std::size_t most) {
  if (left.size() > right.size() + most || right.size() > left.size() + most) return most + 1;
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(right.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t l = 1; l <= left.size(); ++l) {
    std::vector<std::size_t> row(right.size() + 1, l);
    for (std::size_t r = 1; r <= right.size(); ++r) {
      const std::size_t other = left[l - 1] == right[r - 1] ? 0 : 1;
      row[r] = std::min({last[r] + 1, row[r - 1] + 1, last[r - 1] + other});
      if (l > 1 && r > 1 && left[l - 1] == right[r - 2] && left[l - 2] == right[r - 1]) {
        row[r] = std::min(row[r], before[r - 2] + 1);
      }
    }
    before = std::move(last);
    last = std::move(row);
  }
  return std::min(last.back(), most + 1);
}

/// Names that may be meant: the same with the ending of the 64-bit time transition, those that provide it, then those
/// with few other letters.
std::vector<std::string> near_names(const ArchiveIndex& index, const std::string& name) {
  if (index.find(name + "t64") != nullptr) return {name + "t64"};
  std::vector<std::string> result;
  for (const std::string_view provider : index.providers(name)) result.emplace_back(provider);
  const std::size_t most = name.size() < 6 ? 1 : 2;
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& [other, package] : index.packages()) {
    const std::size_t steps = distance(name, other, most);
    if (steps <= most) near.emplace_back(steps, other);
  }
  std::ranges::sort(near);
  for (const auto& [steps, other] : near) result.push_back(other);
  if (result.size() > most_near) result.resize(most_near);
  return result;
}

std::vector<std::string> unique_names(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    if (std::ranges::find(result, name) == result.end()) result.push_back(name);
  }
  return result;
}

class Explanation {
 public:
  Explanation(const ArchiveIndex& index, const PackageListRequest& request)
      : index_(index),
        request_(request),
        names_(unique_names(request.names)),
        present_(minimal_root(index, request.base_packages)),
        all_(closure(index, names_, present_)) {}

  PackageListReport make() {
    report_.base = cost_of(index_, present_);
    report_.all = cost_of(index_, all_);
    for (const std::string& name : names_) report_.listed.push_back(explain(name));
    for (const ListedPackage& listed : report_.listed) propose(listed);
    report_.proposal = unique_names(report_.proposal);
    const PackageNames kept = closure(index_, report_.proposal, present_);
    report_.kept = cost_of(index_, kept);
    look_for_fonts(kept);
    return std::move(report_);
  }

 private:
  ListedPackage explain(const std::string& name) const {
    ListedPackage listed;
    listed.name = name;
    const ArchivePackage* package = index_.find(name);
    if (package == nullptr) {
      listed.verdict = ListedPackage::Verdict::unknown;
      listed.why = index_.providers(name).empty() ? "the suite has no such package"
                                                  : "no package of its own, but others provide it";
      listed.instead = near_names(index_, name);
      return listed;
    }
    if (present_.contains(name)) {
      listed.verdict = ListedPackage::Verdict::present;
      listed.why = "every image has it";
      return listed;
    }
    const PackageNames brings = closure(index_, {name}, present_);
    listed.all = cost_of(index_, brings);
    listed.own = cost_of(index_, goes_with(name));
    for (const std::string_view other : brings) {
      if (other != name) listed.brings.emplace_back(other);
    }
    const std::string user = user_of(name);
    if (!user.empty()) {
      listed.why = user + " runs it";
    } else if (const auto why = why_build(*package)) {
      listed.verdict = ListedPackage::Verdict::builds;
      listed.why = *why;
      listed.instead = libraries_of(index_, *package);
    }
    return listed;
  }

  PackageNames goes_with(const std::string& name) const {
    std::vector<std::string> others = names_;
    std::erase(others, name);
    const PackageNames rest = closure(index_, others, present_);
    PackageNames gone;
    std::ranges::set_difference(all_, rest, std::inserter(gone, gone.end()));
    return gone;
  }

  /// A distribution of the lock that runs a program of the package.
  std::string user_of(const std::string& package) const {
    for (const std::string& distribution : request_.distributions) {
      for (const UsedBySystem& used : used_by(distribution)) {
        if (used.package == package) return distribution;
      }
    }
    return {};
  }

  void propose(const ListedPackage& listed) {
    using Verdict = ListedPackage::Verdict;
    if (listed.verdict == Verdict::runs) report_.proposal.push_back(listed.name);
    // Who names one of the libraries has said what is used of them.
    const bool is_named = std::ranges::any_of(
        listed.instead, [this](const std::string& one) { return std::ranges::find(names_, one) != names_.end(); });
    if (listed.verdict != Verdict::builds || is_named) return;
    report_.proposal.insert(report_.proposal.end(), listed.instead.begin(), listed.instead.end());
  }

  void look_for_fonts(const PackageNames& kept) {
    std::string drawer;
    for (const std::string_view name : drawing) {
      if (drawer.empty() && (kept.contains(name) || present_.contains(name))) drawer = name;
    }
    for (const std::string_view name : drawing_distributions) {
      if (drawer.empty() && std::ranges::find(request_.distributions, name) != request_.distributions.end())
        drawer = name;
    }
    if (drawer.empty() || std::ranges::any_of(kept, is_font) || std::ranges::any_of(present_, is_font)) return;
    report_.findings.push_back(fmt::format(
        "{} draws text, and no package of the list has a font: pages come out empty or with boxes; add one, such as "
        "fonts-dejavu-core",
        drawer));
  }

  const ArchiveIndex& index_;
  const PackageListRequest& request_;
  std::vector<std::string> names_;
  PackageNames present_;
  PackageNames all_;
  PackageListReport report_;
};

}  // namespace

PackageListReport explain_packages(const ArchiveIndex& index, const PackageListRequest& request) {
  return Explanation(index, request).make();
}

}  // namespace veneer::base
