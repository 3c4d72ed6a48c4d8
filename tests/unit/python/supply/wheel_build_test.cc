#include "python/supply/wheel_build.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "foundation/error.hh"
#include "tests/support/project_folder.hh"
#include "tests/unit/python/supply/tiny_project.hh"

namespace veneer::python {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::ProjectFolder;

/// This machine itself, but for what is seen in a sandbox.
class WorkshopHere : public Workshop {
 public:
  explicit WorkshopHere(fs::path kept) : kept_(std::move(kept)) {}
  std::string request_key() const override { return "gcc"; }
  std::string content_key() const override { return is_open_ ? "gcc 12" : request_key(); }
  bool is_compiled(const std::string& name) const override { return compiled_.contains(name); }
  void note_compiled(const std::string& name) override { compiled_.insert(name); }
  Place open() override {
    is_open_ = true;
    ++opened_;
    return {
        "/", {"sh", "-c", "while [ \"$1\" != -- ]; do shift; done; shift; cd \"$1\"; shift; exec \"$@\"", "sh"}, kept_};
  }
  int opened() const { return opened_; }

 private:
  fs::path kept_;
  std::set<std::string> compiled_;
  bool is_open_ = false;
  int opened_ = 0;
};

class WheelBuildTest : public testing::Test {
 protected:
  void SetUp() override {
    VENEER_NEEDS_UV();
    uv_ = find_uv(tests::uv_path());
    uv_.say = [this](const std::string& text) { said_.push_back(text); };
    folder_.write("pyproject.toml", telling_project);
    folder_.write("backend.py", telling_back_end);
  }
  static Target python(int minor) {
    return {.major = 3,
            .minor = minor,
            .full_version = "3." + std::to_string(minor) + ".0",
            .libc = {},
            .machine = "x86_64",
            .interpreter = "/usr/bin/python3"};
  }
  BuiltWheel build(const Target& target) {
    BuiltWheels cache(folder_.beside("cache"));
    const auto prepare = [&](const fs::path& scratch) {
      ++prepared_;
      UvBuild build;
      build.source = folder_.path();
      build.ceiling = scratch;
      return build;
    };
    return build_wheel({sha256(source_), "tiny", "", prepare}, target, uv_, cache);
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.beside("cache") / "built")) {
      if (entry.path().extension() == ".whl") names.push_back(entry.path().filename());
    }
    return names;
  }
  static std::string told(const BuiltWheel& wheel) {
    const archive::ZipReader reader(std::make_shared<File>(wheel.path));
    for (const archive::ZipEntry& entry : reader.entries()) {
      if (entry.name == "tiny.json") return std::string(as_text(read_all(*reader.open(entry), 1 << 20)));
    }
    return "";
  }

  ProjectFolder folder_;
  UvProgram uv_;
  std::vector<std::string> said_;
  std::string source_ = "tiny";
  int prepared_ = 0;
};

TEST_F(WheelBuildTest, AWheelForEveryPythonIsBuiltByAnyAndOnce) {
  const BuiltWheel wheel = build(python(99));  // no machine has it, and no index
  EXPECT_EQ(wheel.path.filename(), "tiny-1.0-py3-none-any.whl");
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_EQ(build(python(98)).origin, BuildOrigin::cache);
  Target arm = python(97);
  arm.machine = "aarch64";
  EXPECT_EQ(build(arm).origin, BuildOrigin::cache);
}

TEST_F(WheelBuildTest, OneWithOtherTagsOfTheWrongPythonIsRefusedAndNotKept) {
  folder_.write("tag", "MINOR-MINOR-linux_x86_64");
  try {
    build(python(99));
    FAIL() << "it was built";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("Python 3.99 must build it"));
    EXPECT_THAT(error.hint(), HasSubstr("uv python install 3.99"));
  }
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(WheelBuildTest, OneWithOtherTagsIsBuiltInTheWorkshop) {
  const auto workshop = std::make_shared<WorkshopHere>(folder_.beside("kept"));
  uv_.workshop = workshop;
  build(python(99));
  EXPECT_EQ(workshop->opened(), 0) << "not needed for a wheel without compiled parts";
  folder_.write("tag", "py3-none-linux_x86_64");
  fs::remove_all(folder_.beside("cache"));
  const BuiltWheel wheel = build(python(99));
  EXPECT_EQ(wheel.origin, BuildOrigin::built);
  EXPECT_EQ(workshop->opened(), 1);
  EXPECT_THAT(told(wheel), HasSubstr("\"CARGO_TARGET_DIR\": \"" + folder_.beside("kept").native() + "/cargo/tiny\""));
  EXPECT_THAT(kept(), ElementsAre("tiny-1.0-py3-none-linux_x86_64.whl"));
  EXPECT_EQ(build(python(99)).origin, BuildOrigin::cache);
  EXPECT_EQ(workshop->opened(), 1);
  // What is known to be compiled is not built twice.
  prepared_ = 0;
  source_ = "tiny, edited";
  EXPECT_EQ(build(python(99)).origin, BuildOrigin::built);
  EXPECT_EQ(prepared_, 1);
  source_ = "tiny";
  // For another Python it is another wheel, and so it is without the workshop.
  EXPECT_EQ(build(python(98)).origin, BuildOrigin::built);
}

}  // namespace
}  // namespace veneer::python
