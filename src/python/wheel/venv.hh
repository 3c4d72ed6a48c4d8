// The virtual environment around the installed wheels (PEP 405). Pure, thread-safe.
#pragma once

#include "python/target.hh"
#include "python/wheel/install.hh"
#include "tree/file_tree.hh"

namespace veneer::python {

/// An empty environment at `place`, for the interpreter of `target` (its absolute path in the image; an Error of kind
/// usage when it is empty or relative): bin/python is a link to it, bin/python3 and bin/python3.N are links to
/// bin/python, lib64 is a link to lib on 64-bit machines, bin/activate serves sh and bash, pyvenv.cfg names the minor
/// version only, so that a patch of Python changes nothing here. Paths are those from the root of the image.
tree::FileTree environment_skeleton(const Target& target, const InstallPlace& place);

}  // namespace veneer::python
