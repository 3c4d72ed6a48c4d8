#include "build/system_needs.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/known_libraries.hh"
#include "build/recorded_facts.hh"
#include "foundation/parallel.hh"
#include "foundation/text.hh"
#include "tree/loader_folders.hh"

namespace veneer::build {

namespace {

using python::SelectedPackage;

constexpr std::string_view needs_note = "system-needs";

/// What the dynamic loader finds in a base, by its last part.
class Present {
 public:
  explicit Present(const tree::FileTree& base) {
    const std::vector<std::string> folders = tree::usual_loader_folders(base);
    for (const auto& [path, entry] : base.entries()) {
      const std::string_view name = tree::base_name(path);
      if (entry.inode->type == archive::EntryType::folder || name.find(".so") == std::string_view::npos) continue;
      anywhere_.insert(std::string(name));
      // Folders of other kinds are named by configuration of the loader, which is seldom; libraries that Debian's
      // packages bring are in these.
      if (std::find(folders.begin(), folders.end(), tree::parent_path(path)) != folders.end())
        usual_.insert(std::string(name));
    }
  }

  bool has(const std::string& soname) const { return usual_.contains(soname); }
  bool has_anywhere(const std::string& soname) const { return anywhere_.contains(soname); }

 private:
  std::set<std::string> usual_;
  std::set<std::string> anywhere_;
};

class Search {
 public:
  Search(const std::vector<DistributionNeeds>& distributions, const tree::FileTree& base, const std::string& suite)
      : present_(base), base_(base), suite_(suite) {
    for (const DistributionNeeds& distribution : distributions) {
      brought_.insert(distribution.needs.brings.begin(), distribution.needs.brings.end());
    }
  }

  void needs(const std::string& name, const std::string& soname) {
    if (brought_.contains(soname) || present_.has(soname)) return;
    if (base::is_of_the_host(soname)) return;
    const std::string why = fmt::format("{} needs {}", name, printable(soname));
    if (const auto package = base::package_of_library(suite_, soname)) {
      needed_.emplace(*package, why);
    } else if (!present_.has_anywhere(soname) && !is_of_libc(soname)) {
      unknown_.insert(why);
    }
  }

  void asks_for(const std::string& name, const std::string& library) {
    const auto soname = base::soname_asked_for(suite_, library);
    if (!soname || present_.has(*soname) || brings(*soname)) return;
    proposed_.emplace(*base::package_of_library(suite_, *soname), fmt::format("{} asks for {}", name, *soname));
  }

  void runs(const std::string& name, const base::UsedBySystem& used) {
    if (suite_.empty()) return;
    for (const char* folder : {"usr/bin/", "usr/local/bin/", "bin/"}) {
      if (base_.contains(folder + used.program)) return;
    }
    proposed_.emplace(used.package, fmt::format("{} runs {}", name, used.program));
  }

  SystemNeeds finish(const std::vector<std::string>& listed, const std::vector<std::string>& excluded) {
    const auto is_left_out = [&](const std::string& package) {
      const auto names_it = [&](const std::string& item) {
        return item.substr(0, item.find_first_of(":=")) == package;
      };
      return std::any_of(listed.begin(), listed.end(), names_it) ||
             std::any_of(excluded.begin(), excluded.end(), names_it);
    };
    SystemNeeds result;
    for (const auto& [package, why] : needed_) {
      if (!is_left_out(package)) result.needed.push_back({package, why});
    }
    for (const auto& [package, why] : proposed_) {
      if (!is_left_out(package) && !needed_.contains(package)) result.proposed.push_back({package, why});
    }
    result.unknown.assign(unknown_.begin(), unknown_.end());
    return result;
  }

 private:
  /// Parts of the C library of any base; which one that is, is a matter of the wheel's tags.
  static bool is_of_libc(std::string_view soname) {
    const auto starts = [&](std::string_view start) { return soname.starts_with(start); };
    return starts("libc.") || starts("libm.so") || starts("libpthread.so") || starts("libdl.so") ||
           starts("librt.so") || starts("libutil.so") || starts("ld-linux") || starts("libresolv.so") ||
           starts("libnsl.so") || starts("libcrypt.so") || starts("libpython3");
  }

