#include "check/check_image.hh"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "check/environment.hh"
#include "check/imports.hh"
#include "check/libraries.hh"
#include "check/programs.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/open_layer.hh"
#include "image/run_config.hh"
#include "tree/unpack.hh"

namespace veneer::check {

namespace {

namespace fs = std::filesystem;

tree::FileTree read_tree(const image::Image& image, const image::Blobs& blobs, const CheckOptions& options) {
  tree::FileTree tree;
  const fs::path staging = options.scratch / "staging";
  make_folders(staging);
  const tree::KeepContent keep = tree::keep_in(staging);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (options.progress) options.progress(fmt::format("reading layer {} of {}", i + 1, image.layers.size()));
    in_context([&] { return fmt::format("layer {} ({})", i + 1, image.layers[i].blob.text()); },
               [&] {
                 image::read_layer(blobs, image.layers[i],
                                   [&](ByteSource& tar) { tree::apply_layer(tree, tar, i, keep); });
               });
  }
  return tree;
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

  if (options.progress) options.progress("looking at distributions, libraries and programs");
  const std::vector<Environment> environments =
      find_environments(tree, {search_path, image::environment_variable(config, "PYTHON_VERSION")}, report.findings);
  for (const Environment& environment : environments) {
    report.distributions += environment.distributions.size();
    check_requirements(environment, report.findings);
  }
  report.libraries = check_libraries(tree, environments, image::environment_variable(config, "LD_LIBRARY_PATH"),
                                     open_file, report.findings);
  report.scripts = check_programs(tree, environments, config, user, report.findings);

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
    const fs::path root = options.scratch / "root";
    make_folders(root);
    tree::move_to(tree, root, ::geteuid() == 0 && !sandbox->is_root ? tree::Owners::kept : tree::Owners::mine);
    if (::chmod(root.c_str(), 0755) != 0) throw_system_error("write", root, errno);
    const ImportRun run{root, *sandbox, environment_of(config, search_path), config.run.string_or("WorkingDir", "/")};
    for (const Environment& environment : environments) {
      if (!runs_here(environment)) continue;
      try {
        report.imports += check_imports(environment, run, report.findings, options.progress);
      } catch (const Error& error) {
        report.findings.push_back({"interpreter:/" + environment.interpreter, Severity::problem, error.what()});
      }
    }
  }
  tidy(report.findings);
  return report;
}

}  // namespace veneer::check
