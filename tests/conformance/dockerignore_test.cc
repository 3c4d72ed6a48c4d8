// .dockerignore against the corpus: the tables of moby's own tests, and what the classic builder and buildah put into
// the context of a tree of files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "owners/dockerignore.hh"
#include "tests/support/corpus.hh"

namespace veneer::owners {
namespace {

TEST(DockerIgnoreCorpus, EachPatternFitsAsInMoby) {
  VENEER_NEEDS_CORPUS();
  std::istringstream lines(tests::read_corpus("dockerignore/dockerignore_match.tsv"));
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, '\t');) cells.push_back(cell);
    ASSERT_GE(cells.size(), 3U);
    // A document is a table or an array.
    const std::string path = parse_json("[" + cells[1] + "]").array()[0].string();
    std::vector<std::string> patterns;
    const Value listed = parse_json(cells[0]);
    for (const Value& pattern : listed.array()) patterns.push_back(pattern.string());
    std::string verdict;
    try {
      verdict = DockerIgnore::of_patterns(patterns).excludes(path) ? "match" : "nomatch";
    } catch (const Error&) {
      verdict = "error";
    }
    EXPECT_EQ(verdict, cells[2]) << line;
    ++rows;
  }
  EXPECT_GE(rows, 85U);
  fmt::print("{} rows\n", rows);
}

/// Files only: folders are in an image where something lies in them. The builder needs these two whatever is written.
bool counts(const std::string& path) { return !path.ends_with('/') && path != "Dockerfile" && path != ".dockerignore"; }

TEST(DockerIgnoreCorpus, TreesAreWhatTheEnginesCopied) {
  VENEER_NEEDS_CORPUS();
  const Value document = parse_json(tests::read_corpus("dockerignore/trees.json"));
  std::size_t cases = 0;
  for (const Value& one : document.at("cases").array()) {
    const std::string name = one.at("name").string();
    SCOPED_TRACE(name);
    const Value& text = one.at("dockerignore");
    const Value& expected = one.at("docker_legacy");
    ++cases;
    if (!expected.is_array()) {
      EXPECT_THROW(DockerIgnore::parse(text.string()), Error) << expected.string();
      continue;
    }
    const DockerIgnore ignore = text.is_null() ? DockerIgnore() : DockerIgnore::parse(text.string());
    std::set<std::string> wanted;
    for (const Value& path : expected.array()) {
      if (counts(path.string())) wanted.insert(path.string());
    }
    std::set<std::string> taken;
    for (const Value& path : document.at("tree").array()) {
      if (counts(path.string()) && !ignore.excludes(path.string())) taken.insert(path.string());
    }
    EXPECT_EQ(taken, wanted);
  }
  EXPECT_GE(cases, 44U);
  fmt::print("{} trees\n", cases);
}

}  // namespace
}  // namespace veneer::owners
