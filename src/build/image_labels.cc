#include "build/image_labels.hh"

#include <map>

#include "foundation/user_info.hh"
#include "image/files_label.hh"
#include "image/reference.hh"

namespace veneer::build {

namespace {

using Labels = std::map<std::string, std::string>;

constexpr std::string_view oci = "org.opencontainers.image.";

std::string first_url(const python::ProjectAbout& about, std::initializer_list<const char*> labels) {
  for (const char* label : labels) {
    if (const auto found = about.urls.find(label); found != about.urls.end()) return found->second;
  }
  return {};
}

/// Only an image of a registry has a name that means the same everywhere.
void add_base(const BuildInputs& inputs, Labels& labels) {
  const base::LockedImage& image = inputs.base.image;
  if (!inputs.project.base || !image.manifest) return;
  constexpr std::string_view prefix = "registry:";
  std::string_view name = inputs.project.base->text;
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  image::Reference reference = image::with_default_tag(image::parse_reference(name));
  reference.digest.reset();
  labels["base.name"] = reference.full();
  labels["base.digest"] = (image.index ? *image.index : *image.manifest).text();
}

image::InstalledFiles installed_files(const BuildInputs& inputs) {
  using Kind = image::InstalledFile::Kind;
  image::InstalledFiles files;
  for (const python::SelectedPackage& package : inputs.selection.packages) {
    if (package.is_project) continue;
    if (!package.hash) {
      files.others.insert(package.name);
      continue;
    }
    const bool is_wheel = package.kind == python::PackageKind::wheel;
    files.distributions[package.name] = {is_wheel ? Kind::wheel : Kind::source, package.hash->hash};
  }
  if (const auto& interpreter = inputs.base.interpreter) {
    files.interpreter = image::InstalledInterpreter{interpreter->version, url_without_user_info(interpreter->url),
                                                    interpreter->archive.hash};
  }
  return files;
}

}  // namespace

Value image_labels(const Value& base_run, const BuildInputs& inputs, const LabelFacts& facts) {
  const python::ProjectAbout& about = inputs.project.about;
  Labels ours = {{"title", inputs.project.name},
                 {"description", about.description},
                 {"licenses", about.licence},
                 {"version", facts.version},
                 {"created", facts.created},
                 {"revision", inputs.revision},
                 {"source", first_url(about, {"source", "repository", "sourcecode", "github"})},
                 {"url", first_url(about, {"homepage"})},
                 {"documentation", first_url(about, {"documentation", "docs"})}};
  if (ours["source"].empty()) ours["source"] = inputs.source;
  add_base(inputs, ours);
  Labels all;
  for (const auto& [name, value] : base_run.table_or_empty("Labels").table()) {
    if (!name.starts_with(oci)) all[name] = value.string();
  }
  all.erase(std::string(image::layers_label));
  all.erase(std::string(image::files_label));
  for (const auto& [name, value] : ours) {
    if (!value.empty()) all[std::string(oci) + name] = value;
  }
  if (const image::InstalledFiles files = installed_files(inputs); !files.empty()) {
    all[std::string(image::files_label)] = image::write_files_label(files);
  }
  for (const auto& [name, value] : inputs.project.image.labels) all[name] = value;
  Value table{Value::Table{}};
  for (const auto& [name, value] : all) table.set(name, value);
  return table;
}

}  // namespace veneer::build
