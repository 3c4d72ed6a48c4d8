#include "check/imports.hh"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/temporary.hh"
#include "foundation/text.hh"

namespace veneer::check {
namespace {

using testing::HasSubstr;

/// Modules in a folder of this machine, imported by its interpreter; what stands for the sandbox leaves the root away.
class Imports : public testing::Test {
 protected:
  Imports() {
    environment_.interpreter = find_program("python3", "/usr/local/bin:/usr/bin:/bin")->native().substr(1);
    run_.root = "/";
    run_.sandbox.words = {"sh", "-c", "shift; exec \"$@\"", "sh"};
    run_.environment = {{"PYTHONPATH", folder_.path().native()}, {"PATH", "/usr/bin:/bin"}};
    run_.folder = folder_.path().native();
    run_.suite = "bookworm";
  }

  void put(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
  }

  Distribution& add(const std::string& name, std::vector<std::string> modules) {
    Distribution distribution;
    distribution.name = name;
    distribution.modules = std::move(modules);
    environment_.distributions.push_back(std::move(distribution));
    return environment_.distributions.back();
  }

  /// "problem import:x" of each.
  std::vector<std::string> found() {
    findings_.clear();
    check_imports(environment_, own_, run_, findings_, {});
    std::vector<std::string> result;
    for (const Finding& finding : findings_) {
      constexpr std::array<std::string_view, 3> names = {"problem ", "note ", "detail "};
      result.push_back(std::string(names.at(static_cast<std::size_t>(finding.severity))) + finding.id);
    }
    return result;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "imports"};
  Environment environment_;
  OwnCode own_;
  ImportRun run_;
  Findings findings_;
};

TEST_F(Imports, AnEntryPointNamesWhatIsImportedFromItsModule) {
  put("pkg/__init__.py", "");
  put("pkg/cli/__init__.py", "class App:\n    def run(): pass\n");
  add("pkg", {"pkg"}).commands = {{"good", "pkg", "cli.App.run"}, {"bad", "pkg", "cli.absent"}};
  EXPECT_THAT(found(), testing::ElementsAre("detail command:bad"));
  EXPECT_THAT(findings_[0].message, HasSubstr("pkg has no cli.absent"));
}

TEST_F(Imports, WhatAnExtraWouldBringIsADetail) {
  put("httplib.py", "");
  put("httplib_cli.py", "try:\n    import clickx\nexcept ImportError:\n    raise SystemExit(1)\ndef main(): pass\n");
  put("forgetful.py", "import pkg_resources_x as pkg_resources\n");
  Distribution& http = add("httplib", {"httplib"});
  http.commands = {{"http", "httplib_cli", "main"}};
  http.requirements = {python::Requirement::parse("clickx; extra == 'cli'")};
  EXPECT_THAT(found(), testing::ElementsAre("detail command:http"));
  // The same command is what the image starts.
  own_.program = "http";
  EXPECT_THAT(found(), testing::ElementsAre("problem command:http"));
  own_.program.clear();
  add("forgetful", {"forgetful"});
  EXPECT_THAT(found(), testing::UnorderedElementsAre("detail command:http", "problem import:forgetful"));
}

TEST_F(Imports, PartsThatADistributionCanDoWithoutAreDetails) {
  put("main_part.py", "");
  put("side.py", "import absent_tool\n");
  put("old.py", "print 1\n");
  put("crash.py", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n");
  put("linked.py", "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')\n");
  add("whole", {"crash", "linked", "main_part", "old", "side"});
  EXPECT_THAT(found(), testing::UnorderedElementsAre("detail import:side", "detail import:old", "problem import:crash",
                                                     "problem import:linked"));
  for (const Finding& finding : findings_) {
    if (finding.id != "import:linked") continue;
    EXPECT_THAT(finding.message, HasSubstr("Debian's libgl1 has it"));
  }
}

TEST_F(Imports, TheProjectsOwnCodeIsJudgedStrictly) {
  put("shop/__init__.py", "");
  put("shop/web.py", "import absent_web\n");
  put("shop/extra.py", "import pytest_x\n");
  put("shop/settings.py", "import os\nKEY = os.environ['SHOP_KEY']\n");
  put("shop/testkit.py", "import nox\n");
  Distribution& shop = add("shop", {"shop"});
  shop.is_own = true;
  shop.inner_modules = {"shop.settings", "shop.testkit", "shop.web"};
  shop.commands = {{"shop", "shop", "main"}};
  EXPECT_THAT(found(), testing::UnorderedElementsAre("problem command:shop", "problem import:shop.web",
                                                     "note import:shop.settings", "detail import:shop.testkit"));
  for (const Finding& finding : findings_) {
    if (finding.id == "import:shop.settings") {
      EXPECT_THAT(finding.message, HasSubstr("wants variables that the image does not set: SHOP_KEY"));
    }
  }
}

TEST_F(Imports, WhatTheImageStarts) {
  put("main.py", "import sys\napp = 1\n");
  put("loop.py", "import absent_bot\nwhile True: pass\n");
  put("guarded.py", "import json\nvalue = json.nothere\nif __name__ == '__main__':\n    1 / 0\n");
  put("window.py", "if __name__ in {'__main__', '__mp_main__'}:\n    while True: pass\n");
  put("tool/__init__.py", "");
  put("tool/__main__.py", "from . import parts\n");
  const std::string folder = folder_.path().native();
  for (const std::string line : {"uvicorn main:app", "uvicorn main:absent", "python loop.py", "python guarded.py",
                                 "python -m tool", "python main.py", "python window.py"}) {
    for (const StartTarget& target : start_targets(split_words(line, " "), folder)) own_.starts.push_back(target);
  }
  own_.files = {folder + "/main.py"};
  EXPECT_THAT(found(), testing::ElementsAre("problem start:main:absent", "problem start:loop.py",
                                            "problem start:guarded.py", "problem start:-m tool"));
}

TEST_F(Imports, AnOverriddenRequirementOfWhatWorksIsANote) {
  put("free.py", "");
  add("free", {"free"});
  findings_.push_back({"requires:free:other", Severity::problem, "free 1 requires other, which is not installed"});
  check_imports(environment_, own_, run_, findings_, {});
  EXPECT_EQ(findings_[0].severity, Severity::note);
}

}  // namespace
}  // namespace veneer::check
