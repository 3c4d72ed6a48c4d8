#include "python/licence.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::python {
namespace {

using testing::ElementsAre;

std::string read(std::string_view text) {
  const auto licence = parse_licence(text);
  return licence ? licence->expression : "-";
}

TEST(LicenceTest, Expressions) {
  EXPECT_EQ(read("MIT"), "MIT");
  EXPECT_EQ(read(" mit "), "MIT");
  EXPECT_EQ(read("Apache-2.0 OR bsd-3-clause"), "Apache-2.0 OR BSD-3-Clause");
  EXPECT_EQ(read("(MIT and (GPL-2.0-or-later with classpath-exception-2.0))or ISC"),
            "(MIT AND (GPL-2.0-or-later WITH Classpath-exception-2.0)) OR ISC");
  EXPECT_EQ(read("GPL-2.0+"), "GPL-2.0+");
  EXPECT_THAT(parse_licence("LicenseRef-Ours OR MIT")->references, ElementsAre("LicenseRef-Ours"));
}

TEST(LicenceTest, WhatIsNone) {
  for (const char* text :
       {"", "BSD", "MIT License", "MIT OR", "OR MIT", "MIT ISC", "(MIT", "MIT)", "()", "MIT WITH MIT", "MIT WITH",
        "Classpath-exception-2.0", "LicenseRef-", "LicenseRef-a b", "LicenseRef-\"", "DocumentRef-x:LicenseRef-y",
        "WITH:389-exception", "UNKNOWN", "NOASSERTION"}) {
    EXPECT_EQ(read(text), "-") << text;
  }
  EXPECT_EQ(read(std::string(30, '(') + "MIT" + std::string(30, ')')), "-");
  EXPECT_EQ(read("MIT" + std::string(3000, ' ')), "-");
}

TEST(LicenceTest, Metadata) {
  const auto of = [](const std::vector<std::string>& said, const std::vector<std::string>& classifiers) {
    const auto licence = licence_of(said, classifiers);
    return licence ? licence->expression : "-";
  };
  const std::string mit = "License :: OSI Approved :: MIT License";
  EXPECT_EQ(of({"Apache-2.0", "MIT"}, {mit}), "Apache-2.0");
  EXPECT_EQ(of({"a long text of a licence", "MIT"}, {}), "MIT");
  EXPECT_EQ(of({}, {"Programming Language :: Python", "License :: OSI Approved", mit}), "MIT");
  EXPECT_EQ(of({}, {mit, "License :: OSI Approved :: zlib/libpng License"}), "-");
  EXPECT_EQ(of({}, {"License :: OSI Approved :: BSD License"}), "-");
  EXPECT_EQ(of({}, {mit, "License :: OSI Approved :: BSD License"}), "-");
  EXPECT_EQ(of({}, {}), "-");
}

}  // namespace
}  // namespace veneer::python
