#include "app/project_files.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "setup/project_files.hh"

namespace veneer::app {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_ignore_file = 1 << 20;
constexpr std::size_t most_shown = 5;

/// Those of `paths` in the folder, as seen from it.
std::vector<std::string> below(const std::vector<std::string>& paths, const std::string& prefix) {
  std::vector<std::string> result;
  for (const std::string& path : paths) {
    if (path.size() > prefix.size() && path.starts_with(prefix)) result.push_back(path.substr(prefix.size()));
  }
  return result;
}

/// What every checkout has and nobody means to bring.
bool is_made_by_tools(const fs::path& folder, const std::string& path) {
  const fs::path name = fs::path(path.ends_with('/') ? path.substr(0, path.size() - 1) : path).filename();
  return name == "__pycache__" || name == ".veneer" || name.extension() == ".pyc" ||
         fs::exists(folder / path / "pyvenv.cfg");
}

std::string shown(const std::vector<python::Secret>& secrets) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most_shown, secrets.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", printable(secrets[i].path), secrets[i].kind);
  }
  return secrets.size() > most_shown ? fmt::format("{} and {} more secrets", text, secrets.size() - most_shown) : text;
}

}  // namespace

IgnoreFile::IgnoreFile(const fs::path& folder, const start::IgnoreFiles& files)
    : above_(files.above.empty() ? "" : files.above + "/") {
  for (const std::string& name : files.names) {
    const fs::path path = (folder / name).lexically_normal();
    const auto text = read_text_file_if_exists(path, largest_ignore_file);
    if (!text) continue;
    patterns_ =
        in_context([&] { return printable(path.native()); }, [&] { return owners::DockerIgnore::parse(*text); });
    name_ = name;
    return;
  }
}

build::ProjectFiles list_files(const python::Project& project, const std::optional<python::GitFolder>& git) {
  build::ProjectFiles files;
  if (!git) {
    files.listed = build::files_below(project.folder);
    std::erase_if(files.listed, setup::is_written_by_init);
    return files;
  }
  files.in_repository = true;
  const std::string prefix = git->prefix();
  for (const auto* names : {&git->checkout->files.tracked, &git->checkout->files.untracked}) {
    for (std::string& name : below(*names, prefix)) {
      if (!python::is_base_lock(name) && !setup::is_written_by_init(name)) files.listed.push_back(std::move(name));
    }
  }
  std::sort(files.listed.begin(), files.listed.end());
  return files;
}

void choose_files(const python::Project& project, const std::optional<python::GitFolder>& git, const IgnoreFile& ignore,
                  build::ProjectFiles& files) {
  const fs::path& folder = project.folder;
  files.ignore_file = ignore.name();
  const auto stay = std::stable_partition(files.listed.begin(), files.listed.end(),
                                          [&](const std::string& path) { return !ignore.excludes(path); });
  files.left_out.assign(stay, files.listed.end());
  files.listed.erase(stay, files.listed.end());

  std::vector<std::string> ignored;
  if (git) {
    for (const std::string& path : below(git->checkout->files.ignored, git->prefix())) {
      if (is_made_by_tools(folder, path)) continue;
      ++files.ignored_by_git;
      if (!path.ends_with('/')) ignored.push_back(path);
    }
  }
  const std::vector<std::string>* tracked = git ? &git->checkout->files.tracked : nullptr;
  for (python::Secret& secret : python::secrets_among(folder, files.listed)) {
    const bool is_tracked =
        tracked != nullptr && std::binary_search(tracked->begin(), tracked->end(), git->prefix() + secret.path);
    (is_tracked ? files.kept_secrets : files.secrets).push_back(std::move(secret));
  }
  for (const python::Secret& secret : files.secrets) std::erase(files.listed, secret.path);
  std::vector<python::Secret> of_git = python::secrets_among(folder, ignored);
  files.ignored_by_git -= of_git.size();
  files.secrets.insert(files.secrets.end(), of_git.begin(), of_git.end());
}

std::string left_out_text(const build::ProjectFiles& files) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (files.ignored_by_git > 0) add(fmt::format("{} that git ignores", files.ignored_by_git));
  if (!files.left_out.empty()) add(fmt::format("{} by {}", files.left_out.size(), printable(files.ignore_file)));
  if (!files.secrets.empty()) add(shown(files.secrets));
  return text;
}

Value left_out_value(const build::ProjectFiles& files) {
  Value::Array secrets;
  for (const python::Secret& secret : files.secrets) secrets.emplace_back(secret.path);
  Value value;
  value.set("git", std::uint64_t{files.ignored_by_git});
  value.set("dockerignore", std::uint64_t{files.left_out.size()});
  value.set("secrets", std::move(secrets));
  return value;
}

std::vector<std::string> secret_findings(const build::BuildInputs& inputs) {
  std::vector<std::string> findings;
  for (const python::Secret& secret : inputs.files.kept_secrets) {
    if (!build::comes_with_a_folder(inputs.project, secret.path)) continue;
    findings.push_back(fmt::format(
        "{} is {} and in the image, since git tracks it; if it should not be there, name it in .dockerignore",
        printable(secret.path), secret.kind));
  }
  return findings;
}

void add_version_findings(const build::BuildInputs& inputs, const python::GitFolder& git, build::BuildPlan& plan) {
  const python::GitState& state = git.checkout->outermost();
  const std::string& plugin = inputs.project.version_plugin;
  if (!git.checkout->is_clean() && !state.commit.empty()) {
    plan.findings.push_back(fmt::format("the work tree differs from commit {}; the version is {}",
                                        state.commit.substr(0, 12), printable(plan.version)));
  }
  if (!plugin.empty() && python::git_output(state.repository, {"for-each-ref", "--count=1", "refs/tags"}).empty()) {
    plan.findings.push_back(
        fmt::format("{} found no tags in git, so the version is {}; if there should be some, run: git fetch --tags",
                    plugin, printable(plan.version)));
  }
  std::sort(plan.findings.begin(), plan.findings.end());
}

}  // namespace veneer::app
