// Version specifiers (PEP 440, as the packaging project reads it today). Values, pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/version.hh"

namespace veneer::python {

/// How pre-releases count.
enum class Prereleases {
  accept,
  reject,
  as_needed,  // accepted where a specifier names one, or where nothing else is there
};

/// One clause, such as ">=1.2" or "==2.*".
class Specifier {
 public:
  /// Nothing when `text` is malformed.
  static std::optional<Specifier> parse(std::string_view text);

  /// Whether `version` satisfies it; pre-releases are versions like any other.
  bool matches(const Version& version) const;
  /// The same for a version as written, which "===" compares as text; what is no version matches nothing else.
  bool matches(std::string_view version) const;
  /// Whether it names a pre-release, which invites others.
  bool names_prerelease() const;
  /// As written, without white space.
  const std::string& text() const { return text_; }

 private:
  enum class Operator { compatible, equal, not_equal, less_equal, greater_equal, less, greater, arbitrary };

  Operator operator_ = Operator::equal;
  bool is_prefix_ = false;  // "==1.2.*", "!=1.2.*"
  Version version_;         // not for "==="
  std::string text_;
};

/// Clauses between commas that must all hold; none holds for every version.
class SpecifierSet {
 public:
  /// Nothing when a clause is malformed.
  static std::optional<SpecifierSet> parse(std::string_view text);

  bool contains(std::string_view version, Prereleases prereleases = Prereleases::as_needed) const;
  bool contains(const Version& version) const;
  /// Those of `versions` that satisfy it, in their order. as_needed takes pre-releases only where no other is left.
  std::vector<std::string> filter(const std::vector<std::string>& versions, Prereleases prereleases) const;
  bool empty() const { return clauses_.empty(); }
  /// The clauses, sorted as text, with commas.
  std::string text() const;

 private:
  std::vector<Specifier> clauses_;
};

/// Whether the Python `full_version` ("3.12.7", "3.14.0rc1+") satisfies `requires_python` (specifiers; empty: any).
/// Bounds on Python mean its release, as uv reads them: 3.14.0rc1 is a 3.14. Throws Error (refused) for what are no
/// specifiers or no version.
bool allows_python(const std::string& requires_python, const std::string& full_version);

}  // namespace veneer::python
