// Compiled extensions that lie beside a project that is no package: its Dockerfile builds them, its lock does not know
// them. Pure but for reading the project's folder.
#pragma once

#include <string>
#include <vector>

#include "build/image_builder.hh"

namespace veneer::app {

/// A sentence for each folder of the project with a back end for Rust or extension modules of its own that the lock
/// does not install, and for each RUN of `dockerfile` (a name; may be empty) that builds one.
std::vector<std::string> extension_findings(const build::BuildInputs& inputs, const std::string& dockerfile);

}  // namespace veneer::app
