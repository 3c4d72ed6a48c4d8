#include "check/libraries.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/known_libraries.hh"
#include "base/system_packages.hh"
#include "foundation/elf.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"
#include "tree/loader_folders.hh"
#include "tree/read_text.hh"

namespace veneer::check {

namespace {

constexpr std::uint64_t largest_configuration = 1 << 20;
constexpr std::size_t most_includes = 1000;     // lines of ld.so.conf and of what it includes
constexpr std::size_t most_steps = 20'000'000;  // of the search: folders and names looked at, for all libraries
constexpr std::size_t longest_path = 4096;

/// Whether `name` fits a pattern of ld.so.conf's include: "*" stands for anything.
bool fits(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view end = pattern.substr(star + 1);
  return name.size() + 1 >= pattern.size() && name.starts_with(pattern.substr(0, star)) && name.ends_with(end);
}

class Closure {
 public:
  Closure(const tree::FileTree& tree, const std::string& library_path, const OpenFile& open, Findings& findings)
      : tree_(tree),
        suite_(base::debian_suite(tree)),
        open_(open),
        findings_(findings),
        library_path_(split_words(library_path, ":")) {
    read_loader_configuration("etc/ld.so.conf");
    for (std::string& folder : tree::usual_loader_folders(tree)) usual_.push_back(std::move(folder));
    // musl's loader reads /etc/ld-musl-<machine>.path instead.
    for (const auto& [path, entry] : tree_.entries()) {
      if (path.starts_with("etc/ld-musl-") && path.ends_with(".path")) {
        for (const std::string& folder : split_words(tree::read_text(tree_, path, largest_configuration), ":\n"))
          usual_.push_back(folder.substr(1));
      }
    }
  }

  void add(const std::string& path) {
    const auto real = tree_.resolve(path);
    if (real && seen_.insert(*real).second) queue_.push_back(*real);
  }

  std::size_t run() {
    std::size_t count = 0;
    while (!queue_.empty()) {
      const std::string path = queue_.front();
      queue_.pop_front();
      if (const Elf* elf = elf_at(path)) {
        ++count;
        check(path, *elf);
      }
    }
    for (const Missing& one : missing_) report(one);
    return count;
  }

  /// What lies below a prefix and is an ELF file is looked at, and can be what others load beforehand.
  void add_below(const std::string& prefix) {
    for (auto entry = tree_.entries().lower_bound(prefix + "/");
         entry != tree_.entries().end() && entry->first.starts_with(prefix + "/"); ++entry) {
      if (entry->second.inode->type != archive::EntryType::file) continue;
      const std::string_view name = tree::base_name(entry->first);
      const bool may_be_elf = name.find(".so") != std::string_view::npos || (entry->second.inode->mode & 0100) != 0;
      if (!may_be_elf) continue;
      by_name_[std::string(name)].push_back(entry->first);
      add(entry->first);
    }
  }

 private:
  /// No single list is too long, but they multiply: files, libraries that each needs, folders where each may be.
  void count_steps(std::size_t steps) {
    steps_ += steps;
    if (steps_ > most_steps) {
      throw Error(ErrorKind::refused, "its libraries are looked for in too many places",
                  "look at the search paths (RPATH, LD_LIBRARY_PATH, ld.so.conf) of its programs");
    }
  }

  /// Each file once: they may include each other.
  void read_loader_configuration(const std::string& path) {
    if (!configurations_.insert(path).second) return;
    for (std::string line : split_words(tree::read_text(tree_, path, largest_configuration), "\n")) {
      line = line.substr(0, line.find('#'));
      const std::vector<std::string> words = split_words(line, " \t\r");
      if (words.empty()) continue;
      if (words[0] == "include" && words.size() > 1 && words[1].starts_with('/')) {
        const std::string pattern = words[1].substr(1);
        if (!patterns_.insert(pattern).second || patterns_.size() > most_includes) continue;
        count_steps(tree_.entries().size());
        for (const auto& [name, entry] : tree_.entries()) {
          if (tree::parent_path(name) == tree::parent_path(pattern) && fits(pattern, name)) {
            read_loader_configuration(name);
          }
        }
      } else if (words[0].starts_with('/')) {
        usual_.push_back(words[0].substr(1));
      }
    }
  }

