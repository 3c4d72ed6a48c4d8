// Names of distributions, extras and dependency groups. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

/// As PEP 503 normalises a name (PEP 685 extras and PEP 735 groups likewise): lower case, runs of "-", "_" and "." as
/// one "-". Takes any text.
std::string normalised_name(std::string_view name);

/// Each of them, in the order given.
std::vector<std::string> normalised_names(std::vector<std::string> names);

/// Whether `name` has the form that the core metadata specification demands: ASCII letters, digits, "-", "_", ".", with
/// a letter or digit at both ends.
bool is_valid_name(std::string_view name);

/// The characters at the start of `text` that names are made of: the name in "numpy[all]>=2". May be empty or not
/// valid.
std::string_view leading_name(std::string_view text);

}  // namespace veneer::python
