// A uv.lock read package by package, with what other locks had, is what reading it whole gives: on real locks, and on
// what accidents make of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "python/lock/uv_lock.hh"
#include "python/lock/uv_lock_package.hh"
#include "tests/support/corpus.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::vector<std::string>& list) { return fmt::format("[{}]", fmt::join(list, "|")); }

std::string text_of(const std::vector<Marker>& list) {
  std::string text;
  for (const Marker& marker : list) text += marker.text() + "|";
  return text;
}

std::string text_of(const LockSource& source) {
  return fmt::format("{} {} {} {}", static_cast<int>(source.kind), source.location, source.subdirectory, source.commit);
}

std::string text_of(const LockFile& file) {
  return fmt::format("{} {} {} {}\n", file.name, file.location, file.hash, file.size ? fmt::to_string(*file.size) : "");
}

std::string text_of(const LockDependencies& list) {
  std::string text;
  for (const LockDependency& one : list) {
    text += fmt::format("{} {} {};", one.package, text_of(one.extras), one.marker.text());
  }
  return text;
}

std::string text_of(const std::map<std::string, LockDependencies>& lists) {
  std::string text;
  for (const auto& [name, list] : lists) text += name + ": " + text_of(list);
  return text;
}

std::string text_of(const LockPackage& package) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {} {}\n", package.name, package.version, text_of(package.source),
                  text_of(package.resolution_markers), text_of(package.dependencies),
                  text_of(package.optional_dependencies), text_of(package.groups), text_of(package.provided_extras),
                  text_of(package.declared_groups), to_json(package.metadata));
  if (package.sdist) text += text_of(*package.sdist);
  for (const LockFile& wheel : package.wheels) text += text_of(wheel);
  return text;
}

std::string text_of(const ManifestRequirement& one) {
  return fmt::format("{} {} {};", one.name, text_of(one.extras), one.marker.text());
}

std::string text_of(const Lock& lock) {
  std::string text = fmt::format("{} {} {} {} {} {} {}\n", lock.revision, lock.requires_python,
                                 text_of(lock.supported_environments), text_of(lock.required_environments),
                                 text_of(lock.members), to_json(lock.manifest), to_json(lock.options));
  for (const auto& set : lock.conflicts) {
    for (const ConflictItem& item : set) text += item.encoded() + " ";
    text += "\n";
  }
  for (const ManifestRequirement& one : lock.requirements) text += text_of(one);
  for (const auto& [name, list] : lock.groups) {
    text += name + ": ";
    for (const ManifestRequirement& one : list) text += text_of(one);
  }
  for (const LockPackage& package : lock.packages) text += text_of(package);
  return text;
}

/// The whole lock as text, or the error.
std::string outcome(const std::string& text, KnownPackages* known) {
  try {
    return text_of(parse_uv_lock(text, known));
  } catch (const Error& error) {
    return fmt::format("error: {}\n{}", error.what(), error.hint());
  }
}

void expect_equal(const std::string& text, KnownPackages& known) {
  const std::string whole = outcome(text, nullptr);
  EXPECT_TRUE(outcome(text, &known) == whole) << text.substr(0, 2000);
  EXPECT_TRUE(outcome(text, &known) == whole) << "the second time";
}

const std::string head = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n";

std::string package(const std::string& name, const std::string& more = "") {
  return fmt::format(
      "\n[[package]]\nname = \"{0}\"\nversion = \"1\"\nsource = {{ registry = \"https://index.example/simple\" }}\n{1}"
      "wheels = [\n    {{ url = \"https://files.index.example/{0}-1-py3-none-any.whl\", size = 7 }},\n]\n",
      name, more);
}

TEST(KnownPackages, WhatComesInPieces) {
  KnownPackages known;
  for (const std::string& text :
       {head + package("a") + package("b", "dependencies = [{ name = \"a\" }]\n"), head,
        "\xef\xbb\xbf" + head + package("a"), head + "[manifest]\nmembers = [\"a\"]\n" + package("a"),
        head + package("a") + "\n[package.metadata]\nprovides-extras = [\"x\"]\n" + package("b")}) {
    EXPECT_TRUE(read_lock_pieces(text, known).has_value()) << text;
    expect_equal(text, known);
  }
}

TEST(KnownPackages, WhatDoesNot) {
  KnownPackages known;
  const std::string plain = head + package("a") + package("b");
  for (const std::string& text : {
           head + "x = '''" + package("a") + "'''\n" + package("b"),
           head + package("a", "x = \"\"\"\n[[package]]\n\"\"\"\n") + package("b"),
           head + package("a", "x = [\n[[package]]\n]\n"),
           head + "package = []\n" + package("a"),
           head + "[package]\nname = \"a\"\n" + package("a"),
           head + "[package.x]\n" + package("a"),
           head + "[[ package ]]\nname = \"a\"\nsource = { virtual = \".\" }\n" + package("b"),
           head + package("a") + "\n[manifest]\nmembers = [\"a\"]\n" + package("b"),
           head + package("a") + "\n[[\"package\"]]\nname = \"c\"\nsource = { virtual = \".\" }\n" + package("b"),
           head + package("a") + package("b", "name = \"b\"\n"),
           head + package("a") + package("B"),
           head + package("a") + package("b", "resolution-markers = [\"nonsense\"]\n"),
           head + package("a") + "[package]\n",
           plain.substr(0, plain.size() - 4),
           plain + "\xff",
           "x = 1\n" + package("a") + package("B"),
       }) {
    EXPECT_FALSE(read_lock_pieces(text, known).has_value()) << text;
    expect_equal(text, known);
  }
}

TEST(KnownPackages, WhatHangsOnTheOthers) {
  KnownPackages known;
  const std::string wants = package("b", "dependencies = [{ name = \"a\" }]\n");
  for (const std::string& text : {head + package("a") + wants, head + package("0") + package("a") + wants, head + wants,
                                  head + package("a") + package("a") + wants, wants + head}) {
    expect_equal(text, known);
  }
}

/// What an edit, a merge or a cut may do to a lock.
std::string accident(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  const auto line = [&] { return std::min(text.find('\n', below(text.size())), text.size() - 1) + 1; };
  const std::size_t first = line();
  const std::size_t second = line();
  switch (below(6)) {
    case 0: return text.substr(0, below(text.size()));
    case 1: return text.erase(std::min(first, second), std::max(first, second) - std::min(first, second));
    case 2: text[below(text.size() - 1)] = static_cast<char>(below(127)); return text;
    case 3: return text.insert(first, "[[package]]\n");
    case 4: return text.insert(first, "'''\n");
    case 5: return text.insert(first, "[package.metadata]\n");
    default: return text.insert(first, text.substr(second, 3000));
  }
}

TEST(KnownPackages, EveryLockOfTheCorpus) {
  VENEER_NEEDS_CORPUS();
  KnownPackages known;
  std::mt19937 random(20261128);
  std::size_t locks = 0;
  for (const auto& entry : fs::directory_iterator(tests::corpus_folder() / "locks")) {
    const std::string name = entry.path().filename().native();
    if (name.find(".uv.lock") == std::string::npos) continue;
    SCOPED_TRACE(name);
    const std::string text = tests::read_corpus("locks/" + name);
    EXPECT_TRUE(read_lock_pieces(text, known).has_value());
    expect_equal(text, known);
    constexpr std::size_t large = 200'000;
    for (int i = text.size() < large ? 6 : 0; i > 0; --i) expect_equal(accident(text, random), known);
    ++locks;
  }
  EXPECT_GE(locks, 30U);
}

}  // namespace
}  // namespace veneer::python
