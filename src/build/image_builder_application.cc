// The part of the builder that is about the application's layers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "build/image_builder.hh"
#include "foundation/error.hh"
#include "foundation/layer_limit.hh"
#include "foundation/text.hh"
#include "python/wheel/venv.hh"

namespace veneer::build {

namespace {

/// Raised whenever the same inputs give other bytes than before.
constexpr int application_format = 2;

}  // namespace

void ImageBuilder::make_application() {
  application_files_ = application_files(inputs_.project, placement_, inputs_.files);
  check_application();
  std::string identities;
  for (const python::SelectedPackage* package : own_packages_) identities += distribution_key(*package).hex() + "\n";
  const auto key_of = [&](const std::string& wheels, const ApplicationFiles& files) {
    return LayerKey{sha256(fmt::format("veneer application layer {}\n{}{}\n{}", application_format, wheels,
                                       files.content.hex(), byte_code_key()))};
  };
  parts_ = application_parts(application_files_, prefix_path_,
                             own_packages_.empty() ? plan::OwnWheels::none : plan::OwnWheels::some,
                             inputs_.previous ? inputs_.previous->split : plan::ApplicationSplit(), application_cap(),
                             [&](const ApplicationFiles& files) { return file_sizes(files); });
  for (const ApplicationPart& part : parts_) {
    const bool is_top = &part == &parts_.back();
    application_.push_back(
        {part.title, part.title, plan::ComponentKind::application, key_of(is_top ? identities : "", part.files), 0});
  }
  environment_ = {
      "virtual environment",
      "environment",
      plan::ComponentKind::environment,
      {sha256(fmt::format("veneer environment layer {}\nat {} {}\nin {}\nof {}\n{}\nuser {}", application_format,
                          inputs_.prefix, prefix_path_, inputs_.target.library_folder(), inputs_.target.interpreter,
                          placement_.parent_facts(prefix_path_), hash_of(account_.files).hex()))},
      0};
}

/// As many as there are layers to spare: distributions go first.
std::size_t ImageBuilder::application_cap() const {
  const std::size_t wanted =
      inputs_.project.dependency_layers.value_or(plan::usual_dependency_layers(distributions_.size()));
  const std::size_t others =
      inputs_.base.layers.size() + 1 + inputs_.project.prepare.size() + std::min(distributions_.size(), wanted);
  return std::clamp<std::size_t>(mountable_layers - std::min(mountable_layers, others), 1,
                                 plan::most_application_layers);
}

/// Noted, since all of a large application would be compressed for it.
std::vector<std::uint64_t> ImageBuilder::file_sizes(const ApplicationFiles& files) const {
  const LayerKey key{sha256(fmt::format("file sizes {}\n{}", application_format, files.content.hex()))};
  std::vector<std::uint64_t> sizes;
  if (const auto note = cache_.note("file-sizes", key)) {
    for (const std::string& word : split_words(*note, "\n"))
      sizes.push_back(read_number<std::uint64_t>(word).value_or(0));
    return sizes;
  }
  sizes = compressed_sizes(files, workers_);
  cache_.set_note("file-sizes", key, fmt::format("{}\n", fmt::join(sizes, "\n")));
  return sizes;
}

/// An image without the application is what nobody wants, unless `files = []` says so.
void ImageBuilder::check_application() const {
  const python::Project& project = inputs_.project;
  if (!own_packages_.empty() || have_application(inputs_)) return;
  constexpr std::string_view none = "for an image of the dependencies alone say files = [] in [tool.veneer.image]";
  const std::string name = printable(project.name);
  const std::string folder = printable(project.folder.native());
  if (project.is_package) {
    throw Error(ErrorKind::refused, fmt::format("no file of {} would be in the image: the lock does not hold it", name),
                fmt::format("lock it with the project itself (uv export without --no-emit-project); {}", none));
  }
  if (inputs_.files.in_repository && inputs_.files.listed.empty() && inputs_.files.left_out.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("no file of {} would be in the image: git ignores all that is in {}", name, folder),
                fmt::format("'git check-ignore -v pyproject.toml' there tells why; {}", none));
  }
  std::string others;
  for (const python::FileRule& rule : project.image.files) {
    others += (others.empty() ? " but " : ", ") + printable(rule.from);
  }
  throw Error(
      ErrorKind::refused,
      fmt::format("no file of {} would be in the image{}: what else lies in {} is left out", name, others, folder),
      fmt::format("what git ignores{}{}, hidden names, tests and container files are left out unless files of "
                  "[tool.veneer.image] names them; {}",
                  inputs_.files.ignore_file.empty() ? "" : " or is in ", inputs_.files.ignore_file, none));
}

tree::FileTree ImageBuilder::application_tree(const plan::PlannedLayer& layer) {
  tree::FileTree tree;
  const auto put_all = [&](const tree::FileTree& more) {
    for (const auto& [path, entry] : more.entries()) tree.put(path, entry.inode);
  };
  if (layer.components.front() == application_.back().id) {
    for (const python::SelectedPackage* package : own_packages_) put_all(installed(*package));
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (layer.components.front() == application_[i].id) put_all(parts_[i].files.tree);
  }
  return tree;
}

}  // namespace veneer::build
