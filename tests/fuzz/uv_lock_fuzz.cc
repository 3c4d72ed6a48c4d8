// uv.lock from anyone: refused or selected from. A selection is sorted, names each package once, and is the same again,
// also where packages are known from a lock before.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "python/lock/select.hh"
#include "python/lock/uv_lock.hh"
#include "python/lock/uv_lock_package.hh"
#include "python/selection.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

namespace {

/// What is selected, or why nothing is.
std::string answer(std::string_view text, python::KnownPackages* known) {
  python::SelectOptions options;
  options.extra_choice = python::ExtraChoice::all;
  options.group_choice = python::GroupChoice::all;
  try {
    return to_json(
        python::selection_to_json(python::select(python::parse_uv_lock(text, known), fuzz::some_target(), options)));
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const python::Target target = fuzz::some_target();
  try {
    const python::Lock lock = python::parse_uv_lock({reinterpret_cast<const char*>(data), size});
    for (const auto choice : {python::ExtraChoice::listed, python::ExtraChoice::all}) {
      python::SelectOptions options;
      options.extra_choice = choice;
      options.group_choice =
          choice == python::ExtraChoice::all ? python::GroupChoice::all : python::GroupChoice::listed;
      try {
        const python::Selection selection = python::select(lock, target, options);
        const auto by_name = [](const auto& left, const auto& right) { return left.name < right.name; };
        if (!std::is_sorted(selection.packages.begin(), selection.packages.end(), by_name)) std::abort();
        const auto same = [](const auto& left, const auto& right) { return left.name == right.name; };
        if (std::adjacent_find(selection.packages.begin(), selection.packages.end(), same) != selection.packages.end())
          std::abort();
        const std::string text = to_json(python::selection_to_json(selection));
        if (to_json(python::selection_to_json(python::select(lock, target, options))) != text) std::abort();
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = answer(text, nullptr);
  python::KnownPackages known;
  for (int i = 0; i < 2; ++i) {
    if (answer(text, &known) != whole) std::abort();
  }
  return 0;
}