  /// Wheels rename what they bundle: "libpq-9b38f5e3.so.5", "libsndfile_x86_64.so".
  bool brings(const std::string& soname) const {
    const std::string name = soname.substr(0, soname.find(".so"));
    for (auto found = brought_.lower_bound(name); found != brought_.end() && found->starts_with(name); ++found) {
      const char next = found->size() > name.size() ? (*found)[name.size()] : '.';
      if (next == '-' || next == '_' || next == '.') return true;
    }
    return false;
  }

  Present present_;
  const tree::FileTree& base_;
  const std::string& suite_;
  std::set<std::string> brought_;
  std::map<std::string, std::string> needed_;  // package, why
  std::map<std::string, std::string> proposed_;
  std::set<std::string> unknown_;
};

}  // namespace

std::vector<DistributionNeeds> needs_of(const python::Selection& selection, const std::string& machine,
                                        python::WheelSupply& supply, const image::LayerCache& cache,
                                        std::size_t workers, const plan::PlanRecord* before) {
  std::vector<const SelectedPackage*> packages;
  for (const SelectedPackage& package : selection.packages) packages.push_back(&package);
  const auto key_of = [&](const SelectedPackage& package) {
    return LayerKey{sha256(fmt::format("veneer system needs 1\n{}\non {}", supply.identity(package), machine))};
  };
  std::vector<DistributionNeeds> result(packages.size());
  std::vector<LayerKey> keys;
  std::vector<std::size_t> unknown;
  std::vector<const SelectedPackage*> to_fetch;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    result[i].name = packages[i]->name;
    keys.push_back(key_of(*packages[i]));
    const plan::MemberFacts* facts =
        before == nullptr ? nullptr : find_facts(*before, packages[i]->name, wheel_mark(supply.identity(*packages[i])));
    if (facts != nullptr) result[i].source = DistributionNeeds::Source::wheel;
    const auto note = cache.note(needs_note, keys[i]);
    if (auto needs = note ? python::needs_from_text(*note) : std::nullopt) {
      result[i].needs = std::move(*needs);
    } else if (auto told = facts != nullptr ? recorded_needs(*facts) : std::nullopt) {
      result[i].needs = std::move(*told);
      result[i].source = DistributionNeeds::Source::image_before;
    } else {
      unknown.push_back(i);
      to_fetch.push_back(packages[i]);
    }
  }
  supply.fetch(to_fetch);
  parallel_for(unknown.size(), workers, [&](std::size_t position) {
    const std::size_t i = unknown[position];
    result[i].needs = python::needs_of(supply.open(*packages[i]), machine, cache.folder() / "tmp");
    cache.set_note(needs_note, keys[i], python::needs_to_text(result[i].needs));
  });
  return result;
}

bool want_something(const std::vector<DistributionNeeds>& distributions) {
  return std::any_of(distributions.begin(), distributions.end(), [](const DistributionNeeds& distribution) {
    const python::WheelNeeds& needs = distribution.needs;
    return !needs.libraries.empty() || !needs.asks_for.empty() || !base::used_by(distribution.name).empty();
  });
}

SystemNeeds system_needs(const std::vector<DistributionNeeds>& distributions, const tree::FileTree& base,
                         const std::string& suite, const std::vector<std::string>& listed,
                         const std::vector<std::string>& excluded) {
  Search search(distributions, base, suite);
  for (const DistributionNeeds& distribution : distributions) {
    for (const std::string& soname : distribution.needs.libraries) search.needs(distribution.name, soname);
    for (const std::string& name : distribution.needs.asks_for) search.asks_for(distribution.name, name);
    for (const base::UsedBySystem& used : base::used_by(distribution.name)) {
      if (used.program.empty()) {
        search.asks_for(distribution.name, used.library);
      } else {
        search.runs(distribution.name, used);
      }
    }
  }
  return search.finish(listed, excluded);
}

}  // namespace veneer::build
