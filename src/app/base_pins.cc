#include "app/base_pins.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t lock_limit = 16 << 20;
constexpr std::string_view strict_hint =
    "'veneer build' without --locked takes what can be had and writes it; 'veneer base update' makes the lock anew";

/// "libc6", with its machine where there are two of them.
std::string name_of(const base::LockedPackage& package, const std::vector<base::LockedPackage>& all) {
  const auto count =
      std::count_if(all.begin(), all.end(), [&](const auto& other) { return other.name == package.name; });
  return count > 1 ? package.name + ":" + package.architecture : package.name;
}

const base::LockedPackage* find_package(const std::vector<base::LockedPackage>& packages,
                                        const base::LockedPackage& wanted) {
  const auto found = std::find_if(packages.begin(), packages.end(), [&](const base::LockedPackage& package) {
    return package.name == wanted.name && (package.architecture == wanted.architecture ||
                                           package.architecture == "all" || wanted.architecture == "all");
  });
  return found == packages.end() ? nullptr : &*found;
}

/// What is pinned and was not taken stays, and so do hashes that an old cache does not know.
void keep_locked(const std::vector<base::LockedPackage>& pinned, std::vector<base::LockedPackage>& taken) {
  for (base::LockedPackage& package : taken) {
    const base::LockedPackage* before = find_package(pinned, package);
    if (before != nullptr && before->version == package.version && !package.sha256) package.sha256 = before->sha256;
  }
  const std::vector<base::LockedPackage> found = taken;
  for (const base::LockedPackage& package : pinned) {
    if (find_package(found, package) == nullptr) taken.push_back(package);
  }
}

std::string move_text(const BaseMove& move) {
  if (move.from.empty()) return fmt::format("{} {} is new", move.what, move.to);
  if (move.to.empty()) return fmt::format("{} {} is gone", move.what, move.from);
  return fmt::format("{} {} -> {}", move.what, move.from, move.to);
}

std::string short_digest(const base::LockedImage& image) {
  if (image.manifest) return image.manifest->text().substr(0, 19);
  return image.config ? image.config->text().substr(0, 19) : "";
}

