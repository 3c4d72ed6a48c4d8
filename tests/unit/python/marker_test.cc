#include "python/marker.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "python/requirement.hh"
#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Truth truth(const std::string& text) { return Marker::parse(text).evaluate(environment_of(some_target())); }

TEST(Marker, Evaluates) {
  EXPECT_EQ(truth("python_version >= '3.9'"), Truth::yes);  // as versions: as text 3.12 would be less
  EXPECT_EQ(truth("'3.9' <= python_version"), Truth::yes);
  EXPECT_EQ(truth("python_version in '3.11 3.12'"), Truth::yes);
  EXPECT_EQ(truth("sys_platform == 'win32' or os_name == 'posix' and platform_machine != 'arm64'"), Truth::yes);
  EXPECT_EQ(truth("(sys_platform == 'linux' or os_name == 'nt') and implementation_name == 'pypy'"), Truth::no);
  EXPECT_EQ(truth("platform_system < 'Z'"), Truth::no);  // text has no order
}

TEST(Marker, WhatIsNotKnownMattersOnlyWhereItDecides) {
  EXPECT_EQ(truth("platform_release == '6.1'"), Truth::unknown);
  EXPECT_EQ(truth("platform_release == '6.1' and sys_platform == 'win32'"), Truth::no);
  EXPECT_EQ(truth("sys_platform == 'linux' or platform_version == 'x'"), Truth::yes);
}

TEST(Marker, ExtrasAndGroups) {
  MarkerEnvironment environment = environment_of(some_target());
  environment.extras = {"a-b"};
  environment.groups = {"dev"};
  const auto holds = [&](const char* text) { return Marker::parse(text).evaluate(environment) == Truth::yes; };
  EXPECT_TRUE(holds("extra == 'A_b'"));
  EXPECT_TRUE(holds("'a.b' in extras and 'dev' in dependency_groups"));
  EXPECT_TRUE(holds("extra != 'c'"));
  EXPECT_FALSE(holds("'test' in dependency_groups"));
}

TEST(Marker, RefusesWithTheFault) {
  const auto refuses = [](const char* text, const char* part) {
    EXPECT_THAT([&] { Marker::parse(text); }, ThrowsMessage<Error>(HasSubstr(part))) << text;
  };
  refuses("", "missing");
  refuses("os_name", "comparison is missing");
  refuses("os_name == 'a", "quote is not closed");
  refuses("colour == 'red'", "no variable");
  refuses("(os_name == 'a'", "parenthesis");
  refuses("os_name == 'a' os_name", "more follows");
  refuses((std::string(65, '(') + "os_name == 'a'" + std::string(65, ')')).c_str(), "nested too deeply");
}

TEST(Requirement, Forms) {
  const Requirement requirement = Requirement::parse("Name[b,a] (>=1,<2) ; os_name == 'posix'");
  EXPECT_EQ(requirement.name, "Name");
  EXPECT_THAT(requirement.extras, ElementsAre("a", "b"));
  EXPECT_EQ(requirement.specifier.text(), "<2,>=1");
  EXPECT_EQ(requirement.marker.text(), "os_name == \"posix\"");
  EXPECT_EQ(Requirement::parse("a @ https://h.example/a.whl ; os_name == 'nt'").url, "https://h.example/a.whl");
  for (const char* const bad : {"", "-a", "a[", "a[b", "a >", "a (>=1", "a @", "a @ x y", "a==1 b"}) {
    EXPECT_THROW(Requirement::parse(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace veneer::python
