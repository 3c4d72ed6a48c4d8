// A project that asks for itself: `all = ["shop[fast]", "shop[big]"]`. Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "python/lock/declared.hh"

namespace veneer::python {

/// What a project asks for by the extra in which that stands, "" for its dependencies.
using DeclaredByExtra = std::map<std::string, std::vector<DeclaredRequirement>>;

/// All of them, each as it stands.
std::vector<DeclaredRequirement> as_declared(const DeclaredByExtra& declared);

/// All of them, with what the project asks of itself replaced by what those extras ask for, under both conditions. Some
/// back ends write metadata so, and uv locks what the back end says where a part of [project] is dynamic; it takes
/// either form as up to date. Throws Error (refused) for extras that name each other in more than
/// 20 000 ways.
std::vector<DeclaredRequirement> without_own_extras(const DeclaredByExtra& declared, const std::string& project);

}  // namespace veneer::python
