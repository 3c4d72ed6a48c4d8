#include "build/recorded_facts.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::build {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr const char* site = "app/.venv/lib/python3.11/site-packages";

python::Claims claims(const std::string& name, const std::vector<std::string>& paths) {
  python::Claims result{name, {}};
  for (const std::string& path : paths) result.files.push_back({"app/.venv/" + path, 0644, "sha256:00"});
  return result;
}

auto places(const std::string& name, const std::vector<std::string>& paths) {
  return places_of(claims(name, paths), "app/.venv", site);
}

TEST(RecordedFacts, PlacesAreTwoNamesLongAtMost) {
  const std::string lib = "lib/python3.11/site-packages/";
  EXPECT_THAT(places("py-yaml", {lib + "py_yaml/a.py", lib + "py_yaml-1.0.dist-info/RECORD"}), Optional(IsEmpty()));
  EXPECT_THAT(places("numpy", {lib + "numpy/a/b.py", lib + "numpy.libs/x.so", "bin/f2py", "share/man/man1/f2py.1",
                               "share/man/man1/g.1"}),
              Optional(ElementsAre("bin/f2py", "numpy.libs", "share/man")));
  EXPECT_THAT(places("six", {lib + "six.py"}), Optional(ElementsAre("six.py")));
  // Where another one may have a folder, or elsewhere: nothing is told.
  EXPECT_EQ(places("odd", {"share"}), std::nullopt);
  EXPECT_EQ(places_of({"odd", {{"etc/odd", 0644, ""}}}, "app/.venv", site), std::nullopt);
  EXPECT_FALSE(fit_a_record({"a,b"}));
  EXPECT_FALSE(fit_a_record(std::vector<std::string>(9, "a")));
  EXPECT_TRUE(fit_a_record({}));
}

TEST(RecordedFacts, ThoseMeetThatShareAPlaceOrAName) {
  const std::vector<std::string> none;
  const std::vector<std::string> google = {"google"};
  const std::vector<std::string> program = {"bin/x"};
  const std::vector<Placed> told = {{"a", &none}, {"b-c", &none}, {"d", &google}, {"e", &program}};
  const std::vector<std::string> taken = {"b_c", "bin/x"};
  EXPECT_THAT(meet(told, std::vector<Placed>{{"new", &taken}}), ElementsAre(false, true, false, true));
  EXPECT_THAT(meet(told, std::vector<Placed>{{"google", &none}}), ElementsAre(false, false, true, false));
  EXPECT_THAT(meet(told, {}), ElementsAre(false, false, false, false));
}

TEST(RecordedFacts, NeedsComeBackAsFarAsTheyMatter) {
  const python::WheelNeeds needs{
      {"libc.so.6", "libpq.so.5"}, {"libpq-9b38f5e3.so.5", "libz.so"}, {"pango", "odd name"}};
  plan::MemberFacts facts;
  ASSERT_TRUE(put_needs(needs, std::vector<std::string>{"libpq.so.5"}, facts));
  EXPECT_EQ(recorded_needs(facts), (python::WheelNeeds{{"libpq.so.5"}, {"libpq-9b38f5e3.so.5"}, {"pango"}}));
  put_no_needs(facts);
  EXPECT_EQ(recorded_needs(facts), std::nullopt);
  EXPECT_FALSE(put_needs({std::vector<std::string>(50, "libx.so"), {}, {}}, {}, facts));
}

TEST(RecordedFacts, AreThoseOfTheWheelThatIsMeant) {
  plan::PlanRecord record;
  record.facts[{"numpy", 7}].wheel = wheel_mark("wheel 1");
  EXPECT_NE(find_facts(record, "numpy", wheel_mark("wheel 1")), nullptr);
  EXPECT_EQ(find_facts(record, "numpy", wheel_mark("wheel 2")), nullptr);
  EXPECT_EQ(find_facts(record, "num", wheel_mark("wheel 1")), nullptr);
}

}  // namespace
}  // namespace veneer::build
