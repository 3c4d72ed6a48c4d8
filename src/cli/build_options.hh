// The options that choose what is built.
#pragma once

#include <vector>

#include "app/build_request.hh"
#include "cli/command.hh"

namespace veneer::cli {

/// --project, of the commands that know a project's store. Context::current_folder() obeys it.
Option project_option();

const std::vector<Option>& build_options();

/// Throws Error (usage, refused).
app::BuildRequest read_build_request(const Arguments& arguments);

}  // namespace veneer::cli
