// What a project's deploys would have had to bring, one after another. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veneer::replay {

/// A file that a lock installs.
struct Wheel {
  std::string name;  // the normalised name of its distribution
  std::string hash;  // equal hashes are equal files
  std::uint64_t bytes = 0;
};

/// A file of the application as some deploys had it.
struct ApplicationFile {
  std::string path;         // in the project's folder
  std::string content;      // equal contents are equal files
  std::uint64_t bytes = 0;  // in a layer, compressed; estimated
};

struct Deploy {
  std::optional<std::size_t> set;  // place in History::sets; none: there was no lock yet
  // What says whether the file is the one of the deploy before.
  std::string lock;
  std::string pyproject;
  std::string dockerfile;
  std::optional<std::size_t> application;  // place in History::applications; none: nobody knows
};

struct History {
  std::string project;
  std::vector<Wheel> wheels;
  std::vector<std::vector<std::size_t>> sets;  // places in `wheels`
  std::vector<Deploy> deploys;                 // oldest first
  std::size_t estimated = 0;                   // wheels of which no lock says the size
  std::vector<ApplicationFile> files;
  std::vector<std::vector<std::size_t>> applications;  // places in `files`, sorted
};

}  // namespace veneer::replay
