// What `veneer init --docker` writes for who stays with `docker build`: Dockerfile.base for what seldom changes,
// Dockerfile for the application above it, .dockerignore, targets for make. From values to texts; docs/docker.md says
// why each line is there. Classic builder and BuildKit take them, without a frontend that would have to be fetched.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/project/project.hh"
#include "setup/generated_file.hh"

namespace veneer::setup {

struct DockerFacts {
  std::string image;     // without a tag: "ghcr.io/acme/shop"; base images are called "ghcr.io/acme/shop-base"
  std::string from;      // what the base stands on: "python:3.12-slim-bookworm@sha256:..."
  std::string snapshot;  // of Debian's archive, "20260101T000000Z"; empty: what the archive of `from` has
  std::string mirror;    // the snapshot service; empty: Debian's
  std::string uv;        // its version
  std::vector<std::string> packages;        // Debian packages of the image, sorted
  std::vector<std::string> build_packages;  // and of the stages that build
  std::vector<std::string> selection;       // options of `uv export`: "--extra", "pdf"
  std::vector<std::string> local_files;     // wheels and archives of the project's folder that the lock installs
  python::ImageOptions run;                 // what it runs, and the application's files
  bool is_package = false;
  std::string ingredients;  // the text of the label of the base image
  std::string fingerprint;  // of these: the tag of the base image
};

inline constexpr std::string_view docker_base_name = "Dockerfile.base";
inline constexpr std::string_view docker_name = "Dockerfile";
inline constexpr std::string_view docker_ignore_name = ".dockerignore";

/// What the application's layer may have, unpacked, unless make is told otherwise.
inline constexpr std::uint64_t docker_budget = 2'000'000;

GeneratedFile docker_base(const DockerFacts& facts);
GeneratedFile dockerfile(const DockerFacts& facts);
GeneratedFile docker_ignore();
GeneratedFile docker_makefile(const DockerFacts& facts);

/// Dockerfile.base without what DockerFacts names one by one and without its label: what else the image depends on.
std::string docker_recipe(const DockerFacts& facts);

/// What an earlier Dockerfile.base chose, which stays: its own text says so.
struct DockerChoices {
  std::string uv;
  std::string snapshot;
  std::optional<std::string> ingredients;
};
DockerChoices read_docker_base(std::string_view text);

}  // namespace veneer::setup
