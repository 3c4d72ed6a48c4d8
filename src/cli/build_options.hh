// The options that choose what is built.
#pragma once

#include <vector>

#include "app/build_request.hh"
#include "cli/command.hh"

namespace veneer::cli {

const std::vector<Option>& build_options();

/// Throws Error (usage, refused).
app::BuildRequest read_build_request(const Arguments& arguments);

}  // namespace veneer::cli
