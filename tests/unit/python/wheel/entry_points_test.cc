#include "python/wheel/entry_points.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

TEST(ParseEntryPoints, ReadsBothGroupsSortedByName) {
  EXPECT_THAT(parse_entry_points("[console_scripts]\nb = pkg:main\n[gui_scripts]\na = pkg.gui:App.run\n"),
              ElementsAre(EntryPoint{"a", "pkg.gui", "App.run"}, EntryPoint{"b", "pkg", "main"}));
}

TEST(ParseEntryPoints, PassesOverCommentsSpacesAndExtras) {
  const EntryPoint expected{"a-b.c", "pkg.x", "main"};
  for (const std::string_view text :
       {"# c\n[console_scripts]\n  a-b.c  =  pkg.x : main  \n; d\n", "[console_scripts]\r\na-b.c = pkg.x:main\r\n",
        "[ console_scripts ] ; here\na-b.c=pkg.x:main[extra, other]", "[console_scripts]\na-b.c = pkg.x:main [gui]\n",
        "[console_scripts]\n\ta-b.c\t=\tpkg.x:main # comment\n"}) {
    EXPECT_THAT(parse_entry_points(text), ElementsAre(expected)) << text;
  }
}

TEST(ParseEntryPoints, LetsTheLastOfEqualNamesStand) {
  EXPECT_THAT(parse_entry_points("[console_scripts]\na = p:one\na = p:two\n"),
              ElementsAre(EntryPoint{"a", "p", "two"}));
  EXPECT_THAT(parse_entry_points("[gui_scripts]\na = p:gui\n[console_scripts]\na = p:console\n"),
              ElementsAre(EntryPoint{"a", "p", "gui"}));
}

TEST(ParseEntryPoints, KeepsTheCaseOfNames) {
  EXPECT_THAT(parse_entry_points("[console_scripts]\nPkg = p:a\npkg = p:b\n"),
              ElementsAre(EntryPoint{"Pkg", "p", "a"}, EntryPoint{"pkg", "p", "b"}));
}

TEST(ParseEntryPoints, LeavesOtherGroupsAlone) {
  EXPECT_THAT(
      parse_entry_points("stray\n[pytest11]\nwhatever\n  a: b\n[Console_Scripts]\na = p:m\n[console_scripts]\n"),
      IsEmpty());
}

TEST(ParseEntryPoints, RefusesWhatIsNoCommand) {
  const auto parse = [](std::string_view line) {
    return [line] { parse_entry_points("[console_scripts]\n" + std::string(line) + "\n"); };
  };
  for (const std::string_view bad : {"a = p", "a = p:", "a = :m", "a =", "a = p:m(x)", "a = p q:m", "a = p:m [x",
                                     "a = \"p:m\"", "a = p:m=x", "a = p:m,import os"}) {
    EXPECT_THAT(parse(bad), ThrowsMessage<Error>(HasSubstr("not of the form module:attribute"))) << bad;
  }
  EXPECT_THAT(parse("junk"), ThrowsMessage<Error>(HasSubstr("no value")));
  EXPECT_THAT(parse("[junk"), ThrowsMessage<Error>(HasSubstr("closing bracket")));
  EXPECT_THAT(parse("\xe9 = p:m"), ThrowsMessage<Error>(HasSubstr("not UTF-8")));
}

TEST(ParseEntryPoints, RefusesNamesThatLeadOutOfTheFolder) {
  for (const std::string name : {"../../evil", "/tmp/evil", "..", ".", "", "a/b", ".wh.x", "a\tb\x01"}) {
    EXPECT_THROW(parse_entry_points("[console_scripts]\n" + name + " = p:m\n"), Error) << name;
  }
  EXPECT_THROW(parse_entry_points("[console_scripts]\n" + std::string(256, 'n') + " = p:m\n"), Error);
}

TEST(Launcher, IsTheTextThatUvWrites) {
  EXPECT_EQ(launcher({"pkg", "pkg.cli", "App.run"}, "/app/.venv/bin/python"),
            "#!/app/.venv/bin/python\n"
            "# -*- coding: utf-8 -*-\n"
            "import sys\n"
            "from pkg.cli import App\n"
            "if __name__ == \"__main__\":\n"
            "    if sys.argv[0].endswith(\"-script.pyw\"):\n"
            "        sys.argv[0] = sys.argv[0][:-11]\n"
            "    elif sys.argv[0].endswith(\".exe\"):\n"
            "        sys.argv[0] = sys.argv[0][:-4]\n"
            "    sys.exit(App.run())\n");
}

TEST(InterpreterLine, IsPlainWhileTheKernelTakesIt) {
  const std::string longest = "/" + std::string(123, 'p');  // 127 bytes with "#!" and the line break
  EXPECT_EQ(interpreter_line(longest), "#!" + longest + "\n");
  EXPECT_EQ(interpreter_line(longest + "p"), "#!/bin/sh\n'''exec' '" + longest + "p' \"$0\" \"$@\"\n' '''\n");
  EXPECT_EQ(interpreter_line("/a b/it's"), "#!/bin/sh\n'''exec' '/a b/it'\"'\"'s' \"$0\" \"$@\"\n' '''\n");
}

TEST(RewritePlaceholderLine, ReplacesTheWholeFirstLine) {
  for (const std::string_view start : {"#!python\n", "#!pythonw -s\n", "#!python3.11 -E\r\n", "#!python\r"}) {
    const std::string script = std::string(start) + "print(1)\r\n";
    ASSERT_TRUE(has_placeholder_line(script));
    EXPECT_EQ(rewrite_placeholder_line(script, "/v/bin/python"), "#!/v/bin/python\nprint(1)\r\n") << start;
  }
  EXPECT_EQ(rewrite_placeholder_line("#!python", "/v/bin/python"), "#!/v/bin/python\n");
  for (const std::string_view other : {"#! python\n", "#!/usr/bin/python\n", "#!/bin/sh\n", "",
                                       "\x7f"
                                       "ELF"}) {
    EXPECT_FALSE(has_placeholder_line(other)) << other;
  }
}

TEST(IsInterpreterName, KnowsTheNamesOfInterpreters) {
  for (const std::string_view name : {"python", "Python", "PYTHON3", "pythonw", "python3", "python3.11", "python3.13t",
                                      "python3.123", "python.exe", "pypy", "pypy3", "graalpy"}) {
    EXPECT_TRUE(is_interpreter_name(name)) << name;
  }
  for (const std::string_view name : {"python2", "python-config", "python3.", "python3.t", "python3-config", "ipython",
                                      "pythonic", "python310", "pypy3.10", "py", ""}) {
    EXPECT_FALSE(is_interpreter_name(name)) << name;
  }
}

}  // namespace
}  // namespace veneer::python
