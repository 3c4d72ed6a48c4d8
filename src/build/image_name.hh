// What the image of a project is called. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "python/project/project.hh"

namespace veneer::build {

/// The name without a tag: what [tool.veneer.image] says, else the project's own, as PEP 503 normalises it. In the
/// short form, unless that would be taken for a place: "docker.io/library/oci" because of "oci:1.0". Throws Error
/// (refused) that says what no engine would take.
std::string image_name(const python::Project& project);

/// The tag: what [tool.veneer.image] says, else `version` with '-' for each '+' and '!', which no tag can hold;
/// "latest" when both are empty. Throws Error (refused) when no engine would take it.
std::string image_tag(const python::Project& project, std::string_view version);

}  // namespace veneer::build
