// The environments in which markers could give different answers: so two sets of markers are compared by what they
// mean, not by how they are written. Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "python/marker.hh"

namespace veneer::python {

class MarkerEnvironments {
 public:
  /// Of Pythons that `requires_python` (PEP 440 specifiers) allows.
  explicit MarkerEnvironments(std::string_view requires_python) : requires_python_(requires_python) {}

  /// Whatever it compares is told apart from then on.
  void look_at(const Marker& marker);

  /// Whether `holds` says yes for each of them; of very many, for the first 20000.
  bool all(const std::function<bool(const MarkerEnvironment&)>& holds) const;

 private:
  struct Assignment {
    std::vector<std::pair<MarkerVariable, std::string>> values;
    std::set<std::string> extras;
  };

  const std::set<std::string>& texts(MarkerVariable variable) const {
    return texts_[static_cast<std::size_t>(variable)];
  }
  std::vector<Assignment> systems() const;
  std::vector<Assignment> implementations() const;
  std::vector<Assignment> pythons() const;
  std::vector<Assignment> extra_sets() const;

  std::string requires_python_;
  std::array<std::set<std::string>, marker_text_variables + 1> texts_;  // up to `extra`
};

/// Versions of Python at and around those that `texts` name, as numbers with three parts.
std::set<std::array<std::uint64_t, 3>> python_versions_around(const std::vector<std::string>& texts);

}  // namespace veneer::python
