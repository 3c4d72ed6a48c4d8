#include "app/repeat_prepare.hh"

#include <fmt/format.h>

#include <map>

#include "base/unpack.hh"
#include "build/prepare.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/cache/layer_cache.hh"
#include "image/history.hh"
#include "tree/hashed_content.hh"

namespace veneer::app {

namespace {

/// Of each path that the steps make, what it is: "file 0644 <hash>", "link TARGET".
using Digests = std::map<std::string, std::string>;

Digests run_steps(const OpenedImage& opened, const python::Project& project, const std::filesystem::path& temporary,
                  const std::function<void(const std::string&)>& progress) {
  const image::Image& image = opened.sealed.image;
  const std::vector<image::LayerHistory> history = image::history_of_layers(image.config.history, image.layers.size());
  std::vector<base::PlacedLayer> layers;
  std::optional<std::size_t> application;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (history[i].is_certain && history[i].created_by.starts_with("veneer: prepared")) continue;
    if (history[i].is_certain && history[i].created_by.starts_with("veneer: application") && !application) {
      application = layers.size();
    }
    layers.push_back({&image.layers[i], opened.blobs.get()});
  }
  const TemporaryFolder scratch(temporary, "repeat");
  make_folders(scratch.path() / "staging");
  build::PreparedRoot root(base::stage(layers, scratch.path() / "staging"), scratch.path() / "root", image.config,
                           application);
  Digests made;
  for (const python::PrepareStep& step : project.prepare) {
    progress("preparing files: " + build::prepare_title(step));
    const build::PreparedFiles files = root.run(step);
    for (const auto& [path, entry] : files.tree.entries()) {
      const tree::Inode& inode = *entry.inode;
      if (inode.type == archive::EntryType::symlink) made[path] = "link " + inode.link_target;
      if (inode.type == archive::EntryType::folder) made[path] = "folder";
      if (inode.type == archive::EntryType::file)
        made[path] = fmt::format("file {:o} {}", inode.mode, tree::content_hash(*inode.content).hex());
    }
  }
  return made;
}

}  // namespace

check::Findings repeat_prepare(const OpenedImage& image, Surroundings& surroundings) {
  const std::filesystem::path folder = project_store(surroundings.current_folder()).parent_path();
  const python::Project project = python::read_project(folder);
  if (project.prepare.empty()) {
    throw Error(ErrorKind::refused, fmt::format("{} prepares no files", printable(project.name)),
                "[[tool.veneer.prepare]] in its pyproject.toml says what makes them");
  }
  const image::LayerCache cache(surroundings.cache_folder());  // while it lives, nobody prunes what we unpack
  const auto progress = [&](const std::string& text) { surroundings.messages().progress(text); };
  const Digests first = run_steps(image, project, cache.folder() / "tmp", progress);
  Digests second = run_steps(image, project, cache.folder() / "tmp", progress);
  surroundings.messages().clear_progress();
  check::Findings findings;
  const auto differs = [&](const std::string& path, std::string_view how) {
    findings.push_back({"repeat:/" + path, check::Severity::problem, fmt::format("/{} {}", printable(path), how)});
  };
  for (const auto& [path, what] : first) {
    const auto again = second.find(path);
    if (again == second.end()) {
      differs(path, "was made the first time and not the second");
    } else if (again->second != what) {
      differs(path, "is another one when it is prepared again");
    }
    second.erase(path);
  }
  for (const auto& [path, what] : second) differs(path, "was made the second time and not the first");
  return findings;
}

}  // namespace veneer::app
