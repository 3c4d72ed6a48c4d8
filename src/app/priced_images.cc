#include "app/priced_images.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "app/past_application.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "foundation/units.hh"
#include "python/lock/location.hh"
#include "python/project/git_tree.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_text = 64 << 20;

/// What a lock names by a path: which content that is, and its size if it is a file.
struct LocalFile {
  std::string identity;
  std::optional<std::uint64_t> size;
};
using FindLocal = std::function<LocalFile(const std::string& location)>;

std::string identity_of(const python::SelectedPackage& package) {
  return package.hash ? package.hash->text() : package.location + "#" + package.git_commit + "#" + package.version;
}

void add_distributions(PricedImage& image, const python::Selection& selection, const python::Target& target,
                       const FindLocal& find_local) {
  for (const python::SelectedPackage& package : selection.packages) {
    if (package.is_project) continue;
    std::string identity = identity_of(package);
    std::optional<std::uint64_t> size = package.size;
    if (!python::is_on_a_server(package.location) && package.kind != python::PackageKind::git) {
      const LocalFile local = find_local(package.location);
      identity += "\n" + local.identity;
      if (!size) size = local.size;
    }
    const bool is_file = package.kind == python::PackageKind::wheel;
    image.distributions.push_back({.component = {.id = package.display_name(),
                                                 .name = package.name,
                                                 .kind = plan::ComponentKind::distribution,
                                                 .key = {sha256(fmt::format("{}\n{}\n{}\n{}", package.name, identity,
                                                                            target.library_folder(), target.machine))},
                                                 .size = size.value_or(0)},
                                   .version = package.version,
                                   .certainty = is_file && size ? Certainty::known : Certainty::estimated});
  }
  image.environment = fmt::format("{} {}", target.library_folder(), target.interpreter);
}

/// A file without a size is as large as another of its distribution, else of a round figure.
void estimate_sizes(PricedImage& image, const PricedImage& other) {
  std::map<std::string_view, std::uint64_t> known;
  for (const PricedDistribution& distribution : other.distributions)
    known[distribution.component.name] = distribution.component.size;
  for (PricedDistribution& distribution : image.distributions) {
    if (distribution.component.size > 0) continue;
    const auto like = known.find(distribution.component.name);
    distribution.component.size = like == known.end() || like->second == 0 ? guessed_size : like->second;
  }
}

void note_estimates(Price& price, const PricedImage& image) {
  std::vector<std::string> names;
  std::set<std::string_view> changed;
  for (const PricedChange& change : price.changes) changed.insert(change.name);
  for (const PricedDistribution& distribution : image.distributions) {
    if (distribution.certainty == Certainty::estimated && changed.contains(distribution.component.name))
      names.push_back(distribution.component.name);
  }
  if (names.empty()) return;
  price.notes.push_back(
      fmt::format("estimated, since no lock says the size of what is installed: {}", fmt::join(names, ", ")));
}

