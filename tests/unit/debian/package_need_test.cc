#include "debian/package_need.hh"

#include <gtest/gtest.h>

#include <string>

namespace veneer::debian {
namespace {

TEST(PackageNeed, IsReadOffTheName) {
  const struct {
    std::string package;
    Need need;
  } cases[] = {
      {"gcc", Need::for_builds},
      {"gcc-12", Need::for_builds},
      {"gcc-12-base", Need::perhaps_to_run},
      {"libpq-dev", Need::for_builds},
      {"libpq5", Need::perhaps_to_run},
      {"python3-doc", Need::for_builds},
      {"curl", Need::for_downloads},
      {"tzdata", Need::in_every_base},
      {"apt-transport-https", Need::for_builds},
      {"xz-utils", Need::for_downloads},
      {"fonts-dejavu", Need::perhaps_to_run},
      {"", Need::perhaps_to_run},
      {"gccgo", Need::perhaps_to_run},
      {"zzz", Need::perhaps_to_run},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(need_of(one.package).need, one.need) << one.package;
    EXPECT_EQ(need_of(one.package).why.empty(), one.need == Need::perhaps_to_run) << one.package;
  }
}

}  // namespace
}  // namespace veneer::debian
