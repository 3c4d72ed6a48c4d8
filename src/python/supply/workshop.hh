// Where wheels with compiled parts are built: a root with the base's interpreter and compilers. Who knows bases and
// packages implements it. Thread-safe.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace veneer::python {

class Workshop {
 public:
  struct Place {
    std::filesystem::path root;      // never written to
    std::vector<std::string> words;  // how it is entered: find_open_sandbox()
    std::filesystem::path kept;      // a folder for what builds in this root keep (uv's cache, Cargo's targets)
  };

  virtual ~Workshop() = default;
  /// What it is made of, as it is asked for. Makes nothing.
  virtual std::string request_key() const = 0;
  /// The same with the versions that came, once it has been made. Makes nothing.
  virtual std::string content_key() const = 0;
  /// Whether a wheel of the distribution with this path_name() was found to have compiled parts before.
  virtual bool is_compiled(const std::string& name) const = 0;
  virtual void note_compiled(const std::string& name) = 0;
  /// Makes it when it is not there. Errors: network, failed with what apt said.
  virtual Place open() = 0;
};

/// The name of a distribution, normalised, as that of a file: locks may hold anything.
inline std::string path_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace veneer::python
