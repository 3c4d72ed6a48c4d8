// How a wheel comes to be from a source: by which interpreter, where, and under which key it is kept. Runs uv.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "python/supply/uv_build.hh"
#include "python/target.hh"

namespace veneer::python {

struct WheelBuild {
  Hash source;                  // of all that decides the wheel, but for the interpreter and the compilers
  std::string name;             // of the distribution, normalised
  std::string requires_python;  // PEP 440; empty when it is not known
  std::function<UvBuild(const std::filesystem::path& scratch)> prepare;
};

/// Of all that decides the bytes of a wheel with compiled parts, as far as it is known before anything is made.
Hash compiled_key(const Hash& source, const Target& target, const UvProgram& uv);

/// The wheel of the distribution `name` if the cache has it.
std::optional<BuiltWheel> find_wheel(const Hash& source, const std::string& name, const Target& target,
                                     const UvProgram& uv, const BuiltWheels& cache);

/// The wheel, from the cache or built. One that is for every interpreter and machine is built by an interpreter that is
/// at hand: of the target's minor version, else any that fits, else the workshop's; only without all of them uv is let
/// download one, which is said before. One with other tags is thrown away and built in the workshop; where there is
/// none it must have been built by this machine's Python of the target's minor version.
/// Errors: refused for a wheel that judge_built_wheel() refuses or that cannot be built here; failed with what uv said.
BuiltWheel build_wheel(const WheelBuild& build, const Target& target, const UvProgram& uv, BuiltWheels& cache);

}  // namespace veneer::python