  const Elf* elf_at(const std::string& path) {
    const auto known = elves_.find(path);
    if (known != elves_.end()) return known->second ? &*known->second : nullptr;
    std::optional<Elf> elf;
    const tree::Inode* inode = tree_.find(path);
    if (inode != nullptr && inode->type == archive::EntryType::file) {
      try {
        elf = read_elf(*open_(*inode));
      } catch (const Error& error) {
        findings_.push_back(
            {"elf:/" + path, Severity::note, fmt::format("/{} cannot be read: {}", printable(path), error.message())});
      }
    }
    const auto& kept = elves_.emplace(path, std::move(elf)).first->second;
    return kept ? &*kept : nullptr;
  }

  /// "$ORIGIN/../x" of the file at `path` as a path of the tree. What is put in is not looked at again, and what grows
  /// longer than a path can be leads nowhere.
  static std::string expanded(std::string_view folder, const std::string& path) {
    const std::string origin = "/" + std::string(tree::parent_path(path));
    std::string result;
    while (!folder.empty() && result.size() <= longest_path) {
      std::size_t taken = 1;
      for (const std::string_view token : {"$ORIGIN", "${ORIGIN}"}) {
        if (folder.starts_with(token)) taken = token.size();
      }
      result += taken > 1 ? std::string_view(origin) : folder.substr(0, 1);
      folder.remove_prefix(taken);
    }
    if (result.size() > longest_path) return result.substr(0, longest_path);
    return result.starts_with('/') ? result.substr(1) : result;
  }

  /// The library in `folder` that fits `elf`, if it is there.
  std::optional<std::string> in_folder(const std::string& folder, const std::string& name, const Elf& elf) {
    std::optional<std::string> real;
    try {
      real = tree_.resolve(folder.empty() ? name : folder + "/" + name);
    } catch (const Error&) {
      return std::nullopt;  // links in circles
    }
    if (!real) return std::nullopt;
    const Elf* found = elf_at(*real);
    return found != nullptr && found->kind == elf.kind ? real : std::nullopt;
  }

  std::optional<std::string> find(const std::string& name, const std::string& path, const Elf& elf) {
    if (name.find('/') != std::string::npos) return in_folder("", expanded(name, path), elf);
    std::vector<std::string> folders;
    if (elf.runpath.empty()) {
      for (const std::string& folder : elf.rpath) folders.push_back(expanded(folder, path));
    }
    for (const std::string& folder : library_path_) folders.push_back(expanded(folder, path));
    for (const std::string& folder : elf.runpath) folders.push_back(expanded(folder, path));
    folders.insert(folders.end(), usual_.begin(), usual_.end());
    for (const std::string& folder : folders) {
      count_steps(1);
      if (auto found = in_folder(folder, name, elf)) return found;
    }
    return std::nullopt;
  }

  void check(const std::string& path, const Elf& elf) {
    std::map<std::string, std::string> found;
    for (const std::string& name : elf.needed) {
      if (auto library = find(name, path, elf)) {
        found[name] = *library;
        if (*library != path) loaders_[*library].insert(path);
        add(*library);
        continue;
      }
      // A loader of another name, such as musl's, stands for the C library.
      if (!elf.loader.empty() && name == tree::base_name(elf.loader)) continue;
      missing_.push_back({name, path});
    }
    for (const NeededVersion& wanted : elf.needed_versions) {
      const auto library = found.find(wanted.library);
      if (library == found.end()) continue;
      const Elf* provider = elf_at(library->second);
      const auto& defined = provider->defined_versions;
      count_steps(defined.size());
      if (defined.empty() || std::find(defined.begin(), defined.end(), wanted.version) != defined.end()) continue;
      findings_.push_back(
          {fmt::format("version:{}:{}", wanted.library, wanted.version), Severity::problem,
           fmt::format("/{} needs {} of {}, which /{} does not have", printable(path), printable(wanted.version),
                       printable(wanted.library), printable(library->second))});
    }
  }

