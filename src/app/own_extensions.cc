#include "app/own_extensions.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/toml.hh"
#include "owners/evaluate.hh"
#include "python/name.hh"

namespace veneer::app {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_source = 1 << 20;
constexpr std::size_t deepest = 3;

std::optional<std::string> read(const fs::path& path) {
  try {
    return read_text_file_if_exists(path, largest_source);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// "maturin", "setuptools-rust", "ext-modules"; empty for a project of Python alone, and for what is no TOML.
std::string extension_of(const std::string& pyproject) {
  try {
    const Value document = parse_toml(pyproject);
    for (const std::string& requirement : document.table_or_empty("build-system").strings_or_empty("requires")) {
      std::string name = python::normalised_name(python::leading_name(requirement));
      constexpr std::array<std::string_view, 6> compilers = {
          "maturin", "setuptools-rust", "scikit-build-core", "meson-python", "cffi", "pybind11"};
      if (std::find(compilers.begin(), compilers.end(), name) != compilers.end()) return name;
    }
    const Value& setuptools = document.table_or_empty("tool").table_or_empty("setuptools");
    return setuptools.find("ext-modules") != nullptr ? "ext-modules" : "";
  } catch (const Error&) {
    return {};
  }
}

std::string extension_in(const fs::path& folder) {
  if (const auto text = read(folder / "pyproject.toml")) {
    if (std::string found = extension_of(*text); !found.empty()) return found;
  }
  const auto script = read(folder / "setup.py");
  return script && (script->find("ext_modules") != std::string::npos ||
                    script->find("rust_extensions") != std::string::npos)
             ? "setup.py"
             : "";
}

/// Folders with a build of their own, "" for the project's own.
std::vector<std::string> built_folders(const build::ProjectFiles& files) {
  std::vector<std::string> folders;
  for (const auto* names : {&files.listed, &files.left_out}) {
    for (const std::string& name : *names) {
      const fs::path path(name);
      if (path.filename() != "pyproject.toml" && path.filename() != "setup.py") continue;
      if (static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) <= deepest) {
        folders.push_back(path.parent_path().generic_string());
      }
    }
  }
  std::sort(folders.begin(), folders.end());
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  return folders;
}

bool is_locked(const build::BuildInputs& inputs, const std::string& folder) {
  const auto& packages = inputs.selection.packages;
  return std::any_of(packages.begin(), packages.end(), [&](const python::SelectedPackage& package) {
    if (package.kind != python::PackageKind::tree) return false;
    const std::string location = fs::path(package.location).lexically_normal().generic_string();
    return location == folder || location.ends_with("/" + folder);
  });
}

void add_runs(const build::BuildInputs& inputs, const std::string& dockerfile, std::vector<std::string>& findings) {
  const auto text = dockerfile.empty() ? std::nullopt : read(inputs.project.folder / dockerfile);
  if (!text) return;
  constexpr std::array<std::string_view, 3> builds = {"maturin develop", "maturin build", "setup.py build_ext"};
  try {
    for (const owners::Stage& stage : owners::parse_dockerfile(*text, dockerfile).stages) {
      for (const owners::Instruction& instruction : stage.instructions) {
        if (instruction.name != "RUN") continue;
        const auto found = std::find_if(builds.begin(), builds.end(), [&](std::string_view build) {
          return instruction.text.find(build) != std::string::npos;
        });
        if (found == builds.end()) continue;
        findings.push_back(fmt::format("{}:{}: `{}` is not run, so what it builds is not in the image",
                                       printable(dockerfile), instruction.line, *found));
      }
    }
  } catch (const Error&) {  // whoever reads the Dockerfile for the start command says it
  }
}

}  // namespace

std::vector<std::string> extension_findings(const build::BuildInputs& inputs, const std::string& dockerfile) {
  std::vector<std::string> findings;
  if (inputs.project.is_package) return findings;
  for (const std::string& folder : built_folders(inputs.files)) {
    const std::string found = extension_in(inputs.project.folder / folder);
    if (found.empty() || (!folder.empty() && is_locked(inputs, folder))) continue;
    findings.push_back(
        folder.empty() ? fmt::format("{} has an extension to compile ({}), but no [build-system], so it is not built",
                                     printable(inputs.project.name), found)
                       : fmt::format("{} is an extension to compile ({}) that the lock does not have, so it is not "
                                     "built; to have it: uv add ./{}",
                                     printable(folder), found, printable(folder)));
  }
  add_runs(inputs, dockerfile, findings);
  return findings;
}

}  // namespace veneer::app
