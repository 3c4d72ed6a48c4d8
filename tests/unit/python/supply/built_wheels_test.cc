#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "python/supply/app_wheel.hh"
#include "python/supply/uv_build.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BuiltWheelsTest : public testing::Test {
 protected:
  /// A build that takes no uv: the wheel of pkg, by another file name if need be.
  BuiltWheels::Build build(std::string file_name = "pkg-1.0-py3-none-any.whl") {
    return [this, file_name](const fs::path& output, const fs::path&) {
      ++builds_;
      const auto wheel = tests::WheelBuilder().add("pkg/__init__.py", "x = 1\n").build();
      std::string text(wheel->size(), '\0');
      wheel->read_at(0, std::as_writable_bytes(std::span(text)));
      write_text_file(output / file_name, text);
    };
  }
  BuiltWheels::Judge judge(const std::string& name = "pkg") const {
    return [this, name](const fs::path& wheel) { judge_built_wheel(wheel, name, target_); };
  }
  std::string refusal(const BuiltWheels::Build& make, const BuiltWheels::Judge& judge) {
    try {
      BuiltWheels(folder_.path()).get(key_, make, judge, here_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".whl") names.push_back(entry.path().filename());
    }
    return names;
  }

  TemporaryFolder folder_{fs::temp_directory_path(), "veneer-built-test-"};
  Hash key_ = sha256("key");
  Target target_{.major = 3, .minor = 11, .full_version = "3.11.2", .libc = {}, .machine = "x86_64", .interpreter = {}};
  int builds_ = 0;
  BuiltWheels::KeyOf here_ = [this](const WheelTags&) { return key_; };
};

TEST_F(BuiltWheelsTest, BuildsOnce) {
  EXPECT_EQ(BuiltWheels(folder_.path()).get(key_, build(), judge(), here_).origin, BuildOrigin::built);
  EXPECT_EQ(BuiltWheels(folder_.path()).get(key_, build(), judge(), here_).origin, BuildOrigin::cache);
  EXPECT_EQ(builds_, 1);
}

TEST_F(BuiltWheelsTest, WhatIsNotFitIsNotKept) {
  EXPECT_THAT(refusal(build("pkg-1.0-cp311-cp311-linux_aarch64.whl"), judge()), HasSubstr("linux_aarch64"));
  EXPECT_THAT(refusal(build("pkg-1.0-cp312-cp312-linux_x86_64.whl"), judge()), HasSubstr("cp312"));
  EXPECT_THAT(refusal(build(), judge("other")), HasSubstr("is of pkg, not of other"));
  const BuiltWheels::Build half = [](const fs::path& output, const fs::path&) {
    write_text_file(output / "pkg-1.0-py3-none-any.whl", "PK");
  };
  EXPECT_NE(refusal(half, judge()), "no error");
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_EQ(refusal(build(), judge()), "no error");
}

TEST_F(BuiltWheelsTest, WhatIsDamagedIsBuiltAgain) {
  std::vector<fs::path> said;
  const auto files = std::make_shared<KeptFiles>(
      folder_.path() / "known", [&](const fs::path& path, const std::string&) { said.push_back(path); });
  BuiltWheels wheels(folder_.path(), files);
  const BuiltWheel first = wheels.get(key_, build(), judge(), here_);
  std::string text = read_text_file(first.path, 1 << 20);
  text[text.size() / 2] ^= 1;
  write_text_file(first.path, text);
  // What is built now has another name: the damaged one must not stay beside it.
  const BuiltWheel second = wheels.get(key_, build("pkg-1.0-py2.py3-none-any.whl"), judge(), here_);
  EXPECT_EQ(second.origin, BuildOrigin::built);
  EXPECT_THAT(said, ElementsAre(first.path));
  EXPECT_THAT(kept(), ElementsAre("pkg-1.0-py2.py3-none-any.whl"));
  EXPECT_EQ(wheels.get(key_, build(), judge(), here_).origin, BuildOrigin::cache);
}

}  // namespace
}  // namespace veneer::python