  struct Missing {
    std::string name;
    std::string path;
  };

  /// A file that loads the one at `path`, maybe by others, and brings `name` along: it was loaded before by that file's
  /// own search path, or the loader looks in its DT_RPATH, which counts for what it loads (ld.so(8)).
  std::optional<std::string> answered_by(const std::string& name, const std::string& path, const Elf& elf) {
    std::set<std::string> met = {path};
    std::deque<std::string> queue = {path};
    while (!queue.empty()) {
      const auto loaders = loaders_.find(queue.front());
      queue.pop_front();
      if (loaders == loaders_.end()) continue;
      for (const std::string& loader : loaders->second) {
        count_steps(1);
        if (!met.insert(loader).second) continue;
        queue.push_back(loader);
        const Elf* other = elf_at(loader);
        if (other == nullptr) continue;
        const bool needs_it_too = std::find(other->needed.begin(), other->needed.end(), name) != other->needed.end();
        if (needs_it_too && find(name, loader, *other)) return loader;
        if (!elf.runpath.empty() || !other->runpath.empty()) continue;
        for (const std::string& folder : other->rpath) {
          count_steps(1);
          if (in_folder(expanded(folder, loader), name, elf)) return loader;
        }
      }
    }
    return std::nullopt;
  }

  void report(const Missing& one) {
    const auto& [name, path] = one;
    const Elf& elf = *elf_at(path);
    if (const auto loader = answered_by(name, path, elf)) {
      findings_.push_back({"library:" + name, Severity::detail,
                           fmt::format("/{} needs {}, which /{} brings along when it loads that", printable(path),
                                       printable(name), printable(*loader))});
      return;
    }
    if (base::is_of_the_host(name)) {
      findings_.push_back({"library:" + name, Severity::note,
                           fmt::format("/{} needs {}, a driver, which the host puts into the container",
                                       printable(path), printable(name))});
      return;
    }
    const auto elsewhere = by_name_.find(name);
    if (elsewhere != by_name_.end()) {
      for (const std::string& place : elsewhere->second) {
        count_steps(1);
        const auto real = tree_.resolve(place);
        const Elf* other = real ? elf_at(*real) : nullptr;
        if (other == nullptr || other->kind != elf.kind) continue;
        findings_.push_back({"library:" + name, Severity::note,
                             fmt::format("/{} needs {}, which is at /{}, where the loader does not look by itself",
                                         printable(path), printable(name), printable(place))});
        return;
      }
    }
    findings_.push_back(
        {"library:" + name, Severity::problem,
         fmt::format("/{} needs {}, which is not in the image{}", printable(path), printable(name), advice(name))});
  }

  /// "; Debian's libpango-1.0-0 has it".
  std::string advice(const std::string& name) const {
    const auto package = base::package_of_library(suite_, name);
    return package ? fmt::format("; Debian's {} has it", *package) : "";
  }

  const tree::FileTree& tree_;
  const std::string suite_;
  const OpenFile& open_;
  Findings& findings_;
  std::vector<std::string> library_path_;
  std::vector<std::string> usual_;
  std::set<std::string> configurations_;  // ld.so.conf and what it includes, as far as they were read
  std::set<std::string> patterns_;        // of their includes
  std::size_t steps_ = 0;
  std::map<std::string, std::vector<std::string>> by_name_;  // below the prefixes
  std::map<std::string, std::optional<Elf>> elves_;          // by real path
  std::set<std::string> seen_;
  std::deque<std::string> queue_;
  std::map<std::string, std::set<std::string>> loaders_;  // of a library: which files load it
  std::vector<Missing> missing_;
};

}  // namespace

std::size_t check_libraries(const tree::FileTree& tree, const std::vector<Environment>& environments,
                            const std::string& library_path, const OpenFile& open, Findings& findings) {
  Closure closure(tree, library_path, open, findings);
  for (const Environment& environment : environments) {
    closure.add(environment.interpreter);
    for (const std::string& folder : environment.site_folders) closure.add_below(folder);
    closure.add_below(environment.prefix + "/bin");
  }
  return closure.run();
}

}  // namespace veneer::check
