#include "python/project/project.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tests/support/project_folder.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* metadata = "[project]\nname = \"My_App\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\n";

Project parse(const std::string& veneer) { return parse_project(metadata + veneer, "/p"); }

/// Message and hint of the error that `veneer` gives.
std::string refusal(const std::string& veneer) {
  try {
    parse(veneer);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

TEST(Project, ReadsEverything) {
  const Project project = parse_project(R"(
[build-system]
requires = ["setuptools>=64", "Setuptools_SCM[toml]>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "My_App"
dynamic = ["version"]
requires-python = ">=3.11"
[tool.uv]
build-constraint-dependencies = ["setuptools==80.10.2"]
[[tool.uv.index]]
name = "inner"
url = "https://index.example/simple"
[tool.veneer]
base = "debian:bookworm"
extras = ["Extra_One"]
groups = ["web"]
package = "Member.One"
python = "3.11"
[tool.veneer.system]
packages = ["tzdata", "libpango-1.0-0", "tzdata"]
snapshot = "20260101T000000Z"
mirror = "http://mirror.example/debian"
[tool.veneer.image]
name = "registry.example/my/app"
tag = "v1"
entrypoint = ["python", "main.py"]
cmd = ["--help"]
env = { A = "1", B = "" }
expose = ["8080", "53/udp"]
user = "1001"
workdir = "/srv//app/"
labels = { "org.opencontainers.image.title" = "x" }
files = [{ from = "./main.py", to = "/srv/app/main.py", mode = "0755" }, { from = "scripts/", to = "/srv/app/scripts" }]
empty_files = ["/srv/app/log"]
writable = ["/srv/data/"]
)",
                                        "/p");
  EXPECT_EQ(project.name, "my-app");
  EXPECT_EQ(project.version, "");
  EXPECT_EQ(project.version_plugin, "setuptools-scm");
  EXPECT_TRUE(project.is_package);
  EXPECT_EQ(project.requires_python, ">=3.11");
  EXPECT_THAT(project.build_constraints, ElementsAre("setuptools==80.10.2"));
  EXPECT_EQ(project.indexes.at(0).name, "inner");
  EXPECT_EQ(project.base->suite, "bookworm");
  EXPECT_THAT(project.extras, ElementsAre("extra-one"));
  EXPECT_EQ(project.package, "member-one");
  EXPECT_EQ(project.python, "3.11");
  EXPECT_THAT(project.system.packages, ElementsAre("libpango-1.0-0", "tzdata"));
  EXPECT_EQ(project.system.snapshot, "20260101T000000Z");
  EXPECT_EQ(project.image.user, 1001u);
  EXPECT_EQ(project.image.group, 1001u);
  EXPECT_EQ(project.image.workdir, "/srv/app");
  EXPECT_THAT(project.image.expose, ElementsAre("8080", "53/udp"));
  EXPECT_EQ(project.image.environment.at("B"), "");
  EXPECT_EQ(project.image.files.at(0).from, "main.py");
  EXPECT_EQ(project.image.files.at(0).mode, 0755u);
  EXPECT_EQ(project.image.files.at(1).from, "scripts");
  EXPECT_FALSE(project.image.files.at(1).mode);
  EXPECT_THAT(project.image.writable, ElementsAre("/srv/data"));
}

TEST(Project, ReadsWhatPreparesFiles) {
  const Project project = parse(R"(
[[tool.veneer.prepare]]
command = ["python", "manage.py", "collectstatic"]
outputs = ["/app/static/", "/app/locale"]
env = { SECRET_KEY = "x" }
[[tool.veneer.prepare]]
command = ["make-index"]
outputs = ["/app/index"]
inputs = ["./data/", "make.py"]
)");
  ASSERT_EQ(project.prepare.size(), 2U);
  EXPECT_THAT(project.prepare[0].command, ElementsAre("python", "manage.py", "collectstatic"));
  EXPECT_THAT(project.prepare[0].outputs, ElementsAre("/app/locale", "/app/static"));
  EXPECT_EQ(project.prepare[0].environment.at("SECRET_KEY"), "x");
  EXPECT_FALSE(project.prepare[0].inputs);
  EXPECT_THAT(*project.prepare[1].inputs, ElementsAre("data", "make.py"));
  const std::string begin = "[[tool.veneer.prepare]]\n";
  for (const char* keys :
       {"command = []\noutputs = ['/a']", "outputs = ['/a']", "command = ['x']", "command = ['x']\noutputs = ['a']",
        "command = ['x']\noutputs = ['/']", "command = ['x']\noutputs = ['/a/../b']",
        "command = ['x']\noutputs = ['/a', '/a/b']", "command = ['x']\noutputs = ['/a']\ninputs = ['../b']",
        "command = 'x'\noutputs = ['/a']", "command = ['x']\noutputs = ['/a']\nenv = { 'A=B' = '' }",
        "command = ['x']\noutputs = ['/a']\nother = 1"}) {
    EXPECT_THROW(parse(begin + keys), Error) << keys;
  }
  std::string many;
  for (std::size_t i = 0; i <= most_prepare_steps; ++i) many += begin + "command = ['x']\noutputs = ['/a']\n";
  EXPECT_THROW(parse(many), Error);
}

TEST(Project, HasDefaults) {
  const Project project = parse("");
  EXPECT_EQ(project.version, "1.0");
  EXPECT_FALSE(project.is_package);
  EXPECT_FALSE(project.base);
  EXPECT_EQ(project.image.user, 1000u);
  EXPECT_EQ(project.image.workdir, "/app");
  EXPECT_EQ(project.version_plugin, "");
}

TEST(Project, IsAPackageAsUvSees) {
  EXPECT_TRUE(parse("[build-system]\nrequires = []\n").is_package);
  EXPECT_FALSE(parse("[build-system]\nrequires = []\n[tool.uv]\npackage = false\n").is_package);
  EXPECT_TRUE(parse("[tool.uv]\npackage = true\n").is_package);
}

TEST(Project, NamesUnknownKeysAndTheKnownOnes) {
  EXPECT_THAT(refusal("[tool.veneer]\nbass = \"debian:trixie\"\n"),
              AllOf(HasSubstr("[tool.veneer]"), HasSubstr("\"bass\""), HasSubstr("did you mean \"base\"?")));
  EXPECT_THAT(refusal("[tool.veneer.system]\npackages = []\nsuite = \"x\"\n"),
              AllOf(HasSubstr("[tool.veneer.system]"), HasSubstr("\"suite\""),
                    HasSubstr("apt_options, auto, exclude, mirror, packages, snapshot")));
  EXPECT_THAT(refusal("[tool.veneer.image]\nports = []\n"), AllOf(HasSubstr("\"ports\""), HasSubstr("expose")));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [{ from = \"a\", to = \"/a\", owner = \"x\" }]\n"),
              AllOf(HasSubstr("files[0]"), HasSubstr("\"owner\"")));
}

TEST(Project, ChecksTypes) {
  EXPECT_THAT(refusal("[tool.veneer]\nextras = \"a\"\n"), HasSubstr("extras: expected an array of strings"));
  EXPECT_THAT(refusal("[tool.veneer]\nbase = 1\n"), HasSubstr("base: expected a string"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nenv = [\"A=1\"]\n"), HasSubstr("env: expected a table of strings"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nenv = { A = 1 }\n"), HasSubstr("env.A"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nentrypoint = \"python main.py\"\n"), HasSubstr("entrypoint"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [\"a\"]\n"), HasSubstr("files[0] must be a table"));
  EXPECT_THAT(refusal("[tool]\nveneer = 3\n"), HasSubstr("[tool.veneer] must be a table"));
  for (const std::string number : {"0", "126", "-1", "1.5", "\"4\"", "true"}) {
    EXPECT_THAT(refusal("[tool.veneer]\ndependency_layers = " + number + "\n"),
                HasSubstr("dependency_layers: expected a number from 1 to 125"));
  }
  EXPECT_EQ(parse("[tool.veneer]\ndependency_layers = 4\n").dependency_layers, 4u);
}

TEST(Project, ChecksForms) {
  EXPECT_THAT(refusal("[tool.veneer.image]\nuser = \"app\"\n"), HasSubstr("user"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nuser = \"1000:\"\n"), HasSubstr("user"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nexpose = [\"http\"]\n"), HasSubstr("expose"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nexpose = [\"70000\"]\n"), HasSubstr("expose"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nworkdir = \"app\"\n"), HasSubstr("absolute"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nwritable = [\"/a/../b\"]\n"), HasSubstr(".."));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [{ from = \"../x\", to = \"/x\" }]\n"), HasSubstr("outside"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [{ from = \"/x\", to = \"/x\" }]\n"), HasSubstr("relative"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [{ from = \"x\" }]\n"), HasSubstr("to: is missing"));
  EXPECT_THAT(refusal("[tool.veneer.image]\nfiles = [{ from = \"x\", to = \"/x\", mode = \"rw\" }]\n"),
              HasSubstr("mode"));
  EXPECT_THAT(refusal("[tool.veneer]\npython = \"3\"\n"), HasSubstr("python"));
  EXPECT_THAT(refusal("[tool.veneer]\npython = \"2.7\"\n"), HasSubstr("python"));
  EXPECT_THAT(parse("[tool.veneer.build]\nenvironment = ['B', 'A_1', 'B']\n").build.environment,
              ElementsAre("A_1", "B"));
  EXPECT_THAT(refusal("[tool.veneer.build]\nenvironment = ['A=1']\n"), HasSubstr("not the name of a variable"));
  EXPECT_THAT(refusal("[tool.veneer.build]\nenvironment = ['TMPDIR']\n"), HasSubstr("set by veneer"));
  EXPECT_THAT(refusal("[tool.veneer.system]\nsnapshot = \"2026-01-01\"\n"), HasSubstr("snapshot"));
}

// Package names and mirror become words of commands that run as root.
TEST(Project, LetsNothingButPackageNamesThrough) {
  for (const char* name :
       {"a", "Tzdata", "tz data", "x;reboot", "-o=x", "$(x)", "tzdata=1;x", "tzdata:", "tzdata=", "../x"}) {
    EXPECT_THAT(refusal("[tool.veneer.system]\npackages = ['" + std::string(name) + "']\n"), HasSubstr("packages"))
        << name;
  }
  EXPECT_EQ(parse("[tool.veneer.system]\npackages = ['g++', 'libc6:amd64', 'x11-apps=7.7+9~b1', 'libfoo0=1:2.0-1']\n")
                .system.packages.size(),
            4u);
  for (const char* mirror : {"mirror.example", "http://a b", "http://x/'; reboot", "http://[trusted=yes]"}) {
    EXPECT_THAT(refusal("[tool.veneer.system]\nmirror = \"" + std::string(mirror) + "\"\n"), HasSubstr("mirror"))
        << mirror;
  }
}

TEST(Project, ReadsWhatTheSystemIsToHave) {
  const SystemOptions plain = parse("").system;
  EXPECT_TRUE(plain.automatic);
  const SystemOptions system = parse(
                                   "[tool.veneer.system]\npackages = ['b1', 'a1']\nexclude = ['libgl1']\nauto = false\n"
                                   "apt_options = ['Acquire::Check-Valid-Until \"false\"']\n")
                                   .system;
  EXPECT_EQ(system.packages, (std::vector<std::string>{"a1", "b1"}));
  EXPECT_EQ(system.exclude, std::vector<std::string>{"libgl1"});
  EXPECT_FALSE(system.automatic);
  EXPECT_EQ(system.apt_options, std::vector<std::string>{"Acquire::Check-Valid-Until \"false\""});
  const auto refused = [](const std::string& text) { return refusal("[tool.veneer.system]\n" + text + "\n"); };
  EXPECT_THAT(refused("auto = 'no'"), HasSubstr("auto: is neither true nor false"));
  EXPECT_THAT(refused("exclude = ['libgl1=1']"), HasSubstr("more than a name"));
  EXPECT_THAT(refused("exclude = ['libgl1']\npackages = ['libgl1']"), HasSubstr("also in packages"));
  for (const char* option : {"'Check-Valid-Until'", "'A::B \"x\";'", "\"A::B\\nC::D\""}) {
    EXPECT_THAT(refused(std::string("apt_options = [") + option + "]"), HasSubstr("apt_options")) << option;
  }
}

TEST(Project, NeedsMetadata) {
  EXPECT_THROW(parse_project("[tool.veneer]\n", "/p"), Error);
  EXPECT_THROW(parse_project("[project]\nversion = \"1\"\n", "/p"), Error);
}

TEST(BaseChoice, IsADebianSuiteOrTheNameOfAnImage) {
  EXPECT_EQ(parse_base_choice("debian:trixie").suite, "trixie");
  for (const char* text :
       {"oci:some/dir:v1.2", "docker-archive:/x/y.tar", "docker:debian:bookworm", "debian", "python:3"}) {
    EXPECT_EQ(parse_base_choice(text).suite, "") << text;
    EXPECT_EQ(parse_base_choice(text).text, text);
  }
  for (const char* text : {"", "debian:", "debian:a b", "debian:bookworm@sha256:00", "oci:a\nb"}) {
    EXPECT_THROW(parse_base_choice(text), Error) << text;
  }
}

TEST(FindLock, LooksAtTheWorkspacesRoot) {
  tests::ProjectFolder folder;
  folder.write("packages/app/pyproject.toml", "[project]\nname = \"app\"\n");
  const std::filesystem::path member = folder.path() / "packages" / "app";
  try {
    find_lock(member);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.hint(), "run: uv lock");
  }
  folder.write("uv.lock", "version = 1\n");
  folder.write("pyproject.toml", "[project]\nname = \"root\"\n");
  EXPECT_THROW(find_lock(member), Error) << "no workspace";
  folder.write("pyproject.toml", "[project]\nname = \"root\"\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n");
  EXPECT_EQ(find_lock(member), folder.path() / "uv.lock");
  folder.write("packages/app/uv.lock", "version = 1\n");
  EXPECT_EQ(find_lock(member), member / "uv.lock");
}

TEST(ReadProject, NamesAMissingFile) {
  tests::ProjectFolder folder;
  try {
    read_project(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST(Project, AHealthCheckOfItsOwn) {
  const auto health = [](const std::string& text) {
    return parse_project("[project]\nname = 'a'\n[tool.veneer.image]\nhealth = " + text, "/x").image;
  };
  const ImageOptions image =
      health("{ cmd = ['curl', '-f', 'http://localhost'], interval = 30, start_period = 5, retries = 2 }");
  EXPECT_FALSE(image.wants_health);
  EXPECT_EQ(image.health.at("Test").array().size(), 4U);
  EXPECT_EQ(image.health.at("Interval").integer(), 30'000'000'000);
  EXPECT_EQ(image.health.at("StartPeriod").integer(), 5'000'000'000);
  EXPECT_EQ(image.health.at("Retries").integer(), 2);
  EXPECT_TRUE(health("true").wants_health);
  for (const char* wrong : {"{}", "{ cmd = [] }", "{ cmd = ['a'], interval = 0 }", "{ cmd = ['a'], every = 1 }", "'a'"})
    EXPECT_THROW(health(wrong), Error) << wrong;
}

TEST(Project, WhatInitWasTold) {
  const auto init = [](const std::string& text) {
    return parse_project("[project]\nname = 'a'\n[tool.veneer.init]\n" + text, "/x").init;
  };
  EXPECT_TRUE(init("").makes_workflow);
  EXPECT_FALSE(init("").weekly);
  EXPECT_TRUE(init("rebuild = 'weekly'").weekly);
  EXPECT_FALSE(init("ci = false").makes_workflow);
  EXPECT_FALSE(init("make = false").makes_makefile);
  for (const char* wrong : {"ci = 1", "rebuild = 'daily'", "docs = false"}) EXPECT_THROW(init(wrong), Error) << wrong;
}

}  // namespace
}  // namespace veneer::python
