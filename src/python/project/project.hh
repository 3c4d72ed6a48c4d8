// The project to be put into an image: what pyproject.toml says about it, with [tool.veneer], and where its lock is.
// Reading is the only contact with the disk; values, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/value.hh"

namespace veneer::python {

/// Bytes of a pyproject.toml.
inline constexpr std::uint64_t largest_pyproject = 16 << 20;

/// What the image stands on, as named by `base`.
struct BaseChoice {
  std::string text;              // as written
  std::string suite;             // of "debian:SUITE", made with mmdebstrap; empty: `text` is the name of an image
  std::filesystem::path folder;  // where a relative path in that name begins; empty: the project's folder

  bool operator==(const BaseChoice&) const = default;
};

/// Reads a `base`; what an image may be called is not judged here. Throws Error (refused).
BaseChoice parse_base_choice(std::string_view text);

/// A snapshot that is chosen once and recorded.
inline constexpr std::string_view newest_snapshot = "auto";

/// [tool.veneer.system]
struct SystemOptions {
  std::vector<std::string> packages;  // Debian packages, "name", "name:arch" or "name=version"; sorted, no duplicates
  std::vector<std::string> exclude;   // names that are not added for the wheels' sake; sorted
  bool automatic = true;              // `auto`: what the wheels need is added
  std::string snapshot;               // "20260101T000000Z", newest_snapshot or empty
  std::string mirror;                 // URL or empty
  std::vector<std::string> apt_options;  // lines of apt.conf(5) without the semicolon at the end
};

/// [tool.veneer.build]
struct BuildOptions {
  std::vector<std::string> environment;  // names of variables that builds see, sorted
  std::vector<std::string> packages;     // Debian packages where wheels are compiled, as SystemOptions::packages
};

/// One row of `files`: a file or folder of the project that goes into the image.
struct FileRule {
  std::string from;                   // relative to the project's folder, no ".." parts
  std::string to;                     // absolute path in the image
  std::optional<std::uint32_t> mode;  // of files (folders: 0755); absent: 0755 if executable, else 0644
};

/// [tool.veneer.image]. What is absent gets its default from the caller (docs: name and tag from the project).
struct ImageOptions {
  std::string name;
  std::string tag;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::map<std::string, std::string> environment;
  std::vector<std::string> expose;  // "8080" or "8080/tcp"
  std::uint32_t user = 1000;
  std::uint32_t group = 1000;
  std::string workdir = "/app";
  std::map<std::string, std::string> labels;
  std::vector<FileRule> files;
  bool has_files = false;                // `files` is given, be it empty
  std::vector<std::string> empty_files;  // absolute paths
  std::vector<std::string> writable;     // absolute paths of folders that belong to `user`
  std::set<std::string> given;           // the keys that the project gives
  bool later_files_win = false;          // `files` are a Dockerfile's COPYs: one may replace what another brought
  bool wants_health = false;             // a health check of our own where the port is known
  Value health;                          // "Healthcheck" of the image's configuration; null: none is said
};

/// [tool.veneer.init]: what `veneer init` was told, so that it need not be told again.
struct InitOptions {
  bool weekly = false;          // `rebuild`: "weekly" or "stale"
  bool makes_workflow = true;   // `ci`
  bool makes_makefile = true;   // `make`
  bool is_for_docker = false;   // `docker`
  std::set<std::string> given;  // the keys that the project gives
};

/// The file beside the lock that pins what images stand on: neither a part of the project nor of its state in git.
inline constexpr std::string_view base_lock_name = "veneer.lock";
inline bool is_base_lock(std::string_view path) { return path.substr(path.rfind('/') + 1) == base_lock_name; }

/// One [[tool.veneer.prepare]]: a command that makes files of the image when it is built.
struct PrepareStep {
  std::vector<std::string> command;
  std::vector<std::string> outputs;                // absolute paths of files and folders; none lies below another
  std::map<std::string, std::string> environment;  // beside the image's
  std::optional<std::vector<std::string>> inputs;  // of the project, relative; absent: the application's files
};
inline constexpr std::size_t most_prepare_steps = 16;

struct PackageIndex {
  std::string name;  // may be empty
  std::string url;
  std::string place;  // that names it, to be shown: "[[tool.uv.index]] corp"
};

/// [tool.veneer.registries."docker.io"].
struct RegistrySettings {
  std::vector<std::string> mirrors;  // where its images are looked for first
  std::filesystem::path ca;          // certificates that vouch for it; absolute, usually empty
};
using Registries = std::map<std::string, RegistrySettings>;

/// What [project] tells people of it, for labels.
struct ProjectAbout {
  std::string description;                  // its first line
  std::string licence;                      // an expression of SPDX; empty where none is said
  std::map<std::string, std::string> urls;  // http and https, by their labels as PEP 753 normalises them
};

struct Project {
  std::filesystem::path folder;  // as real_path() spells it; holds pyproject.toml
  std::string name;              // normalised (PEP 503)
  std::string version;           // empty when dynamic
  std::string requires_python;   // as written (PEP 440 specifiers); empty when absent
  std::string build_backend;     // empty without [build-system]
  std::vector<std::string> build_requires;
  std::string version_plugin;  // the build requirement that takes the version from git, "setuptools-scm"; may be empty
  bool is_package = false;     // as uv decides: tool.uv.package, else whether [build-system] is there
  std::vector<std::string> scripts;                   // names in [project.scripts], sorted
  std::map<std::string, std::string> script_targets;  // "shop.cli:main" of each
  std::vector<std::string> dependencies;              // names in [project] dependencies, normalised
  std::string fastapi_entrypoint;                     // [tool.fastapi]; may be empty
  std::vector<std::string> build_constraints;         // [tool.uv] build-constraint-dependencies
  std::vector<PackageIndex> indexes;                  // [[tool.uv.index]] and the keys that it replaced
  ProjectAbout about;

