#include "check/check_image.hh"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/system_packages.hh"
#include "base/unpack.hh"
#include "check/environment.hh"
#include "check/imports.hh"
#include "check/libraries.hh"
#include "check/programs.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/history.hh"
#include "image/open_layer.hh"
#include "image/run_config.hh"
#include "tree/unpack.hh"

namespace veneer::check {

namespace {

namespace fs = std::filesystem;

/// Which layers are the application's, in an image of veneer's.
std::vector<bool> application_layers(const image::Image& image) {
  const std::vector<image::LayerHistory> history = image::history_of_layers(image.config.history, image.layers.size());
  std::vector<bool> are;
  for (const image::LayerHistory& layer : history)
    are.push_back(layer.is_certain && layer.created_by.starts_with("veneer: application"));
  return are;
}

/// The topmost of them, which has what is installed of its own.
std::optional<std::size_t> top_of(const std::vector<bool>& layers) {
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (layers[i]) return i;
  }
  return std::nullopt;
}

void check_certificates(const tree::FileTree& tree, const image::RunConfig& config, Findings& findings) {
  std::vector<std::string> places = {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
                                     "/etc/pki/tls/certs/ca-bundle.crt",
                                     "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem"};
  places.push_back(image::environment_variable(config, "SSL_CERT_FILE"));
  const bool has_some = std::any_of(places.begin(), places.end(), [&](const std::string& place) {
    return place.starts_with('/') && tree.resolve(place.substr(1));
  });
  if (has_some) return;
  findings.push_back(
      {"certificates", Severity::note,
       "no certificates of authorities are in the image, so programs that use the system's cannot verify "
       "a TLS connection; Debian's ca-certificates has them"});
}

/// What tells of a project and does nothing.
bool tells_of_the_project(std::string_view path) {
  const std::string_view name = tree::base_name(path);
  return path.find(".dist-info/") != std::string_view::npos || name == "pyproject.toml" || name == "uv.lock" ||
         name.starts_with("README") || name.starts_with("LICENSE") || name.starts_with("CHANGELOG");
}

void check_application(const tree::FileTree& tree, const std::vector<bool>& own, Findings& findings) {
  if (!top_of(own)) return;
  for (const auto& [path, entry] : tree.entries()) {
    if (own[entry.layer] && entry.inode->type == archive::EntryType::file && entry.inode->content->size() > 0 &&
        !tells_of_the_project(path))
      return;
  }
  findings.push_back({"application", Severity::problem, "the application's layer holds nothing that could run"});
}

/// Files that only those who work on a project run.
bool is_of_developers(std::string_view name) {
  return name == "setup" || name == "conftest" || name == "noxfile" || name == "tasks" || name == "fabfile" ||
         name == "locustfile" || name.starts_with("test_") || name.ends_with("_test") || name == "tests";
}

OwnCode started_code(const image::RunConfig& config) {
  OwnCode own;
  std::vector<std::string> words = config.run.strings_or_empty("Entrypoint");
  const std::vector<std::string> more = config.run.strings_or_empty("Cmd");
  words.insert(words.end(), more.begin(), more.end());
  const std::string folder = config.run.string_or("WorkingDir", "/");
  own.starts = start_targets(words, folder);
  if (own.starts.empty() && !words.empty()) own.program = tree::base_name(words[0]);
  // A script of a shell that runs the words behind it.
  if (own.starts.empty() && words.size() > 1) own.starts = start_targets({words.begin() + 1, words.end()}, folder);
  return own;
}

/// What the image starts, and the project's own files in its working directory, as far as the layer tells them.
OwnCode own_code(const tree::FileTree& tree, const image::RunConfig& config, const std::vector<bool>& layers) {
  OwnCode own = started_code(config);
  const std::string folder = config.run.string_or("WorkingDir", "/");
  if (!top_of(layers) || folder.size() < 2) return own;
  const std::string start = folder.substr(1) + "/";
  for (auto entry = tree.entries().lower_bound(start); entry != tree.entries().end() && entry->first.starts_with(start);
       ++entry) {
    if (!layers[entry->second.layer] || entry->second.inode->type != archive::EntryType::file) continue;
    const std::string_view path = std::string_view(entry->first).substr(start.size());
    if (!path.ends_with(".py")) continue;
    const std::string_view name = path.substr(0, path.size() - 3);
    const std::string absolute = "/" + entry->first;
    const auto is_started = [&](const StartTarget& target) { return target.path == absolute; };
    if (name.find('/') == std::string_view::npos) {
      if (!is_of_developers(name) && std::none_of(own.starts.begin(), own.starts.end(), is_started))
        own.files.push_back(absolute);
    } else if (name.ends_with("/__init__") && std::count(name.begin(), name.end(), '/') == 1) {
      const std::string_view package = name.substr(0, name.find('/'));
      if (!is_of_developers(package) && package.find_first_of(".-") == std::string_view::npos)
        own.modules.emplace_back(package);
    }
  }
  return own;
}

tree::FileTree read_tree(const image::Image& image, const image::Blobs& blobs, const CheckOptions& options) {
  const fs::path staging = options.scratch / "staging";
  make_folders(staging);
  std::vector<base::PlacedLayer> layers;
  for (const image::Layer& layer : image.layers) layers.push_back({&layer, &blobs});
  return base::stage(layers, staging, [&](std::size_t i) {
    if (options.progress) options.progress(fmt::format("reading layer {} of {}", i + 1, layers.size()));
  });
}

std::unique_ptr<RandomAccess> open_file(const tree::Inode& inode) {
  return std::make_unique<File>(dynamic_cast<const archive::FileContent&>(*inode.content).path());
}

std::map<std::string, std::string> environment_of(const image::RunConfig& config, const std::string& search_path) {
  std::map<std::string, std::string> result;
  for (const std::string& entry : config.run.strings_or_empty("Env")) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos && equals > 0) result[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  result["PATH"] = search_path;
  result.try_emplace("HOME", "/");
  return result;
}

/// Problems first; the same fault of several files once, with the first as its example.
void tidy(Findings& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return left.severity != right.severity ? left.severity < right.severity : left.id < right.id;
  });
  Findings kept;
  std::size_t more = 0;
  const auto finish = [&] {
    if (more > 0) kept.back().message += fmt::format(" (and {} more)", more);
    more = 0;
  };
  for (Finding& finding : findings) {
    if (!kept.empty() && kept.back().id == finding.id && kept.back().severity == finding.severity) {
      ++more;
      continue;
    }
    if (!kept.empty()) finish();
    kept.push_back(std::move(finding));
  }
  if (!kept.empty()) finish();
  findings = std::move(kept);
}

}  // namespace

