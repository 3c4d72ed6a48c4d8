// The base that a project is to stand on from now on: named, or that of its Dockerfile. One thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/build_request.hh"
#include "app/surroundings.hh"

namespace veneer::app {

struct UsedBase {
  std::string text;            // as [tool.veneer] base has it
  std::string place;           // "Dockerfile:1"; empty: it was named
  std::filesystem::path file;  // the pyproject.toml
};

/// `name`: as [tool.veneer] base takes it; none: what the last stage of the project's Dockerfile stands on, by a
/// registry's name. Throws Error (refused) with a hint where there is none, or nothing that can be built on.
UsedBase find_used_base(const BuildRequest& request, const std::optional<std::string>& name,
                        Surroundings& surroundings);

/// Writes it into pyproject.toml, of which all other bytes stay. False: it was there. Throws Error (refused) with the
/// line to write where the file's form leaves no place for it.
bool write_used_base(const UsedBase& base);

}  // namespace veneer::app
