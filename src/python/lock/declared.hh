// What a pyproject.toml asks for, in the terms in which uv.lock keeps it ("requires-dist"), so that the two can be
// compared without resolving anything. Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/value.hh"
#include "python/marker.hh"

namespace veneer::python {

/// One requirement. Two that differ in their markers alone say together when the distribution is asked for.
struct DeclaredRequirement {
  std::string name;                 // normalised
  std::vector<std::string> extras;  // normalised, sorted
  std::string specifier;            // its clauses in one spelling and order; empty for what has a source
  std::string source;               // "", or what kind of place and which: "path packages/lib", "git https://…?rev=1"
  std::vector<Marker> all;          // must all hold
  std::vector<Marker> none;         // none of these may hold: of the sources that go before it

  /// Name, extras, specifier and source, for people and as a key: "lib[fast] >=1,<2".
  std::string text() const;
};

/// Where names of [tool.uv.sources] and paths lead.
struct SourceScope {
  std::string folder;                             // of the pyproject.toml, as seen from the lock: "." or "packages/lib"
  const Value* own = nullptr;                     // [tool.uv.sources] of the project; may be null
  const Value* of_workspace = nullptr;            // of the workspace's root
  std::map<std::string, std::string> members;     // folders of the workspace's members by name
  std::map<std::string, std::string> index_urls;  // of the named indexes
};

/// Of requirements as pyproject.toml writes them (PEP 508), with `condition` ("extra == 'fast'") upon each. `extra` and
/// `group` are where they stand: some sources are for one of them alone. Throws Error (refused) for what is no
/// requirement.
std::vector<DeclaredRequirement> declared_in(const std::vector<std::string>& texts, const SourceScope& scope,
                                             std::string_view extra = {}, std::string_view group = {});

/// Of a list of uv.lock: [{ name, extras, specifier, marker, editable, … }].
std::vector<DeclaredRequirement> declared_in_lock(const Value::Array& rows);

/// One sentence for each requirement that only one side has, or that the sides have under other conditions:
/// "idna >=3 is not in the lock". Markers are compared by what they say in every environment that `requires_python`
/// allows, not by their text.
std::vector<std::string> differences(const std::vector<DeclaredRequirement>& declared,
                                     const std::vector<DeclaredRequirement>& locked, std::string_view requires_python);

/// Whether the alternatives of two sets of markers hold in the same environments; an empty set always holds.
bool mean_the_same(const std::vector<Marker>& left, const std::vector<Marker>& right, std::string_view requires_python);

/// The bounds that specifiers on Python's version set, in one spelling; "!=" is passed over, as uv does.
bool same_python_bounds(const std::vector<std::string>& declared, const std::string& locked);

}  // namespace veneer::python
