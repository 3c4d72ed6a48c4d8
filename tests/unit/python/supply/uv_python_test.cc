#include "python/supply/uv_python.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

TEST(UvPythons, AreTheCPythonsWithTheGil) {
  const std::vector<UvPython> pythons = parse_uv_pythons(R"([
    {"key":"cpython-3.13.2+freethreaded-linux-x86_64-gnu","version":"3.13.2","path":null,"symlink":null,
     "url":"https://example.org/t.tar.gz","os":"linux","variant":"freethreaded","implementation":"cpython"},
    {"key":"cpython-3.13.2-linux-x86_64-gnu","version":"3.13.2","path":null,
     "url":"https://me:secret@example.org/a%2B1.tar.gz","os":"linux","variant":"default","implementation":"cpython"},
    {"key":"cpython-3.11.2-linux-x86_64-gnu","version":"3.11.2","path":"/usr/bin/python3.11","url":null,
     "variant":"default","implementation":"cpython"},
    {"key":"pypy-3.11.1-linux-x86_64-gnu","version":"3.11.1","url":"https://example.org/p.tar.gz",
     "variant":"default","implementation":"pypy"}])");
  ASSERT_EQ(pythons.size(), 1u);
  EXPECT_EQ(pythons[0].key, "cpython-3.13.2-linux-x86_64-gnu");
  EXPECT_EQ(pythons[0].version, "3.13.2");
  EXPECT_EQ(pythons[0].url, "https://example.org/a%2B1.tar.gz");
}

TEST(UvPythons, WhatIsNoListIsRefused) {
  for (const char* text : {"", "{}", "[1]", "[{\"implementation\":\"cpython\",\"url\":\"x\"}]", "warning: x"})
    EXPECT_THROW(parse_uv_pythons(text), Error) << text;
}

}  // namespace
}  // namespace veneer::python
