#include "debian/package_need.hh"

#include <algorithm>
#include <array>

namespace veneer::debian {

namespace {

struct Row {
  std::string_view package;
  PackageNeed need;
};

constexpr PackageNeed base = {Need::in_every_base, "the base has it"};
constexpr PackageNeed downloads = {Need::for_downloads, "it is for downloads while the image is built"};
constexpr PackageNeed compiling = {Need::for_builds, "it is for compiling"};
constexpr PackageNeed sources = {Need::for_builds, "it is for versions and downloads while the image is built"};
constexpr PackageNeed archives = {Need::for_builds, "it is for apt"};
constexpr PackageNeed keys = {Need::for_builds, "it is for keys of archives"};
constexpr PackageNeed installing = {Need::for_builds, "it is for installing what uv.lock brings"};
constexpr PackageNeed headers = {Need::for_builds,
                                 "it is for compiling; libraries that the wheels need are added by themselves"};
constexpr PackageNeed reading = {Need::for_builds, "it is documentation"};

constexpr auto rows = std::to_array<Row>({
    {"apt-transport-https", archives},
    {"apt-utils", archives},
    {"autoconf", compiling},
    {"automake", compiling},
    {"binutils", compiling},
    {"bison", compiling},
    {"build-essential", compiling},
    {"ca-certificates", base},
    {"cargo", compiling},
    {"clang", compiling},
    {"cmake", compiling},
    {"cpp", compiling},
    {"curl", downloads},
    {"dirmngr", keys},
    {"dpkg-dev", compiling},
    {"flex", compiling},
    {"g++", compiling},
    {"gcc", compiling},
    {"gfortran", compiling},
    {"git", sources},
    {"gnupg", keys},
    {"gnupg2", keys},
    {"gpg", keys},
    {"libtool", compiling},
    {"lsb-release", archives},
    {"make", compiling},
    {"meson", compiling},
    {"netbase", base},
    {"ninja-build", compiling},
    {"patch", compiling},
    {"pipx", installing},
    {"pkg-config", compiling},
    {"pkgconf", compiling},
    {"python3", base},
    {"python3-dev", compiling},
    {"python3-distutils", installing},
    {"python3-minimal", base},
    {"python3-pip", installing},
    {"python3-setuptools", installing},
    {"python3-venv", installing},
    {"python3-virtualenv", installing},
    {"python3-wheel", installing},
    {"rustc", compiling},
    {"software-properties-common", archives},
    {"swig", compiling},
    {"tzdata", base},
    {"unzip", downloads},
    {"wget", downloads},
    {"xz-utils", downloads},
});
static_assert(std::ranges::is_sorted(rows, {}, &Row::package));

constexpr std::array<std::string_view, 5> compilers = {"clang-", "g++-", "gcc-", "gfortran-", "llvm-"};

}  // namespace

PackageNeed need_of(std::string_view package) {
  const auto row = std::ranges::lower_bound(rows, package, {}, &Row::package);
  if (row != rows.end() && row->package == package) return row->need;
  const auto starts = [&](std::string_view start) { return package.starts_with(start); };
  // "gcc-12-base" holds texts that libgcc's package wants.
  if (std::ranges::any_of(compilers, starts) && !package.ends_with("-base")) return compiling;
  if (package.ends_with("-dev")) return headers;
  if (package.ends_with("-doc")) return reading;
  return {};
}

}  // namespace veneer::debian
