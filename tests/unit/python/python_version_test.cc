#include "python/python_version.hh"

#include <gtest/gtest.h>

namespace veneer::python {
namespace {

TEST(PythonVersion, IsReadAsPeopleNameIt) {
  const auto minor = parse_python_version("3.12");
  ASSERT_TRUE(minor);
  EXPECT_EQ(minor->minor, 12);
  EXPECT_EQ(minor->text, "3.12");
  EXPECT_FALSE(minor->has_patch());
  EXPECT_EQ(minor->threading, Threading::with_gil);
  const auto free_threaded = parse_python_version("3.13.1t");
  ASSERT_TRUE(free_threaded);
  EXPECT_EQ(free_threaded->text, "3.13.1");
  EXPECT_TRUE(free_threaded->has_patch());
  EXPECT_EQ(free_threaded->threading, Threading::free_threaded);
  EXPECT_EQ(parse_python_version("3.13.0rc1")->text, "3.13.0rc1");
}

TEST(PythonVersion, IsNothingElse) {
  for (const char* text : {"", "t", "3", "3.", "2.7", "3.11.2.4", "3..1", "3.x", "v3.11", "3.11 ", "cp311", "3.99999",
                           "4.1", "3.13rc1", "3.011"}) {
    EXPECT_FALSE(parse_python_version(text)) << text;
  }
}

}  // namespace
}  // namespace veneer::python
