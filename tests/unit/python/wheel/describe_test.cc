#include "python/wheel/describe.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

using tests::WheelBuilder;

TEST(Describe, GivesTheDocumentedForm) {
  WheelBuilder builder = WheelBuilder()
                             .add("pkg/a.py", "x")
                             .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = pkg:main\n");
  builder.record = "pkg/a.py," + WheelBuilder::hash_and_size("x") + "\n";
  const Value described = describe(open_wheel(builder.build(), builder.file_name()), {});
  EXPECT_EQ(described.at("name").string(), "pkg");
  EXPECT_EQ(described.at("version").string(), "1.0");
  EXPECT_EQ(to_json(described.at("scripts")), "[\"run\"]");
  const Value::Array& files = described.at("files").array();
  ASSERT_EQ(files.size(), 7U);
  EXPECT_EQ(files[0].at("path").string(), "bin/run");
  EXPECT_EQ(files[0].at("mode").string(), "0755");
  EXPECT_EQ(to_json(files[6]),
            "{\"path\":\"lib/python3.11/site-packages/pkg/a.py\",\"mode\":\"0644\",\"size\":1,\"sha256\":\"" +
                sha256(std::string_view("x")).hex() + "\"}");
  const Value::Array& findings = described.at("findings").array();
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(to_json(findings[0]),
            "{\"code\":\"record-row-missing\",\"path\":\"pkg-1.0.dist-info/METADATA\",\"message\":"
            "\"RECORD does not list pkg-1.0.dist-info/METADATA\",\"weight\":\"incomplete\"}");
}

TEST(Describe, VerifiesWhatIsNotInstalled) {
  WheelBuilder builder = WheelBuilder()
                             .add("pkg-1.0.data/scripts/run", "#!python\nold()\n")
                             .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = pkg:main\n");
  builder.record = "pkg-1.0.data/scripts/run,sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,\n";
  const Wheel wheel = open_wheel(builder.build(), builder.file_name());
  EXPECT_THROW(describe(wheel, {}), Error);
}

}  // namespace
}  // namespace veneer::python
