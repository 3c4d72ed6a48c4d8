// What the Debian packages of a project, or of a list, bring and cost: see base/package_list.hh. Reads the lists of the
// archive, and nothing of a base.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/surroundings.hh"
#include "base/package_list.hh"

namespace veneer::app {

struct PackageListQuestion {
  std::filesystem::path project;       // its folder; need not hold one where names are given
  std::vector<std::string> names;      // none: packages of the project's [tool.veneer.system]
  std::optional<std::string> suite;    // none: that of the project's base, else the newest that veneer knows
  std::string architecture = "amd64";  // as Debian names it
};

struct PackageListAnswer {
  std::string suite;
  base::PackageListReport report;
};

/// Throws Error: usage without any names; refused for a base that is no Debian suite; not_found for a suite that the
/// archive does not have; network.
PackageListAnswer explain_packages(const PackageListQuestion& question, Surroundings& surroundings);

}  // namespace veneer::app
