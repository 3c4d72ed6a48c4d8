// What `veneer init` does: from a project's folder to the files that it gets, and their writing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/surroundings.hh"
#include "setup/from_dockerfile.hh"
#include "setup/generated_file.hh"
#include "setup/project_files.hh"
#include "setup/settings.hh"

namespace veneer::app {

enum class InitPurpose {
  write,
  check,  // whether what is there is up to date: the table of past deploys ends where the page's does
};

struct InitRequest {
  InitPurpose purpose = InitPurpose::write;
  std::optional<setup::Rebuild> rebuild;  // none: what the project says
  std::optional<bool> makes_workflow;     // the same
  std::optional<bool> makes_makefile;
  std::optional<bool> is_for_docker;
};

struct InitFile {
  setup::GeneratedFile file;
  std::filesystem::path path;
  std::string shown;                   // below the project's folder, or the repository's
  std::optional<std::string> on_disk;  // nothing: it is not there
  std::string text;                    // as it would be written
  setup::Comparison comparison;

  bool is_to_be_written() const {
    return comparison.state == setup::FileState::absent || comparison.state == setup::FileState::ours;
  }
};

struct InitPlan {
  std::filesystem::path pyproject;
  std::string pyproject_before;
  setup::Edited edited;                   // pyproject.toml
  std::string dockerfile;                 // that was taken apart; empty without one
  std::vector<setup::LineOutcome> lines;  // what becomes of its lines
  std::vector<InitFile> files;
  std::vector<std::string> notes;

  bool is_stale() const;
};

/// Of the project in surroundings.current_folder(). Asks nobody, builds nothing. Throws Error: not_found without
/// pyproject.toml or lock, refused for a pyproject.toml that cannot be read and for options that contradict it.
InitPlan plan_init(const InitRequest& request, Surroundings& surroundings);

/// Writes what `plan` says.
void carry_out(const InitPlan& plan);

}  // namespace veneer::app
