// What [project] of pyproject.toml tells people of it. Internal to project. Pure, thread-safe.
#pragma once

#include "foundation/value.hh"
#include "python/project/project.hh"

namespace veneer::python {

/// Of the table [project]. What is of another form than it should be says nothing: building wheels judges it.
ProjectAbout read_about(const Value& metadata);

}  // namespace veneer::python
