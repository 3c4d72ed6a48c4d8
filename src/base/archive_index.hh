// The packages of a Debian archive, as its Packages files list them (repository format, deb822(5)), and what installing
// some of them brings along. Pure, thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::base {

/// The order of versions of Debian policy 5.6.12; takes any text.
std::strong_ordering compare_debian_versions(std::string_view left, std::string_view right);

/// Views are into the index's text.
struct ArchivePackage {
  std::string_view name;
  std::string_view version;
  std::string_view section;  // "libdevel"
  std::string_view depends;  // Pre-Depends and Depends, as written
  std::string_view pre_depends;
  std::string_view provides;
  std::uint64_t installed_size = 0;  // bytes, as its maker estimated
  std::uint64_t size = 0;            // bytes of its file
  bool is_required = false;          // Essential, or of priority "required"
};

/// What one part of a dependency asks for: any of these. "a (>= 1) | b:any" is {a, b}; `is_exact` where the version is
/// to be equal, as development packages want their libraries.
struct Alternative {
  std::string_view name;
  bool is_exact = false;
};
using Dependency = std::vector<Alternative>;

/// Of a Depends field. What is malformed is passed over; versions are not compared, since the packages of one release
/// go together.
std::vector<Dependency> parse_dependencies(std::string_view field);

class ArchiveIndex {
 public:
  /// Of several versions of a package the greatest counts. Paragraphs without name, and fields that are not known, are
  /// passed over. Throws Error (refused) for more than 500 000 paragraphs.
  explicit ArchiveIndex(std::vector<std::string> texts);

  const ArchivePackage* find(std::string_view name) const;
  /// Those that provide the virtual package `name`, sorted.
  std::vector<std::string_view> providers(std::string_view name) const;
  const std::map<std::string_view, ArchivePackage>& packages() const { return packages_; }

 private:
  std::unique_ptr<const std::vector<std::string>> texts_;
  std::map<std::string_view, ArchivePackage> packages_;
  std::map<std::string_view, std::vector<std::string_view>> providers_;
};

using PackageNames = std::set<std::string_view>;  // views into the index

/// `wanted`, those of them that the index has, and what they depend on, without recommended packages, as apt takes them
/// where nothing of them is there but `present`: of alternatives one that is taken already, else the first that there
/// is. Without those of `present`.
PackageNames closure(const ArchiveIndex& index, const std::vector<std::string>& wanted, const PackageNames& present);

/// What every root has: required packages, apt, and `added`, with what they depend on.
PackageNames minimal_root(const ArchiveIndex& index, const std::vector<std::string>& added);

}  // namespace veneer::base
