#include "check/environment.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/name.hh"
#include "python/project/base_target.hh"
#include "python/specifier.hh"
#include "python/version.hh"
#include "python/wheel/metadata.hh"
#include "python/wheel/record.hh"
#include "tree/read_text.hh"

namespace veneer::check {

namespace {

constexpr std::uint64_t largest_metadata = 64 << 20;
constexpr std::size_t most_inner_modules = 1000;

/// Names of what lies directly in the folder `path`.
std::vector<std::string> names_in(const tree::FileTree& tree, const std::string& path) {
  std::vector<std::string> names;
  const std::string start = path + "/";
  for (auto entry = tree.entries().lower_bound(start); entry != tree.entries().end() && entry->first.starts_with(start);
       ++entry) {
    if (entry->first.find('/', start.size()) == std::string::npos) names.push_back(entry->first.substr(start.size()));
  }
  return names;
}

bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
}

/// The module that a file of site-packages makes importable: the first folder of its path, or the stem of a module.
std::string module_of(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (path.starts_with("../") || path.starts_with('/')) return {};
  std::string_view name = path.substr(0, slash);
  if (slash == std::string_view::npos) {
    if (!path.ends_with(".py") && !path.ends_with(".so")) return {};
    name = name.substr(0, name.find('.'));
  } else if (!path.ends_with(".py") && !path.ends_with(".so")) {
    return {};  // a folder of data is no package because of them
  }
  return is_identifier(name) && name != "__pycache__" ? std::string(name) : std::string();
}

/// "shop.web.app" of "shop/web/app.py", below the top; nothing for tests, and for programs, which would start.
std::string inner_module_of(std::string_view path) {
  if (!path.ends_with(".py") || path.find('/') == std::string_view::npos) return {};
  std::string name;
  for (const std::string& part : split_words(path.substr(0, path.size() - 3), "/")) {
    const bool is_left_out = part == "__main__" || part == "tests" || part == "test" || part == "testing" ||
                             part == "conftest" || part.starts_with("test_") || part == "migrations" ||
                             part == "alembic" || !is_identifier(part);
    if (is_left_out) return {};
    if (part != "__init__") name += (name.empty() ? "" : ".") + part;
  }
  return name.find('.') == std::string::npos ? std::string() : name;
}

/// What an installer notes of a distribution whose source is a folder (PEP 610, "dir_info").
bool is_of_a_folder(const tree::FileTree& tree, const std::string& info) {
  return tree::read_text(tree, info + "/direct_url.json", largest_metadata).find("\"dir_info\"") != std::string::npos;
}

Distribution read_distribution(const tree::FileTree& tree, const std::string& folder, const std::string& metadata,
                               std::optional<std::size_t> own_layer) {
  Distribution distribution;
  distribution.folder = folder;
  const python::Headers headers(tree::read_text(tree, metadata, largest_metadata));
  distribution.name = python::normalised_name(headers.first("Name", metadata));
  distribution.version = headers.first("Version", metadata);
  for (const std::string& text : headers.all("Requires-Dist")) {
    distribution.requirements.push_back(python::Requirement::parse(text));
  }
  for (const std::string& text : headers.all("Requires-Python")) distribution.requires_python = text;
  distribution.commands =
      python::parse_entry_points(tree::read_text(tree, folder + "/entry_points.txt", largest_metadata));
  const std::size_t layer = tree.entries().find(metadata)->second.layer;
  distribution.is_own = own_layer ? layer == *own_layer : is_of_a_folder(tree, folder);
  std::set<std::string> modules;
  std::set<std::string> inner;
  for (const python::RecordRow& row :
       python::parse_record(tree::read_text(tree, folder + "/RECORD", largest_metadata))) {
    if (std::string module = module_of(row.path); !module.empty()) modules.insert(std::move(module));
    if (!distribution.is_own || inner.size() == most_inner_modules) continue;
    if (std::string module = inner_module_of(row.path); !module.empty()) inner.insert(std::move(module));
  }
  distribution.modules.assign(modules.begin(), modules.end());
  distribution.inner_modules.assign(inner.begin(), inner.end());
  return distribution;
}

void read_distributions(const tree::FileTree& tree, std::optional<std::size_t> own_layer, Environment& environment,
                        Findings& findings) {
  for (const std::string& site : environment.site_folders) {
    for (const std::string& name : names_in(tree, site)) {
      const std::string folder = site + "/" + name;
      std::string metadata;
      if (name.ends_with(".dist-info")) metadata = folder + "/METADATA";
      if (name.ends_with(".egg-info")) metadata = tree.contains(folder + "/PKG-INFO") ? folder + "/PKG-INFO" : folder;
      if (metadata.empty()) continue;
      try {
        environment.distributions.push_back(read_distribution(tree, folder, metadata, own_layer));
      } catch (const Error& error) {
        findings.push_back({"metadata:" + name, Severity::problem,
                            fmt::format("/{} cannot be read: {}", printable(folder), error.message())});
      }
    }
  }
  std::stable_sort(environment.distributions.begin(), environment.distributions.end(),
                   [](const Distribution& left, const Distribution& right) { return left.name < right.name; });
}

python::Target target_of(const tree::FileTree& tree, const std::string& real,
                         const std::vector<python::FoundInterpreter>& found, const python::BaseVariables& variables) {
  for (const python::FoundInterpreter& one : found) {
    if (one.target.interpreter == "/" + real) return one.target;
  }
  // An interpreter outside of the usual folders.
  const std::string folder = "/" + std::string(tree::parent_path(real));
  for (const python::FoundInterpreter& one : python::find_interpreters(tree, {folder, variables.python_version})) {
    if (one.target.interpreter == "/" + real) return one.target;
  }
  throw Error(ErrorKind::refused, fmt::format("/{} is no CPython", printable(real)));
}

}  // namespace

