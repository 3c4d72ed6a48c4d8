// What the builds of a project made of the image that was built last, for a push of it: <store>/made, lines of two
// words,
//
//   layer sha256:...     made here: a registry need not be asked for it
//   base registry:REF    what it stands on, where that is an image of a registry
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "build/image_builder.hh"
#include "foundation/digest.hh"

namespace veneer::app {

struct Made {
  std::set<BlobDigest> layers;
  std::string base;  // "registry:REF", empty when it is no registry's
};

/// Of `built`: what was made now.
Made made_of(const build::BuiltImage& built, const std::string& base_name);

/// Besides, what an earlier build made and is still in the image.
void write_made(const std::filesystem::path& store, const build::BuiltImage& built, const std::string& base_name);
/// Never throws: what cannot be read was not made here.
Made read_made(const std::filesystem::path& store);

}  // namespace veneer::app
