// A list of an archive, which may be anybody's: it is read, and what it brings ends.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/package_list.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string_view left = std::string_view(text).substr(0, size / 2);
  const std::string_view right = std::string_view(text).substr(size / 2);
  const auto order = base::compare_debian_versions(left, right);
  if (base::compare_debian_versions(right, left) != 0 <=> order) std::abort();
  fuzz::tolerate([&] {
    const base::ArchiveIndex index({text});
    base::PackageListRequest request{{"a", "libcairo2", "x-dev"}, {"python3"}, {"gitpython", "weasyprint"}};
    for (const auto& [name, package] : index.packages()) {
      if (request.names.size() < 8) request.names.emplace_back(name);
    }
    const base::PackageListReport report = base::explain_packages(index, request);
    if (report.kept.packages > index.packages().size() || report.all.packages > index.packages().size()) std::abort();
  });
  return 0;
}
