// What `veneer init` writes beside pyproject.toml: a make include, a workflow for GitHub Actions, a page. From values
// to texts. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "setup/generated_file.hh"

namespace veneer::setup {

/// When an image gets another base than the one that veneer.lock pins.
enum class Rebuild {
  stale,   // when somebody asks for it
  weekly,  // a pull request every week
};

/// A deploy of the past, in bytes that it would have had to bring of the dependencies.
struct PastDeploy {
  std::string name;                 // "v1.2.0", or the first digits of a commit
  std::uint64_t one_layer = 0;      // with the environment in the layer of the application
  std::uint64_t base_image = 0;     // with the environment in a base image, rebuilt when lock or pyproject.toml changed
  std::uint64_t veneer_blobs = 0;   // hosts and registries that reuse any layer
  std::uint64_t veneer_prefix = 0;  // Docker with overlay2 by a plain pull
};

struct ProjectFacts {
  std::string name;          // normalised
  std::string folder;        // of the project in its repository: "services/shop"; empty when it is the repository's
  std::string image;         // without a tag: "ghcr.io/acme/shop", or "shop" where no registry is known
  std::string live_tag;      // that the compose file names: "latest"
  std::string compose_file;  // "compose.yaml"; empty without one
  std::vector<std::string> services;  // of that file, that use the image
  bool has_registry = false;          // `image` begins with one
  bool takes_version_from_git = false;
  bool is_workspace_member = false;
  Rebuild rebuild = Rebuild::stale;
  std::vector<PastDeploy> deploys;  // the last ones, oldest first; may be empty
};

inline constexpr std::string_view makefile_name = "veneer.mk";
inline constexpr std::string_view page_name = "docs/container-image.md";

/// Whether a file of the project, by its path, is one of these: none belongs into the image.
bool is_written_by_init(std::string_view path);

/// `image` as the workflow's file is called in the repository: ".github/workflows/image.yml", for a project in a
/// sub-folder ".github/workflows/image-shop.yml".
std::string workflow_name(const ProjectFacts& facts);

GeneratedFile makefile(const ProjectFacts& facts);
GeneratedFile workflow(const ProjectFacts& facts);
GeneratedFile page(const ProjectFacts& facts);

/// The same for who stays with `docker build`: by the targets of the makefile of docker_files.hh.
GeneratedFile docker_workflow(const ProjectFacts& facts);
GeneratedFile docker_page(const ProjectFacts& facts);

/// The name of the last deploy in a page's table, of whatever veneer wrote it; empty when there is none.
std::string last_deploy_in(std::string_view page);

}  // namespace veneer::setup
