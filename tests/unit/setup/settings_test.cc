#include "setup/settings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/toml.hh"

namespace veneer::setup {
namespace {

const Setting debian{"tool.veneer", "base", "debian:bookworm", "Dockerfile:1"};
const Setting name{"tool.veneer.image", "name", "ghcr.io/acme/shop", ""};

TEST(SettingsTest, NewTablesComeToTheEnd) {
  EXPECT_EQ(add_settings("[project]\nname = \"shop\"  # ours\n", {debian, name}).text,
            "[project]\nname = \"shop\"  # ours\n\n[tool.veneer]\nbase = \"debian:bookworm\"  # Dockerfile:1\n"
            "\n[tool.veneer.image]\nname = \"ghcr.io/acme/shop\"\n");
  EXPECT_EQ(add_settings("", {name}).text, "[tool.veneer.image]\nname = \"ghcr.io/acme/shop\"\n");
}

TEST(SettingsTest, LineBreaksStayThoseOfTheFile) {
  EXPECT_EQ(add_settings("a = 1\r\nb = 2\r\n", {name}).text,
            "a = 1\r\nb = 2\r\n\r\n[tool.veneer.image]\r\nname = \"ghcr.io/acme/shop\"\r\n");
  EXPECT_EQ(add_settings("a = 1", {name}).text, "a = 1\n\n[tool.veneer.image]\nname = \"ghcr.io/acme/shop\"\n");
  EXPECT_EQ(add_settings("[tool.veneer.image]\r\ntag = \"1\"", {name}).text,
            "[tool.veneer.image]\r\ntag = \"1\"\r\nname = \"ghcr.io/acme/shop\"\r\n");
}

TEST(SettingsTest, TablesThatAreThereAreCompleted) {
  const std::string text =
      "[ tool.\"veneer\" ] # ours\npython = \"3.12\"\n\n# Of the image.\n[tool.veneer.image]\nlabels = { a = \"[x]\" "
      "}\nfiles = [\n  { from = \"a\", to = \"/a\" },\n]\n\n# The end.\n[tool.other]\nx = 1\n";
  const Edited edited = add_settings(text, {debian, name});
  EXPECT_EQ(edited.text,
            "[ tool.\"veneer\" ] # ours\npython = \"3.12\"\nbase = \"debian:bookworm\"  # Dockerfile:1\n\n# Of the "
            "image.\n[tool.veneer.image]\nlabels = { a = \"[x]\" }\nfiles = [\n  { from = \"a\", to = \"/a\" "
            "},\n]\nname = \"ghcr.io/acme/shop\"\n\n# The end.\n[tool.other]\nx = 1\n");
  EXPECT_EQ(edited.added.size(), 2U);
  EXPECT_EQ(add_settings(edited.text, {debian, name}).text, edited.text) << "the second time nothing is new";
}

TEST(SettingsTest, WhatTheFileSaysStays) {
  const std::string text = "[tool.veneer]\nbase = \"debian:trixie\"\n";
  const Edited edited = add_settings(text, {debian});
  EXPECT_EQ(edited.text, text);
  EXPECT_THAT(edited.kept, testing::ElementsAre(debian));
  EXPECT_TRUE(edited.added.empty());
}

TEST(SettingsTest, AHeaderInATextIsNone) {
  const std::string text = "a = \"\"\"\n[tool.veneer.image]\nx = 1\n\"\"\"\n";
  const Edited edited = add_settings(text, {name});
  EXPECT_EQ(edited.text, text + "\n[tool.veneer.image]\nname = \"ghcr.io/acme/shop\"\n");
}

TEST(SettingsTest, WhereThereIsNoPlaceNothingChanges) {
  for (const std::string text : {"tool = { veneer = { python = \"3.12\" } }\n", "[tool]\nveneer = 3\n",
                                 "[tool.veneer]\nimage = { tag = \"1\" }\n", "[tool]\nveneer.image.tag = \"1\"\n"}) {
    const Edited edited = add_settings(text, {name});
    EXPECT_EQ(edited.text, text);
    EXPECT_THAT(edited.unplaced, testing::ElementsAre(name)) << text;
  }
  EXPECT_THROW(add_settings("a = ", {name}), Error);
}

TEST(SettingsTest, ATextIsReplacedWhereverItStands) {
  const Setting slim{"tool.veneer", "base", Value("python:3.13"), ""};
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[tool.veneer]\nbase = \"old\"  # \"old\" one\r\nx = 'old'\n",
       "[tool.veneer]\nbase = \"python:3.13\"  # \"old\" one\r\nx = 'old'\n"},
      {"x = \"old\"\n[tool]\nveneer = { base = 'old' }", "x = \"old\"\n[tool]\nveneer = { base = \"python:3.13\" }"},
      {"tool.veneer.base = \"old\"\n", "tool.veneer.base = \"python:3.13\"\n"},
      {"# none\n[tool.veneer]\n", "# none\n[tool.veneer]\nbase = \"python:3.13\"\n"},
      {"", "[tool.veneer]\nbase = \"python:3.13\"\n"},
      {"[tool.veneer]\nbase = \"python:3.13\"", "[tool.veneer]\nbase = \"python:3.13\""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(set_text(text, slim), expected);
  EXPECT_EQ(set_text("tool = { veneer = { base = 3 } }\n", slim), std::nullopt);
}

TEST(SettingsTest, ValuesAreReadBackAsTheyAre) {
  Value rule;
  rule.set("from", "a \"b\"\\c\n\t\x01");
  rule.set("mode of", "0755");
  Value::Array packages;
  for (const char* package : {"one", "two", "three", "four", "five"})
    packages.emplace_back(std::string(package) + std::string(20, 'x'));
  const std::vector<Setting> all = {{"tool.veneer", "dockerfile", false, "a reason"},
                                    {"tool.veneer.image", "files", Value::Array{rule}, "Dockerfile:3"},
                                    {"tool.veneer.image.env", "A.B", "ä", ""},
                                    {"tool.veneer.system", "packages", packages, "Dockerfile:7"}};
  const Value document = parse_toml(add_settings("", all).text);
  const Value& veneer = document.at("tool").at("veneer");
  EXPECT_EQ(veneer.at("dockerfile"), Value(false));
  EXPECT_EQ(veneer.at("image").at("files"), Value(Value::Array{rule}));
  EXPECT_EQ(veneer.at("image").at("env").at("A.B").string(), "ä");
  EXPECT_EQ(veneer.at("system").at("packages"), Value(packages));
  EXPECT_THAT(toml_lines(all[3]), testing::StartsWith("# Dockerfile:7\npackages = [\n    \"one"));
}

}  // namespace
}  // namespace veneer::setup
