#include "base/archive_index.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/package_list.hh"

namespace veneer::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DebianVersionsTest, Order) {
  // Each is less than the next (Debian policy 5.6.12).
  const std::vector<std::string_view> ordered = {"0~~",       "0~~a",    "0~",         "0",      "0a",       "0+",
                                                 "1.0~rc1-1", "1.0-0",   "1.0-1~bpo1", "1.0-1",  "1.0-1+b1", "1.0-1.1",
                                                 "1.0a-1",    "1.0.1-1", "1.2-1",      "1.10-1", "1:0.1-1",  "2:0"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t k = 0; k < ordered.size(); ++k) {
      EXPECT_EQ(compare_debian_versions(ordered[i], ordered[k]), i <=> k) << ordered[i] << " " << ordered[k];
    }
  }
  EXPECT_EQ(compare_debian_versions("1.0", "1.0-0"), std::strong_ordering::equal);
  EXPECT_EQ(compare_debian_versions("0:1.001", "1.1"), std::strong_ordering::equal);
}

TEST(DependenciesTest, AreReadAsTheyAreWritten) {
  const auto read = parse_dependencies("libc6 (>= 2.36), a:any | b (= 1) | c [amd64] , , d(=1)");
  std::vector<std::vector<std::string>> names;
  for (const Dependency& dependency : read) {
    names.emplace_back();
    for (const Alternative& one : dependency) names.back().push_back(std::string(one.name) + (one.is_exact ? "=" : ""));
  }
  EXPECT_THAT(names, ElementsAre(ElementsAre("libc6"), ElementsAre("a", "b=", "c"), ElementsAre("d=")));
  for (const char* text : {"", "|", ",", "(", "((", " | | ", "(>= 1)"})
    EXPECT_THAT(parse_dependencies(text), IsEmpty());
}

std::string paragraph(const std::string& name, const std::string& more = {}, const std::string& version = "1") {
  return "Package: " + name + "\nVersion: " + version + "\nInstalled-Size: 10\nSize: 100\n" + more + "\n";
}

TEST(ArchiveIndexTest, WhatIsTaken) {
  const ArchiveIndex index(
      {paragraph("app", "Pre-Depends: pre\nDepends: missing | chosen | other, mail-agent, loop\n") + paragraph("pre") +
           paragraph("chosen") + paragraph("other") + paragraph("postfix", "Provides: mail-agent (= 2), x\n") +
           paragraph("exim", "Provides: mail-agent\n") + paragraph("loop", "Depends: app, nothing\n"),
       paragraph("chosen", "Depends: newer\n", "2") + paragraph("newer") + "Version: 1\n\nnonsense\n"});
  EXPECT_THAT(closure(index, {"app", "unknown"}, {}), ElementsAre("app", "chosen", "exim", "loop", "newer", "pre"));
  EXPECT_THAT(closure(index, {"app", "postfix", "other"}, {}), ElementsAre("app", "loop", "other", "postfix", "pre"));
  EXPECT_THAT(closure(index, {"app"}, {"loop", "postfix", "pre"}), ElementsAre("app", "chosen", "newer"));
  EXPECT_THAT(index.providers("mail-agent"), ElementsAre("exim", "postfix"));
  EXPECT_EQ(index.find("chosen")->version, "2");
}

TEST(ArchiveIndexTest, ARootHasItsLinksAlready) {
  const ArchiveIndex index({paragraph("init", "Priority: required\nDepends: usrmerge | usr-is-merged\n") +
                            paragraph("usrmerge", "Depends: perl\n") + paragraph("usr-is-merged") + paragraph("perl") +
                            paragraph("apt", "Depends: gpgv\n") + paragraph("gpgv") + paragraph("python3")});
  EXPECT_THAT(minimal_root(index, {"python3"}), ElementsAre("apt", "gpgv", "init", "python3", "usr-is-merged"));
}

TEST(PackageListTest, LibrariesThatAreNamedAreEnough) {
  const ArchiveIndex index({paragraph("libz1", "Section: libs\n") + paragraph("libz-extra", "Section: libs\n") +
                            paragraph("libz-dev", "Section: libdevel\nDepends: libz1 (= 1), libz-extra (= 1)\n")});
  EXPECT_THAT(explain_packages(index, {{"libz-dev"}, {}, {}}).proposal, ElementsAre("libz-extra", "libz1"));
  EXPECT_THAT(explain_packages(index, {{"libz-dev", "libz1"}, {}, {}}).proposal, ElementsAre("libz1"));
}

TEST(PackageListTest, WhatBelongsToWhom) {
  const ArchiveIndex index({paragraph("a", "Depends: shared, mine\n") + paragraph("b", "Depends: shared\n") +
                            paragraph("shared") + paragraph("mine") + paragraph("apt", "Priority: required\n") +
                            paragraph("git") + paragraph("libz1", "Section: libs\n") +
                            paragraph("libz-dev", "Section: libdevel\nDepends: libz1 (= 1)\n") +
                            paragraph("libold0t64") + paragraph("gcc-12-base")});
  const PackageListReport report = explain_packages(
      index, {{"a", "b", "a", "git", "libz-dev", "libold0", "libz2", "apt", "gcc-12-base"}, {}, {"gitpython"}});
  using Verdict = ListedPackage::Verdict;
  ASSERT_EQ(report.listed.size(), 8u);
  EXPECT_THAT(report.listed[0].brings, ElementsAre("mine", "shared"));
  EXPECT_EQ(report.listed[0].all, (PackageCost{3, 30 * 1024, 300}));
  EXPECT_EQ(report.listed[0].own, (PackageCost{2, 20 * 1024, 200}));
  EXPECT_EQ(report.listed[1].own.packages, 1u);
  EXPECT_EQ(report.listed[2].verdict, Verdict::runs);
  EXPECT_EQ(report.listed[2].why, "gitpython runs it");
  EXPECT_EQ(report.listed[3].verdict, Verdict::builds);
  EXPECT_THAT(report.listed[3].instead, ElementsAre("libz1"));
  EXPECT_EQ(report.listed[4].verdict, Verdict::unknown);
  EXPECT_THAT(report.listed[4].instead, ElementsAre("libold0t64"));
  EXPECT_THAT(report.listed[5].instead, ElementsAre("libz1"));
  EXPECT_EQ(report.listed[6].verdict, Verdict::present);
  EXPECT_EQ(report.listed[7].verdict, Verdict::runs);
  EXPECT_THAT(report.proposal, ElementsAre("a", "b", "git", "libz1", "gcc-12-base"));
  EXPECT_THAT(report.findings, IsEmpty());
}

TEST(PackageListTest, TextWantsAFont) {
  const std::string list =
      paragraph("apt") + paragraph("libcairo2") + paragraph("fonts-dejavu-core", "Section: fonts\n");
  const ArchiveIndex index({list});
  EXPECT_EQ(explain_packages(index, {{"libcairo2"}, {}, {}}).findings.size(), 1u);
  EXPECT_EQ(explain_packages(index, {{"apt"}, {}, {"weasyprint"}}).findings.size(), 1u);
  EXPECT_THAT(explain_packages(index, {{"libcairo2", "fonts-dejavu-core"}, {}, {"weasyprint"}}).findings, IsEmpty());
}

}  // namespace
}  // namespace veneer::base
