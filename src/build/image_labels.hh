// The labels of an image that is built: docs/sbom.md lists them. Pure, thread-safe.
#pragma once

#include <string>

#include "build/image_builder.hh"

namespace veneer::build {

struct LabelFacts {
  std::string version;  // of the project, or its tag; may be empty
  std::string created;  // RFC 3339
};

/// A table: what the base says but for what tells of the base as an image ("org.opencontainers.image."), what is known
/// of the project, and above all that the project's own labels.
Value image_labels(const Value& base_run, const BuildInputs& inputs, const LabelFacts& facts);

}  // namespace veneer::build