std::vector<Environment> find_environments(const tree::FileTree& tree, const python::BaseVariables& variables,
                                           std::optional<std::size_t> own_layer, Findings& findings) {
  std::vector<std::string> prefixes;
  for (const auto& [path, entry] : tree.entries()) {
    if (tree::base_name(path) == "pyvenv.cfg" && entry.inode->type == archive::EntryType::file) {
      prefixes.emplace_back(tree::parent_path(path));
    }
  }
  const std::vector<python::FoundInterpreter> found = python::find_interpreters(tree, variables);
  std::vector<Environment> environments;
  const auto keep_existing = [&](Environment& environment, const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
      const tree::Inode* inode = tree.find(folder);
      if (inode != nullptr && inode->type == archive::EntryType::folder) environment.site_folders.push_back(folder);
    }
  };
  for (const std::string& prefix : prefixes) {
    Environment environment;
    environment.prefix = prefix;
    environment.interpreter = prefix + "/bin/python";
    std::vector<std::string> folders;
    for (const std::string& name : names_in(tree, prefix + "/lib")) {
      if (name.starts_with("python")) folders.push_back(prefix + "/lib/" + name + "/site-packages");
    }
    try {
      // Why an interpreter is not there is said by check_programs().
      if (const auto real = tree.resolve(environment.interpreter)) {
        environment.target = target_of(tree, *real, found, variables);
        folders = {prefix + "/lib/" + environment.target->library_folder() + "/site-packages"};
      }
    } catch (const Error& error) {
      findings.push_back({"environment:/" + prefix, Severity::problem,
                          fmt::format("the environment /{} cannot be used: {}", printable(prefix), error.message())});
    }
    keep_existing(environment, folders);
    read_distributions(tree, own_layer, environment, findings);
    environments.push_back(std::move(environment));
  }
  if (!prefixes.empty()) return environments;
  if (found.empty()) throw Error(ErrorKind::refused, "the image has no Python");
  Environment environment;
  environment.target = found.front().target;
  environment.interpreter = found.front().found_as.substr(1);
  const std::string library = environment.target->library_folder();
  environment.prefix = tree::parent_path(tree::parent_path(environment.interpreter));
  keep_existing(environment,
                {"usr/local/lib/" + library + "/site-packages", "usr/local/lib/" + library + "/dist-packages",
                 "usr/lib/python3/dist-packages", "usr/lib/" + library + "/site-packages"});
  read_distributions(tree, own_layer, environment, findings);
  environments.push_back(std::move(environment));
  return environments;
}

void check_requirements(const Environment& environment, Findings& findings) {
  std::map<std::string, const Distribution*> installed;
  for (const Distribution& distribution : environment.distributions) {
    const auto [known, is_new] = installed.try_emplace(distribution.name, &distribution);
    if (!is_new) {
      findings.push_back({"twice:" + distribution.name, Severity::problem,
                          fmt::format("{} is installed twice: /{} and /{}", printable(distribution.name),
                                      printable(known->second->folder), printable(distribution.folder))});
    }
  }
  if (!environment.target) return;
  const python::MarkerEnvironment markers = python::environment_of(*environment.target);
  for (const Distribution& distribution : environment.distributions) {
    const std::string title = printable(distribution.name + " " + distribution.version);
    try {
      if (!python::allows_python(distribution.requires_python, environment.target->full_version)) {
        findings.push_back({"python:" + distribution.name, Severity::problem,
                            fmt::format("{} wants Python {}, the image has {}", title,
                                        printable(distribution.requires_python), environment.target->full_version)});
      }
    } catch (const Error&) {
      // A Requires-Python that is no specifier; pip passes over it too.
    }
    for (const python::Requirement& requirement : distribution.requirements) {
      if (requirement.marker.evaluate(markers) != python::Truth::yes) continue;
      const std::string name = python::normalised_name(requirement.name);
      const auto found = installed.find(name);
      if (found == installed.end()) {
        findings.push_back({fmt::format("requires:{}:{}", distribution.name, name), Severity::problem,
                            fmt::format("{} requires {}, which is not installed", title, printable(name))});
      } else if (!requirement.specifier.contains(found->second->version, python::Prereleases::accept)) {
        findings.push_back({fmt::format("requires:{}:{}", distribution.name, name), Severity::problem,
                            fmt::format("{} requires {} {}, but {} is installed", title, printable(name),
                                        printable(requirement.specifier.text()), printable(found->second->version))});
      }
    }
  }
}

}  // namespace veneer::check