/// Builds of one project take turns at its veneer.lock by a lock on pyproject.toml, which stays the same file; where it
/// cannot be locked they do without. Not by one on the folder: temporary folders hold that themselves.
class ProjectLock {
 public:
  explicit ProjectLock(const fs::path& folder)
      : descriptor_(::open((folder / "pyproject.toml").c_str(), O_RDONLY | O_CLOEXEC)) {
    while (descriptor_.is_open() && ::flock(descriptor_.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
  }

 private:
  FileDescriptor descriptor_;
};

}  // namespace

BasePins::BasePins(const fs::path& folder, BaseLockUse use, BaseLockOf of)
    : path_(folder / python::base_lock_name), use_(use), was_there_(fs::exists(path_)), of_(of) {
  if (use_ == BaseLockUse::ignored || !was_there_) return;
  try {
    lock_ = in_context([&] { return printable(path_.native()); },
                       [&] { return base::parse_base_lock(read_text_file(path_, lock_limit)); });
  } catch (const Error&) {
    if (use_ != BaseLockUse::renewed) throw;
  }
}

void BasePins::choose(const std::string& name, const std::string& platform) {
  if (const base::LockedBase* found = lock_.find(name, platform)) {
    pinned_ = *found;
  } else if (use_ == BaseLockUse::strict) {
    throw Error(ErrorKind::refused,
                was_there_
                    ? fmt::format("{} has nothing of {} for {}", printable(path_.native()), printable(name), platform)
                    : fmt::format("there is no {}", printable(path_.native())),
                "build once without --locked and commit veneer.lock");
  }
}

const base::LockedBase* BasePins::pinned() const {
  return pinned_ && use_ != BaseLockUse::renewed ? &*pinned_ : nullptr;
}

const std::vector<base::LockedPackage>& BasePins::packages() const {
  static const std::vector<base::LockedPackage> none;
  return pinned() != nullptr ? pinned()->packages : none;
}

const std::vector<base::LockedPackage>& BasePins::build_packages() const {
  static const std::vector<base::LockedPackage> none;
  return pinned() != nullptr ? pinned()->build_packages : none;
}

std::optional<base::Interpreter> BasePins::interpreter() const {
  return pinned() != nullptr ? pinned()->interpreter : std::nullopt;
}

base::LockedImage BasePins::image() const { return pinned() != nullptr ? pinned()->image : base::LockedImage{}; }

const std::vector<base::LockedFile>& BasePins::files() const {
  static const std::vector<base::LockedFile> none;
  return pinned() != nullptr ? pinned()->files : none;
}

const std::vector<base::LockedPython>& BasePins::pythons() const {
  static const std::vector<base::LockedPython> none;
  return pinned() != nullptr ? pinned()->pythons : none;
}

std::string BasePins::snapshot() const { return pinned() != nullptr ? pinned()->snapshot : ""; }

/// Fills in the moves; returns what was taken and is not in the lock, as apt takes it.
std::vector<std::string> BasePins::compare(const base::LockedBase& taken) {
  const base::LockedBase old = pinned_.value_or(base::LockedBase{});
  std::vector<std::string> unpinned;
  if (old.image != taken.image) {
    if (pinned_) moves_.push_back({"image", short_digest(old.image), short_digest(taken.image)});
    if (!pinned_) unpinned.push_back(fmt::format("{} {}", taken.name, short_digest(taken.image)));
  }
  if (taken.interpreter && old.interpreter != taken.interpreter) {
    if (old.interpreter) moves_.push_back({"Python", old.interpreter->version, taken.interpreter->version});
    if (!old.interpreter) unpinned.push_back("Python " + taken.interpreter->version);
  }
  compare(old.packages, taken.packages, moves_, unpinned);
  return unpinned;
}

void BasePins::compare(const std::vector<base::LockedPackage>& old, const std::vector<base::LockedPackage>& taken,
                       std::vector<BaseMove>& moves, std::vector<std::string>& unpinned) const {
  for (const base::LockedPackage& package : taken) {
    const std::string name = name_of(package, taken);
    const base::LockedPackage* before = find_package(old, package);
    if (before == nullptr) {
      unpinned.push_back(fmt::format("{}={}", name, package.version));
      if (pinned_ && use_ == BaseLockUse::renewed) moves.push_back({name, "", package.version});
    } else if (before->version != package.version) {
      moves.push_back({name, before->version, package.version});
    }
  }
  if (use_ != BaseLockUse::renewed || keeps_what_is_not_taken()) return;
  for (const base::LockedPackage& package : old) {
    if (find_package(taken, package) == nullptr) moves.push_back({name_of(package, old), package.version, ""});
  }
}

/// Of bases whose bytes are as before.
void BasePins::check_facts(const base::LockedBase& taken) const {
  const base::TargetFacts& before = pinned_->target;
  const base::TargetFacts& now = taken.target;
  const auto differ = [&](std::string_view what, const std::string& locked, const std::string& found) {
    throw Error(
        ErrorKind::verification,
        fmt::format("{} line {}: the {} of {} is {}, not {}", printable(path_.native()), pinned_->line, what,
                    printable(taken.name), printable(found), printable(locked)),
        "somebody changed the line, or the base's files are not what they were; 'veneer base update' makes it anew");
  };
  if (before.libc != now.libc) differ("C library", before.libc, now.libc);
  if (before.machine != now.machine) differ("machine", before.machine, now.machine);
  if (before.folders != now.folders) {
    differ("folders above the environment", fmt::format("{}", fmt::join(before.folders, "; ")),
           fmt::format("{}", fmt::join(now.folders, "; ")));
  }
  for (const base::LockedFile& file : pinned_->files) {
    const auto found = std::find_if(taken.files.begin(), taken.files.end(),
                                    [&](const base::LockedFile& other) { return other.path == file.path; });
    if (found == taken.files.end() || file == *found) continue;
    differ("file " + printable(file.path), file.is == found->is ? file.text.value_or("") : file.is,
           file.is == found->is ? found->text.value_or("") : found->is);
  }
  if (!pinned_->pythons.empty() && pinned_->pythons != taken.pythons) {
    const auto names = [](const std::vector<base::LockedPython>& pythons) {
      std::string text;
      for (const base::LockedPython& python : pythons) {
        text += fmt::format("{}{} ({}, {}, {})", text.empty() ? "" : ", ", python.interpreter, python.python,
                            python.libc, python.machine);
      }
      return text;
    };
    differ("list of Pythons", names(pinned_->pythons), names(taken.pythons));
  }
  // Another of the base's Pythons may be asked for.
  if (before.python == now.python && before.interpreter != now.interpreter) {
    differ("interpreter", before.interpreter, now.interpreter);
  }
}

void BasePins::say(const std::vector<BaseMove>& moves, const std::vector<std::string>& unpinned,
                   Messages& messages) const {
  const std::string file = std::string(python::base_lock_name);
  if (use_ != BaseLockUse::renewed) {
    for (const BaseMove& move : moves) {
      messages.note(
          fmt::format("{}: {}, since what is pinned cannot be had any more", file, printable(move_text(move))));
    }
  }
  if (is_to_be_written_ || unpinned.empty()) return;
  messages.note(fmt::format("not pinned in {}, which is not written with CI=true: {}", file,
                            printable(fmt::format("{}", fmt::join(unpinned, " ")), 64 * 1024)));
}

void BasePins::refuse_if_strict(const std::vector<BaseMove>& moves, const std::vector<std::string>& unpinned) const {
  if (use_ != BaseLockUse::strict || (moves.empty() && unpinned.empty())) return;
  std::vector<std::string> differences;
  for (const BaseMove& move : moves) differences.push_back(move_text(move));
  for (const std::string& name : unpinned) differences.push_back(name + " is not in it");
  const std::size_t count = differences.size();
  differences.resize(std::min<std::size_t>(count, 12));
  throw Error(ErrorKind::refused,
              fmt::format("{} does not hold for {}: {}{}", printable(path_.native()), printable(taken_.name),
                          printable(fmt::format("{}", fmt::join(differences, ", ")), 2000),
                          count > differences.size() ? fmt::format(" and {} more", count - differences.size()) : ""),
              std::string(strict_hint));
}

void BasePins::take(base::LockedBase taken, std::shared_ptr<const base::BaseFiles> files, Surroundings& surroundings) {
  files_ = std::move(files);
  taken_ = taken;
  if (use_ == BaseLockUse::ignored) return;
  const std::vector<std::string> unpinned = compare(taken);
  refuse_if_strict(moves_, unpinned);
  if (pinned() != nullptr && moves_.empty()) check_facts(taken);
  is_to_be_written_ =
      use_ == BaseLockUse::renewed || (use_ == BaseLockUse::kept && surroundings.environment("CI") != "true");
  say(moves_, unpinned, surroundings.messages());
  if (keeps_what_is_not_taken()) {
    keep_locked(pinned_->packages, taken.packages);
    if (!taken.interpreter) taken.interpreter = pinned_->interpreter;
  }
  // Whether something is compiled hangs on what the cache has.
  if (pinned_) taken.build_packages = pinned_->build_packages;
  taken_ = std::move(taken);
}

/// What was taken with what was looked up.
base::LockedBase BasePins::to_be_written() const {
  base::LockedBase taken = taken_;
  for (base::LockedFile& file : files_ != nullptr ? files_->asked() : std::vector<base::LockedFile>()) {
    const auto same = std::find_if(taken.files.begin(), taken.files.end(),
                                   [&](const base::LockedFile& other) { return other.path == file.path; });
    if (same == taken.files.end()) {
      taken.files.push_back(std::move(file));
    } else if (file.text) {
      *same = std::move(file);
    }
  }
  return taken;
}

void BasePins::take_build_packages(std::vector<base::LockedPackage> taken, Messages& messages) {
  if (use_ == BaseLockUse::ignored || taken.empty()) return;
  const base::LockedBase old = pinned_.value_or(base::LockedBase{});
  std::vector<BaseMove> moves;
  std::vector<std::string> unpinned;
  compare(old.build_packages, taken, moves, unpinned);
  refuse_if_strict(moves, unpinned);
  say(moves, unpinned, messages);
  if (keeps_what_is_not_taken()) keep_locked(pinned_->build_packages, taken);
  taken_.build_packages = std::move(taken);
  moves_.insert(moves_.end(), moves.begin(), moves.end());
}

void BasePins::write(Messages& messages) const {
  if (!is_to_be_written_) return;
  std::optional<std::string> before;
  const ProjectLock lock_of_project(path_.parent_path());
  try {
    before = read_text_file_if_exists(path_, lock_limit);
    base::BaseLock lock = lock_;
    // What another build wrote meanwhile stays; what is malformed was refused before, or is to be made anew.
    if (before && use_ != BaseLockUse::renewed) lock = base::parse_base_lock(*before);
    lock.set(to_be_written());
    const std::string text = base::write_base_lock(std::move(lock));
    if (before == text) return;
    fail_point("build.before-lock");
    write_text_file(path_, text);
  } catch (const Error& error) {
    messages.warning(fmt::format("what the image stands on is not pinned: {}", error.what()));
    return;
  }
  if (!before) messages.note(fmt::format("{} pins what the image stands on; commit it", printable(path_.native())));
}

}  // namespace veneer::app
