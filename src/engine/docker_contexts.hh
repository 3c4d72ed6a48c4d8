// What Docker's own client keeps in its folder about where engines are: which context is used, and what each says
// (https://docs.docker.com/engine/manage-resources/contexts/). The files may hold anything. Pure; thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace veneer::engine {

/// What a context says of its engine.
struct DockerContext {
  std::string host;  // as DOCKER_HOST has it; empty: Docker's usual socket
  enum class Verification { wanted, skipped } verification = Verification::wanted;
};

/// `currentContext` of config.json; nothing when it names none. Throws Error (refused) for what is no such file.
std::optional<std::string> read_current_context(std::string_view config);

/// meta.json of the context `name`. Throws Error (refused) for what is no such file, or one of another context.
DockerContext read_docker_context(std::string_view meta, std::string_view name);

/// Where the files of a context are, below Docker's folder.
std::filesystem::path context_meta_file(const std::filesystem::path& docker_folder, std::string_view name);
std::filesystem::path context_certificates(const std::filesystem::path& docker_folder, std::string_view name);

}  // namespace veneer::engine
