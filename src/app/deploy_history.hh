// Where the history of a project's deploys comes from.
#pragma once

#include <filesystem>

#include "replay/history.hh"

namespace veneer::app {

/// Records of deploys from a file, which may be compressed by xz; at most 256 MiB of text. Throws Error: not found,
/// refused.
replay::History read_deploy_history(const std::filesystem::path& file);

}  // namespace veneer::app