  // [tool.veneer]
  std::optional<BaseChoice> base;
  std::optional<std::string> dockerfile;         // the one to read, relative to the folder; "": none
  std::vector<std::string> extras;               // normalised
  std::vector<std::string> groups;               // normalised
  std::string previous;                          // the image before, as a base is named, or "none"; usually empty
  std::string package;                           // the workspace member to install; normalised, usually empty
  bool byte_code = false;                        // whether the image gets byte code of what is installed
  std::optional<std::size_t> dependency_layers;  // at most this many, from 1 to mountable_layers
  std::string python;                            // "3.11"; the choice among the base's interpreters, usually empty
  Registries registries;
  SystemOptions system;
  BuildOptions build;
  ImageOptions image;
  InitOptions init;
  std::vector<PrepareStep> prepare;  // in their order
};

/// Reads `folder`/pyproject.toml. Errors: not_found without such a file; refused for malformed TOML, a missing
/// [project] table, a value of the wrong type or form, and unknown keys below [tool.veneer], each by name.
Project read_project(const std::filesystem::path& folder);

/// The hint of the Error for a pyproject.toml without [project], which may be the root of a workspace.
extern const std::string no_project_hint;

/// The same from the text; `folder` is only noted.
Project parse_project(std::string_view text, const std::filesystem::path& folder);

/// The package indexes that `folder`/pyproject.toml names, which may be the root of a workspace and no project.
std::vector<PackageIndex> read_indexes(const std::filesystem::path& folder);

/// What `folder`/pyproject.toml says of registries; nothing when there is no such file.
Registries read_registry_settings(const std::filesystem::path& folder);

/// [tool.uv] default-groups of `folder`/pyproject.toml, normalised: "dev" where it says nothing; nothing for "all".
std::optional<std::vector<std::string>> read_default_groups(const std::filesystem::path& folder);

/// uv.lock of the project: beside pyproject.toml, or at the root of the workspace that the project is a part of. Throws
/// Error (not_found) with the hint "run: uv lock".
std::filesystem::path find_lock(const std::filesystem::path& folder);

}  // namespace veneer::python