CheckReport check_image(const image::Image& image, const image::Blobs& blobs, const CheckOptions& options) {
  CheckReport report;
  const image::RunConfig& config = image.config;
  const tree::FileTree tree = read_tree(image, blobs, options);
  const std::string search_path = image::search_path(config);
  const User user = user_of(tree, config);
  const std::vector<bool> own_layers = application_layers(image);

  if (options.progress) options.progress("looking at distributions, libraries and programs");
  const std::vector<Environment> environments = find_environments(
      tree, {search_path, image::environment_variable(config, "PYTHON_VERSION")}, top_of(own_layers), report.findings);
  for (const Environment& environment : environments) {
    report.distributions += environment.distributions.size();
    check_requirements(environment, report.findings);
  }
  report.libraries = check_libraries(tree, environments, image::environment_variable(config, "LD_LIBRARY_PATH"),
                                     open_file, report.findings);
  report.scripts = check_programs(tree, environments, config, user, report.findings);

  check_certificates(tree, config, report.findings);
  check_application(tree, own_layers, report.findings);

  const std::string machine = native_machine();
  const auto runs_here = [&](const Environment& environment) {
    return environment.target && environment.target->machine == machine;
  };
  std::optional<Sandbox> sandbox;
  if (options.imports == ImportChoice::left_out) {
    report.without_imports = "as asked";
  } else if (std::none_of(environments.begin(), environments.end(), runs_here)) {
    report.without_imports = fmt::format("no interpreter of the image runs on this machine ({})", machine);
  } else {
    sandbox = find_sandbox(Furniture::wanted, {user.uid, user.groups.empty() ? 0 : *user.groups.begin()});
    if (!sandbox) report.without_imports = "this machine allows no sandbox; it takes root or user namespaces";
  }
  if (sandbox) {
    const std::string suite = base::debian_suite(tree);  // read before the files are moved
    const fs::path root = options.scratch / "root";
    make_folders(root);
    tree::move_to(tree, root, ::geteuid() == 0 && !sandbox->is_root ? tree::Owners::kept : tree::Owners::mine);
    if (::chmod(root.c_str(), 0755) != 0) throw_system_error("write", root, errno);
    const ImportRun run{root, *sandbox, environment_of(config, search_path), config.run.string_or("WorkingDir", "/"),
                        suite};
    OwnCode own = own_code(tree, config, own_layers);
    for (const Environment& environment : environments) {
      if (!runs_here(environment)) continue;
      try {
        report.imports += check_imports(environment, own, run, report.findings, options.progress);
        own = {};  // the first environment is the one in PATH
      } catch (const Error& error) {
        report.findings.push_back({"interpreter:/" + environment.interpreter, Severity::problem, error.what()});
      }
    }
  }
  tidy(report.findings);
  return report;
}

Findings check_start(const fs::path& root, const Sandbox& sandbox, const image::RunConfig& config) {
  Findings findings;
  const OwnCode own = started_code(config);
  const std::string prefix = image::environment_variable(config, "VIRTUAL_ENV");
  if (own.starts.empty() || !prefix.starts_with('/')) return findings;
  Environment environment;
  environment.interpreter = prefix.substr(1) + "/bin/python";
  const ImportRun run{root, sandbox, environment_of(config, image::search_path(config)),
                      config.run.string_or("WorkingDir", "/"), ""};
  check_imports(environment, own, run, findings, {});
  return findings;
}

}  // namespace veneer::check