std::vector<std::string> together(std::vector<std::string> names, const std::vector<std::string>& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

python::SelectRequest select_request(const python::Project* project, const python::Target& target,
                                     const PriceRequest& request) {
  python::SelectRequest select{.target = target};
  if (project != nullptr) {
    select.project = project->name;
    select.options.extras = project->extras;
    select.options.groups = project->groups;
    if (!project->package.empty()) select.options.packages = {project->package};
  }
  select.options.extras = together(std::move(select.options.extras), request.extras);
  select.options.groups = together(std::move(select.options.groups), request.groups);
  if (request.package) select.options.packages = {*request.package};
  return select;
}

/// What one commit has of the project.
class Commit {
 public:
  Commit(const python::GitRepository& repository, std::string prefix, const std::string& revision,
         const PriceRequest& request, Surroundings& surroundings)
      : repository_(repository),
        prefix_(std::move(prefix)),
        revision_(revision),
        request_(request),
        surroundings_(surroundings),
        commit_(python::find_commit(repository, revision)) {}

  /// A commit that pins no base stands on the same as the other, as far as anybody can tell.
  PricedImage read(const Commit& other, const plan::ApplicationSplit& previous) {
    return in_context([&] { return "the price of " + printable(revision_); },
                      [&] { return read_all_of_it(other.base_text(), previous); });
  }

  std::string base_text() const { return text(prefix_ + std::string(python::base_lock_name)).value_or(""); }
  std::optional<std::size_t> dependency_layers() const { return project_.dependency_layers; }
  bool prepares_files() const { return !project_.prepare.empty(); }

 private:
  PricedImage read_all_of_it(std::string other_base, const plan::ApplicationSplit& previous) {
    texts_.pyproject = need_text(prefix_ + "pyproject.toml", "name the folder that it had then: --project DIR");
    find_lock();
    texts_.base_lock = base_text();
    if (texts_.base_lock.empty()) texts_.base_lock = std::move(other_base);
    for (const std::string& folder : folders_up()) {
      if (auto said = text(folder + ".python-version")) {
        texts_.python_version = std::move(*said);
        break;
      }
    }
    PricedImage image{.name = revision_, .revision = commit_, .platform = request_.target.platform};
    project_ = python::parse_project(texts_.pyproject, repository_.root / prefix_);
    const python::Target target = past_target(texts_, request_.target);
    const auto lock = read_past_lock(texts_, surroundings_);
    const python::Selection selection = python::select(*lock, select_request(&project_, target, request_));
    add_distributions(image, selection, target, [&](const std::string& location) { return local_file(location); });
    add_application(image, selection, target, previous);
    return image;
  }

  /// "services/shop/", "services/", "".
  std::vector<std::string> folders_up() const {
    std::vector<std::string> folders{prefix_};
    for (std::string folder = prefix_; !folder.empty();) {
      const std::size_t slash = folder.rfind('/', folder.size() - 2);
      folder.erase(slash == std::string::npos ? 0 : slash + 1);
      folders.push_back(folder);
    }
    return folders;
  }

  void find_lock() {
    for (const std::string& folder : folders_up()) {
      auto found = text(folder + texts_.lock_name);
      if (!found) continue;
      texts_.lock = std::move(*found);
      lock_folder_ = folder;
      return;
    }
    throw Error(ErrorKind::not_found, fmt::format("{} has no {}", printable(revision_), texts_.lock_name),
                "the price of a commit is that of what its lock installs");
  }

  std::optional<std::string> text(const std::string& path) const {
    const std::string object = python::find_objects(repository_, {commit_ + ":" + path}).front();
    if (object.empty()) return std::nullopt;
    std::string text;
    python::read_objects(repository_, {object}, largest_text,
                         [&](std::size_t, std::string_view content) { text = content; });
    return text;
  }

  std::string need_text(const std::string& path, const std::string& hint) const {
    auto found = text(path);
    if (!found) {
      throw Error(ErrorKind::not_found, fmt::format("{} has no {}", printable(revision_), printable(path)), hint);
    }
    return std::move(*found);
  }

  /// As git names what the lock names: "wheels/a.whl" beside the lock in "services/".
  std::string in_repository(const std::string& location) const {
    std::string path = (fs::path(lock_folder_) / location).lexically_normal().generic_string();
    if (path == ".") path.clear();
    return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
  }

  LocalFile local_file(const std::string& location) const {
    const std::string path = in_repository(location);
    if (path.starts_with('/') || path.starts_with("..")) return {};
    LocalFile local{python::find_objects(repository_, {commit_ + ":" + path}).front(), std::nullopt};
    if (!local.identity.empty() && !location.ends_with('/')) {
      if (trimmed(python::local_git_output(repository_, {"cat-file", "-t", local.identity})) == "blob") {
        local.size = read_number<std::uint64_t>(
            trimmed(python::local_git_output(repository_, {"cat-file", "-s", local.identity})));
      }
    }
    return local;
  }

  void add_application(PricedImage& image, const python::Selection& selection, const python::Target& target,
                       const plan::ApplicationSplit& previous) {
    const auto checkout = [&](const std::string& folder) {
      return python::files_of_commit(repository_, commit_, folder);
    };
    PastApplication application(repository_, surroundings_);
    application.add_project(checkout(prefix_), target);
    for (const python::SelectedPackage& package : selection.packages) {
      if (!package.is_project) continue;
      std::string folder = in_repository(package.location);
      if (!folder.empty()) folder += "/";
      application.add_code(package.name, checkout(folder), target);
    }
    image.application = application.parts(previous);
  }

  const python::GitRepository& repository_;
  std::string prefix_;
  std::string revision_;
  const PriceRequest& request_;
  Surroundings& surroundings_;
  std::string commit_;
  PastTexts texts_;
  std::string lock_folder_;
  python::Project project_;
};

plan::ApplicationSplit split_of(const PricedImage& image) {
  plan::ApplicationSplit split;
  for (const PricedPart& part : image.application) {
    if (auto read = plan::read_part_title(part.title)) split.push_back(std::move(*read));
  }
  return split;
}

std::optional<python::Project> project_here(const fs::path& folder) {
  try {
    return python::read_project(folder);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

PricedImage read_lock_file(const fs::path& path, const std::optional<python::Project>& project,
                           const PriceRequest& request, Surroundings& surroundings) {
  const std::string name = path.filename().native();
  const fs::path beside = fs::absolute(path).parent_path();
  const auto text_beside = [&](std::string_view file) {
    auto found = read_text_file_if_exists(beside / file, largest_text);
    if (!found && project) found = read_text_file_if_exists(project->folder / file, largest_text);
    return std::move(found).value_or("");
  };
  const bool is_other_format = name.ends_with(".txt") || (name.starts_with("pylock") && name.ends_with(".toml"));
  const PastTexts texts{.lock = read_text_file(path, largest_text),
                        .lock_name = is_other_format ? name : "uv.lock",
                        .pyproject = text_beside("pyproject.toml"),
                        .base_lock = text_beside(python::base_lock_name),
                        .python_version = text_beside(".python-version")};
  PricedImage image{.name = path.native(), .revision = sha256(texts.lock).hex(), .platform = request.target.platform};
  const python::Target target = past_target(texts, request.target);
  const auto lock =
      in_context([&] { return printable(path.native()); }, [&] { return read_past_lock(texts, surroundings); });
  const python::Selection selection =
      python::select(*lock, select_request(project ? &*project : nullptr, target, request));
  add_distributions(image, selection, target, [&](const std::string& location) {
    std::error_code error;
    const std::uint64_t size = fs::file_size(beside / location, error);
    return LocalFile{"", error ? std::nullopt : std::optional(size)};
  });
  return image;
}

Price priced(PricedImage& from, PricedImage& to, const PriceOptions& options) {
  estimate_sizes(to, from);
  estimate_sizes(from, to);
  Price result = price(from, to, options);
  note_estimates(result, to);
  return result;
}

}  // namespace

Price price_of_commits(const std::string& from, const std::string& to, const PriceRequest& request,
                       Surroundings& surroundings) {
  const fs::path folder = real_path(surroundings.current_folder());
  const auto repository = python::find_git_repository(folder);
  if (!repository) {
    throw Error(ErrorKind::not_found, fmt::format("{} is in no git repository", printable(folder.native())),
                "compare two files: veneer compare --lock OLD NEW");
  }
  std::string prefix = folder.lexically_relative(repository->root).generic_string();
  prefix = prefix == "." ? "" : prefix + "/";
  Commit old_commit(*repository, prefix, from, request, surroundings);
  Commit new_commit(*repository, prefix, to, request, surroundings);
  PricedImage old_image = old_commit.read(new_commit, {});
  PricedImage new_image = new_commit.read(old_commit, split_of(old_image));
  const auto layers = request.dependency_layers ? request.dependency_layers : new_commit.dependency_layers();
  Price result = priced(old_image, new_image, {layers, request.line});
  const std::string old_base = old_commit.base_text();
  if (!old_base.empty() && old_base != new_commit.base_text()) {
    result.notes.push_back("veneer.lock is another one: layers of the base that change with it are not counted");
  }
  if (new_commit.prepares_files()) {
    result.notes.push_back("files that [[tool.veneer.prepare]] makes are not counted");
  }
  return result;
}

Price price_of_locks(const fs::path& from, const fs::path& to, const PriceRequest& request,
                     Surroundings& surroundings) {
  const std::optional<python::Project> project = project_here(surroundings.current_folder());
  PricedImage old_image = read_lock_file(from, project, request, surroundings);
  PricedImage new_image = read_lock_file(to, project, request, surroundings);
  PriceOptions options{.line = request.line};
  if (project) options.dependency_layers = project->dependency_layers;
  if (request.dependency_layers) options.dependency_layers = request.dependency_layers;
  Price result = priced(old_image, new_image, options);
  result.notes.push_back("the application itself is not counted");
  return result;
}

}  // namespace veneer::app
