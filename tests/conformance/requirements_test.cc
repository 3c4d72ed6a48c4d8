// Every requirements file of the corpus is read, or refused for a stated reason.
#include "python/lock/requirements.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "app/selection_request.hh"
#include "foundation/error.hh"
#include "tests/support/corpus.hh"

namespace veneer::python {
namespace {

TEST(RequirementsConformance, EveryFileIsReadAndSelectedFrom) {
  VENEER_NEEDS_CORPUS();
  const Target target = app::parse_target("3.12.7", "linux/amd64", "glibc-2.36");
  std::map<std::string, int> counts;
  for (const auto& entry : std::filesystem::directory_iterator(tests::corpus_folder() / "requirements")) {
    const std::string name = entry.path().filename().native();
    SCOPED_TRACE(name);
    const RequirementsFile file = parse_requirements(tests::read_corpus("requirements/" + name));
    std::size_t folders = 0;
    const Selection selection = select(file, target, {}, [&](const std::string& path) {
      ++folders;
      return "project-in-" + path;
    });
    EXPECT_LE(selection.packages.size(), file.lines.size());
    for (const SelectedPackage& package : selection.packages) {
      if (package.kind == PackageKind::release && package.hashes.empty()) ++counts["releases without hashes"];
      ++counts[std::string(package_kind_name(package.kind))];
    }
    ++counts["files selected from"];
  }
  for (const auto& [what, count] : counts) fmt::print("{:5} {}\n", count, what);
  EXPECT_GE(counts["files selected from"], 27);
}

}  // namespace
}  // namespace veneer::python
