// Requirements, markers, specifiers and versions from anyone: what is read can be written and means the same again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "foundation/error.hh"
#include "python/marker.hh"
#include "python/requirement.hh"
#include "python/specifier.hh"
#include "python/target.hh"
#include "python/version.hh"
#include "python/wheel_file_name.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;
using fuzz::tolerate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const python::Target target = fuzz::some_target();
  const python::MarkerEnvironment environment = python::environment_of(target);
  tolerate([&] {
    const python::Marker marker = python::Marker::parse(text);
    const python::Marker again = python::Marker::parse(marker.text());
    if (again.text() != marker.text() || again.evaluate(environment) != marker.evaluate(environment)) std::abort();
  });
  tolerate([&] {
    const python::Requirement requirement = python::Requirement::parse(text);
    if (requirement.name.empty() || (!requirement.url.empty() && !requirement.specifier.empty())) std::abort();
  });
  if (const auto version = python::Version::parse(text)) {
    const auto again = python::Version::parse(version->text());
    if (!again || *again != *version || again->text() != version->text()) std::abort();
    python::Version next = *version;
    next.release.back() += 1;
    if (next.release.back() != 0 && !(*version < next && next > *version)) std::abort();
  }
  if (const auto set = python::SpecifierSet::parse(text)) {
    const auto again = python::SpecifierSet::parse(set->text());
    if (!again || again->text() != set->text()) std::abort();
    for (const char* version : {"1.0", "2.0.dev1", "0.9.post1", "3!1", "1.0+local"}) {
      if (again->contains(std::string_view(version)) != set->contains(std::string_view(version))) std::abort();
    }
  }
  tolerate([&] { (void)python::parse_wheel_file_name(text); });
  (void)python::read_wheel_tags(text);
  (void)python::parse_sdist_file_name(text);
  return 0;
}
