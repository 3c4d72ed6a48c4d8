// What a base depends on, by name: as one fingerprint, which is the tag of a base image, and as what differs between
// two bases. It travels with the base image in a label. Pure; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/base_lock.hh"

namespace veneer::base {

/// "base" -> "debian:bookworm", "package libc6" -> "2.36-9". An empty value is one that is not there.
using Ingredients = std::map<std::string, std::string>;

/// The label of a base image that holds its ingredients, as write_ingredients() does.
inline constexpr std::string_view ingredients_label = "dev.veneer.base";

/// 16 hexadecimal digits: equal for equal ingredients, whatever machine or lock they come from.
std::string fingerprint(const Ingredients& ingredients);

/// Those of a base as it is pinned: which one, for which platform and Python, from which archive, with which packages.
/// `asked` are the packages that the project names; hashes of packages do not count, since old caches lack them.
Ingredients ingredients_of(const LockedBase& base, const std::vector<std::string>& asked);

struct IngredientChange {
  std::string what;
  std::string from;  // empty: it is new
  std::string to;    // empty: it is gone

  bool operator==(const IngredientChange&) const = default;
  /// "package libpq5 15.1 -> 15.2".
  std::string text() const;
};
/// By name.
std::vector<IngredientChange> changes(const Ingredients& before, const Ingredients& now);

/// A JSON table, names in order; read_ingredients() reads it.
std::string write_ingredients(const Ingredients& ingredients);
/// Throws Error (refused) for what is no JSON table of strings, or one of more than 10 000.
Ingredients read_ingredients(std::string_view text);

}  // namespace veneer::base
