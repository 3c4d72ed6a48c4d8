#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "build/image_builder.hh"
#include "build/image_name.hh"
#include "foundation/text.hh"

namespace veneer::build {

namespace {

namespace fs = std::filesystem;

/// A file that tells of the project to people and tools, and that is no part of what runs.
bool is_about_project(const fs::path& file) {
  constexpr std::array<std::string_view, 9> names = {"makefile",    "justfile",       "mkdocs.yml",
                                                     "pylock.toml", "pyproject.toml", "setup.cfg",
                                                     "tox.ini",     "uv.lock",        "uv.toml"};
  constexpr std::array<std::string_view, 12> starts = {"authors",      "changelog", "changes",      "code_of_conduct",
                                                       "contributing", "copying",   "licence",      "license",
                                                       "notice",       "readme",    "requirements", "security"};
  const std::string name = lower(file.filename().native());
  if (name.ends_with(".py") || fs::is_directory(file)) return false;
  return std::find(names.begin(), names.end(), name) != names.end() ||
         std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return name.starts_with(start); });
}

}  // namespace

bool belongs_into_image(const std::string& name) {
  constexpr std::array left_out = {"tests",
                                   "test",
                                   "uv.lock",
                                   "venv",
                                   "__pycache__",
                                   "node_modules",
                                   "docker-compose.yml",
                                   "docker-compose.yaml",
                                   "compose.yaml",
                                   "compose.yml"};
  return !name.starts_with('.') && !python::is_base_lock(name) && !name.starts_with("Dockerfile") &&
         !name.ends_with(".egg-info") && std::find(left_out.begin(), left_out.end(), name) == left_out.end();
}

std::vector<python::FileRule> default_files(const BuildInputs& inputs, const std::string& workdir) {
  const fs::path& folder = inputs.project.folder;
  std::set<std::string> names;
  for (const std::string& file : inputs.files.listed) names.insert(file.substr(0, file.find('/')));
  std::vector<python::FileRule> rules;
  for (const std::string& name : names) {
    if (!belongs_into_image(name) || fs::exists(folder / name / "pyvenv.cfg")) continue;
    rules.push_back({name, (workdir == "/" ? "" : workdir) + "/" + name, std::nullopt});
  }
  return rules;
}

bool have_application(const BuildInputs& inputs) {
  const std::vector<python::FileRule>& files = inputs.project.image.files;
  return inputs.project.image.has_files || std::any_of(files.begin(), files.end(), [&](const python::FileRule& rule) {
           return !is_about_project(inputs.project.folder / rule.from);
         });
}

void fill_defaults(BuildInputs& inputs) {
  const python::Project& project = inputs.project;
  python::ImageOptions& image = inputs.project.image;
  image.name = image_name(project);
  if (!image.tag.empty()) image.tag = image_tag(project, {});
  if (!project.is_package && !image.has_files) image.files = default_files(inputs, image.workdir);
}

}  // namespace veneer::build
