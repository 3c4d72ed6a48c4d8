// What a Python distribution says of its licence, as an expression of SPDX (SPDX 2.3, annex D). Pure, thread-safe.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

struct Licence {
  std::string expression;
  std::set<std::string> references;  // the "LicenseRef-..." in it, which a document has to explain

  bool operator==(const Licence&) const = default;
};

/// `text` with the names as the licence list spells them and operators in capitals; nothing for what is no expression,
/// names a licence or an exception that the list does not have, refers to other documents, or has more than 2000 bytes
/// or 20 parentheses in each other.
std::optional<Licence> parse_licence(std::string_view text);

/// What core metadata say: the first of `said` that is an expression (License-Expression, PEP 639, then License), else
/// the classifiers where all of them that name a licence name the same one. Nothing for what leaves it open, such as
/// "BSD License".
std::optional<Licence> licence_of(const std::vector<std::string>& said, const std::vector<std::string>& classifiers);

}  // namespace veneer::python
