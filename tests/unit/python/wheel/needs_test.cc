#include "python/wheel/needs.hh"

#include <gmock/gmock.h>

#include "tests/support/elf_samples.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::WheelBuilder;

WheelNeeds needs(const WheelBuilder& builder, std::string_view machine = "x86_64") {
  return needs_of(open_wheel(builder.build(), builder.file_name()), machine, std::filesystem::temp_directory_path());
}

std::string sample(const std::string& name) { return std::string(as_text(elf_sample(name))); }

TEST(WheelNeeds, AreLibrariesThatAreNotInTheWheel) {
  const WheelNeeds alone = needs(WheelBuilder().add("pkg/_user.so", sample("user")));
  EXPECT_THAT(alone.libraries, testing::Contains("libone.so.1"));
  EXPECT_THAT(alone.brings, ElementsAre("_user.so"));
  const WheelNeeds both =
      needs(WheelBuilder().add("pkg/_user.so", sample("user")).add("pkg.libs/libone-ab12.so.1", sample("library")));
  EXPECT_THAT(both.libraries, testing::Not(testing::Contains("libone.so.1")));
  EXPECT_THAT(both.brings, ElementsAre("_user.so", "libone-ab12.so.1", "libone.so.1"));
}

TEST(WheelNeeds, DoNotCountFilesOfOtherMachinesAndWhatIsNoElf) {
  EXPECT_EQ(needs(WheelBuilder().add("pkg/_user.so", sample("user")), "aarch64"), WheelNeeds());
  EXPECT_EQ(needs(WheelBuilder()
                      .add("pkg/x.so", "GROUP ( libc.so.6 )")
                      .add("pkg/y.so",
                           "\x7f"
                           "ELF")),
            WheelNeeds());
  EXPECT_EQ(needs(WheelBuilder().add("pkg/_user.so", sample("user").substr(0, 200))).libraries,
            std::vector<std::string>());
}

TEST(WheelNeeds, HaveWhatSourcesAskFor) {
  const WheelNeeds found = needs(WheelBuilder().add("pkg/a.py", "find_library('pq')\n").add("pkg/b.txt", "CDLL('x')"));
  EXPECT_THAT(found.asks_for, ElementsAre("pq"));
  EXPECT_EQ(needs_from_text(needs_to_text(found)), found);
  EXPECT_FALSE(needs_from_text("needs libx.so\n"));
}

TEST(LibrariesAskedFor, AreLiteralsOfTheCallsThatOpenLibraries) {
  EXPECT_THAT(libraries_asked_for("x = ctypes.util.find_library(\"pq\")\ny = CDLL('libmagic.so.1', mode=2)"),
              ElementsAre("pq", "libmagic.so.1"));
  EXPECT_THAT(libraries_asked_for("pango = _dlopen(\n  ffi, 'libpango-1.0-0',  # or ')'\n  ('pango-1.0',),\n)\n'no'"),
              ElementsAre("libpango-1.0-0", "pango-1.0"));
  EXPECT_THAT(libraries_asked_for("cdll.LoadLibrary(find_library('a b'))"), IsEmpty());
  EXPECT_THAT(libraries_asked_for("CDLL(name)\nprint('x')\nmy_find_library('z')\nfind_library('unclosed"), IsEmpty());
}

}  // namespace
}  // namespace veneer::python
