#include "app/past_application.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "app/start_command.hh"
#include "build/application_parts.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "tree/write_layer.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t most_bytes = 1 << 30;
constexpr const char* environment_prefix = "app/.venv";

/// What is said of one commit is not what this command has to say.
class Silent : public Surroundings, public Messages {
 public:
  explicit Silent(const Surroundings& other) : other_(other) {}
  Messages& messages() override { return *this; }
  std::optional<std::string> environment(const std::string& name) const override { return other_.environment(name); }
  fs::path cache_folder() const override { return other_.cache_folder(); }
  fs::path current_folder() const override { return other_.current_folder(); }
  std::int64_t seconds_since_1970() const override { return other_.seconds_since_1970(); }
  std::string caller() const override { return other_.caller(); }
  void progress(const std::string&) override {}
  void clear_progress() override {}
  void note(const std::string&) override {}
  void warning(const std::string&) override {}

 private:
  const Surroundings& other_;
};

/// As git would say it of a clean checkout.
python::GitFolder checkout_of(const std::vector<python::GitFile>& files) {
  auto checkout = std::make_shared<python::GitCheckout>();
  for (const python::GitFile& file : files) checkout->files.tracked.push_back(file.path);
  std::ranges::sort(checkout->files.tracked);
  return {std::move(checkout), {}};
}

IgnoreFile ignore_file_of(const python::Project& project, const fs::path& workspace) {
  build::BuildInputs inputs;
  inputs.project = project;
  inputs.workspace = workspace;
  return {project.folder, ignore_files_of(inputs)};
}

/// As a package of that name is called in code.
std::string module_of(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

bool is_of_tests(const std::string& top) {
  return top == "tests" || top == "test" || top == "docs" || top == "examples";
}

/// What comes before the names as they are installed: of "src/shop/a.py" it is "src/". Nothing for other files.
std::optional<std::size_t> skipped_of(const std::string& path, const std::string& module, bool has_sources,
                                      bool has_module, const std::set<std::string>& packages) {
  constexpr std::string_view sources = "src/";
  if (has_sources) return path.starts_with(sources) ? std::optional(sources.size()) : std::nullopt;
  const std::string top = path.substr(0, path.find('/'));
  const bool is_taken = has_module ? top == module || path == module + ".py" : packages.contains(top);
  return is_taken ? std::optional<std::size_t>(0) : std::nullopt;
}

}  // namespace

ApplicationNames::ApplicationNames(const python::Project& project, const fs::path& workspace)
    : project_(project), module_(module_of(project.name)), ignore_(ignore_file_of(project, workspace)) {}

bool ApplicationNames::has(const std::string& path) const { return is_meant(path) && !ignore_.excludes(path); }

bool ApplicationNames::is_meant(const std::string& path) const {
  const std::string top = path.substr(0, path.find('/'));
  if (project_.is_package && (top == "src" || top == module_ || path == module_ + ".py")) return true;
  if (!project_.image.has_files) return !project_.is_package && build::belongs_into_image(top);
  return std::ranges::any_of(project_.image.files, [&](const python::FileRule& rule) {
    const std::string from = fs::path(rule.from).lexically_normal().generic_string();
    return from == "." || path == from || path.starts_with(from.ends_with('/') ? from : from + "/");
  });
}

PastApplication::PastApplication(const python::GitRepository& repository, Surroundings& surroundings)
    : repository_(repository), surroundings_(surroundings), folder_(fs::temp_directory_path(), "commit") {}

fs::path PastApplication::write(const std::vector<python::GitFile>& files) {
  const fs::path folder = folder_.path() / std::to_string(written_++);
  make_folders(folder);
  python::write_files(repository_, files, folder, most_bytes);
  return real_path(folder);
}

void PastApplication::add_project(const std::vector<python::GitFile>& files, const python::Target& target) {
  const std::optional<python::GitFolder> git = checkout_of(files);
  build::BuildInputs inputs;
  inputs.project = python::read_project(write(files));
  inputs.target = target;
  inputs.files = list_files(inputs.project, git);
  choose_files(inputs.project, git, IgnoreFile(inputs.project.folder, ignore_files_of(inputs)), inputs.files);
  build::fill_defaults(inputs);
  Silent silent(surroundings_);
  const image::LayerCache cache(surroundings_.cache_folder());
  choose_start({inputs, {}, cache, [](const std::string&) { return true; }}, silent);
  const tree::FileTree nowhere;
  files_ = build::application_files(inputs.project, build::Placement(nowhere), inputs.files);
}

void PastApplication::add_code(const std::string& name, const std::vector<python::GitFile>& files,
                               const python::Target& target) {
  const std::string module = module_of(name);
  bool has_sources = false;
  bool has_module = false;
  std::set<std::string> packages;  // at the top
  for (const python::GitFile& file : files) {
    const std::string top = file.path.substr(0, file.path.find('/'));
    has_sources = has_sources || (top == "src" && file.path.ends_with(".py"));
    has_module = has_module || file.path == module + ".py" || file.path.starts_with(module + "/");
    if (file.path == top + "/__init__.py" && !is_of_tests(top)) packages.insert(top);
  }
  std::vector<python::GitFile> taken;
  for (const python::GitFile& file : files) {
    const bool tells_of_it = file.path.starts_with("README") || file.path.starts_with("LICENSE");
    if (tells_of_it || skipped_of(file.path, module, has_sources, has_module, packages)) taken.push_back(file);
  }
  certainty_ = Certainty::estimated;
  const fs::path folder = write(taken);
  const tree::FileTree nowhere;
  const build::Placement placement(nowhere);
  for (const python::GitFile& file : taken) {
    const auto skipped = skipped_of(file.path, module, has_sources, has_module, packages);
    const std::string path = fmt::format("{}/lib/{}/site-packages/{}", environment_prefix, target.library_folder(),
                                         skipped ? file.path.substr(*skipped) : name + ".dist-info/" + file.path);
    if (!fs::is_regular_file(fs::symlink_status(folder / file.path))) continue;
    placement.add_parents(code_, path);
    code_.put(path, tree::make_file(
                        std::make_shared<archive::FileContent>(folder / file.path, fs::file_size(folder / file.path)),
                        0644, 0, 0, build::fixed_time));
  }
}

std::vector<PricedPart> PastApplication::parts(const plan::ApplicationSplit& previous) const {
  std::vector<build::ApplicationPart> parts = build::application_parts(
      files_, environment_prefix, code_.empty() ? plan::OwnWheels::none : plan::OwnWheels::some, previous,
      plan::most_application_layers,
      [](const build::ApplicationFiles& files) { return build::compressed_sizes(files, default_workers()); });
  std::vector<PricedPart> priced;
  for (build::ApplicationPart& part : parts) {
    const bool is_top = &part == &parts.back();
    if (is_top) {
      tree::FileTree whole = code_;
      for (const auto& [path, entry] : part.files.tree.entries()) whole.put(path, entry.inode);
      part.files = {whole, build::hash_of(whole)};
    }
    CountingSink counted;
    tree::write_layer(part.files.tree, counted);
    priced.push_back({part.title, {part.files.content}, counted.count(), is_top ? certainty_ : Certainty::known});
  }
  return priced;
}

}  // namespace veneer::app
