#include "python/project/base_target.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

using testing::HasSubstr;

/// Starts as an ELF file for `machine` does; texts end with a NUL, as in a real one.
std::string elf(const std::vector<std::string>& texts, char machine = 62, char word = 2) {
  std::string file =
      "\x7f"
      "ELF";
  file += word;
  file += '\x01';
  file += std::string(12, '\0');
  file += machine;
  file += std::string(5, '\0');
  for (const std::string& text : texts) file += text + '\0';
  return file;
}

class BaseTree {
 public:
  BaseTree& file(const std::string& path, const std::string& bytes) {
    tree_.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(bytes), 0755, 0, 0, 0));
    return *this;
  }
  BaseTree& link(const std::string& path, const std::string& target) {
    tree_.put(path, tree::make_symlink(target, 0, 0, 0));
    return *this;
  }
  const tree::FileTree& tree() const { return tree_; }

 private:
  tree::FileTree tree_;
};

constexpr const char* loader = "/lib64/ld-linux-x86-64.so.2";
constexpr const char* glibc = "GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.";

/// Like debian:bookworm with python3: merged /usr.
BaseTree debian() {
  BaseTree base;
  base.file("usr/lib/x86_64-linux-gnu/libc.so.6", elf({"junk", glibc}));
  base.link("lib", "usr/lib").link("bin", "usr/bin").link("usr/bin/python3", "python3.11");
  base.file("usr/bin/python3.11", elf({loader, "3.11.x", "x3.11.9", "3.11.2", "sqlite 3.11.1"}));
  base.file("usr/bin/python3.11-config", "#!/bin/sh\n");
  return base;
}

std::string refusal(const tree::FileTree& tree, const std::string& requires_python = "",
                    const std::string& wanted = "") {
  try {
    choose_target(tree, {"/bin:/usr/bin", ""}, requires_python, wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    return error.what();
  }
  return "no error";
}

TEST(FindInterpreters, ReadsDebiansPython) {
  const BaseTree base = debian();
  const auto found = find_interpreters(base.tree(), {"/usr/local/bin:/usr/bin:/bin", ""});
  ASSERT_EQ(found.size(), 1u);
  const Target& target = found[0].target;
  EXPECT_EQ(target.interpreter, "/usr/bin/python3.11");
  EXPECT_EQ(target.full_version, "3.11.2");
  EXPECT_EQ(target.minor, 11);
  EXPECT_EQ(target.machine, "x86_64");
  EXPECT_EQ(target.threading, Threading::with_gil);
  EXPECT_EQ(target.libc, (Libc{LibcKind::glibc, 2, 36}));
  EXPECT_EQ(target.library_folder(), "python3.11");
}

TEST(FindInterpreters, ReadsASharedLibpythonAndPrefersItsOwnPrefix) {
  BaseTree base = debian();
  base.file("usr/lib/libpython3.12.so.1.0", elf({"3.12.1"}));
  base.file("usr/local/lib/libpython3.12.so.1.0", elf({"3.12.7"}));
  base.file("usr/local/bin/python3.12", elf({loader}));
  base.link("usr/local/bin/python3", "python3.12").link("usr/local/bin/python", "python3");
  const auto found = find_interpreters(base.tree(), {"/usr/local/bin:/usr/bin", ""});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].target.interpreter, "/usr/local/bin/python3.12");
  EXPECT_EQ(found[0].target.full_version, "3.12.7");
  EXPECT_EQ(found[1].target.full_version, "3.11.2");
}

TEST(FindInterpreters, ReadsMusl) {
  BaseTree base;
  base.file("usr/bin/python3.12", elf({"/lib/ld-musl-aarch64.so.1", "3.12.11"}, static_cast<char>(183)));
  base.link("usr/bin/python3", "python3.12").link("lib/libc.musl-aarch64.so.1", "ld-musl-aarch64.so.1");
  base.file("lib/ld-musl-aarch64.so.1",
            elf({"musl libc (aarch64)\nVersion %s\n", "1.2.5", "1.0.0.1"}, static_cast<char>(183)));
  const auto found = find_interpreters(base.tree(), {"", ""});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].target.libc, (Libc{LibcKind::musl, 1, 2}));
  EXPECT_EQ(found[0].target.machine, "aarch64");
}

TEST(FindInterpreters, KnowsFreeThreadedBuildsByName) {
  BaseTree base = debian();
  base.file("usr/bin/python3.14t", elf({loader, "3.14.0"}));
  const auto choice = choose_target(base.tree(), {"/usr/bin", ""}, "", "");
  EXPECT_EQ(choice.chosen.target.interpreter, "/usr/bin/python3.11") << "a free-threaded one must be asked for";
  ASSERT_EQ(choice.others.size(), 1u);
  const auto wanted = choose_target(base.tree(), {"/usr/bin", ""}, "", "3.14t");
  EXPECT_EQ(wanted.chosen.target.threading, Threading::free_threaded);
  EXPECT_EQ(wanted.chosen.target.library_folder(), "python3.14t");
}

TEST(FindInterpreters, ReadsTheVersionWhereNoNameHasIt) {
  BaseTree base = debian();
  base.file("opt/py/bin/python3", elf({loader, "/opt/py/lib/python3.13", "3.13.0rc2"}));
  const auto found = find_interpreters(base.tree(), {"/opt/py/bin", ""});
  EXPECT_EQ(found.at(0).target.full_version, "3.13.0rc2");
  EXPECT_EQ(found.at(0).target.interpreter, "/opt/py/bin/python3");
}

TEST(ChooseTarget, ObeysRequiresPythonAndTheOption) {
  BaseTree base = debian();
  base.file("usr/local/bin/python3.13", elf({loader, "3.13.5"}));
  EXPECT_EQ(choose_target(base.tree(), {"", ""}, "", "").chosen.target.minor, 13);
  EXPECT_EQ(choose_target(base.tree(), {"", ""}, "<3.13", "").chosen.target.minor, 11);
  EXPECT_EQ(choose_target(base.tree(), {"", ""}, "", "3.11").chosen.target.minor, 11);
  EXPECT_EQ(choose_target(base.tree(), {"", ""}, "", "3.11.2").chosen.target.minor, 11);
  EXPECT_EQ(choose_target(base.tree(), {"", ""}, "", "").others.size(), 1u);
  const std::string what = refusal(base.tree(), ">=3.14");
  EXPECT_THAT(what, AllOf(HasSubstr("requires-python \">=3.14\""), HasSubstr("/usr/bin/python3.11 (3.11.2)"),
                          HasSubstr("3.13.5")));
  EXPECT_THAT(refusal(base.tree(), "", "3.12"), HasSubstr("python = \"3.12\""));
}

TEST(FindInterpreters, NamesWhatItCannotUse) {
  BaseTree base;
  EXPECT_THAT(refusal(base.tree()), HasSubstr("the base has no Python"));
  base.link("usr/bin/python3", "pypy3.10").file("usr/bin/pypy3.10", elf({loader, "3.10.14"}));
  EXPECT_THAT(refusal(base.tree()), AllOf(HasSubstr("PyPy"), HasSubstr("/usr/bin/pypy3.10")));
  BaseTree debug;
  debug.file("usr/bin/python3.11d", elf({loader, "3.11.2"}));
  EXPECT_THAT(refusal(debug.tree()), AllOf(HasSubstr("debug build"), HasSubstr("/usr/bin/python3.11d")));
  BaseTree script;
  script.file("usr/bin/python3", "#!/bin/sh\nexec python\n");
  EXPECT_THAT(refusal(script.tree()), HasSubstr("script"));
  BaseTree no_libc;
  no_libc.file("usr/bin/python3.11", elf({loader, "3.11.2"}));
  EXPECT_THAT(refusal(no_libc.tree()), HasSubstr("C library"));
  BaseTree no_version = debian();
  no_version.file("usr/bin/python3.11", elf({loader, "3.11.x"}));
  EXPECT_THAT(refusal(no_version.tree()), HasSubstr("version"));
  BaseTree dangling;
  dangling.link("usr/bin/python3", "python3.11");
  EXPECT_THAT(refusal(dangling.tree()), HasSubstr("no Python"));
}

TEST(FindInterpreters, TakesTheLibcOfTheSameMachine) {
  BaseTree base = debian();
  base.file("usr/lib/i386-linux-gnu/libc.so.6", elf({"GNU C Library (x) stable release version 2.31."}, 3, 1));
  EXPECT_EQ(find_interpreters(base.tree(), {"", ""})[0].target.libc.minor, 36);
}

/// A version manager's: the prefix ends in the version, so the linker keeps that as its end.
BaseTree manager() {
  BaseTree base = debian();
  base.file("opt/pythons/3.12.1/bin/python3.12", elf({loader, "/opt/pythons/3.12.1", "lib/python3.12"}));
  return base;
}

TEST(FindInterpreters, TellsTheVersionOfOneWhosePrefixEndsInIt) {
  const BaseVariables variables{"/opt/pythons/3.12.1/bin", ""};
  const auto version = [](const BaseTree& base, const BaseVariables& with) {
    return find_interpreters(base.tree(), with).front().target.full_version;
  };
  EXPECT_EQ(version(manager(), variables), "3.12.1");

  // Texts that end in several versions do not tell.
  const auto several = [] {
    BaseTree base = debian();
    base.file("opt/pythons/3.12.1/bin/python3.12", elf({loader, "/opt/pythons/3.12.1", "since 3.12.0"}));
    return base;
  };
  EXPECT_EQ(version(several(), variables), "3.11.2") << "that of Debian alone";
  EXPECT_EQ(version(several(), {"/opt/pythons/3.12.1/bin", "3.12.1"}), "3.12.1");
  EXPECT_EQ(version(several(), {"/opt/pythons/3.12.1/bin", "3.13.4"}), "3.11.2") << "PYTHON_VERSION of another one";
  BaseTree base = several();
  base.file("opt/pythons/3.12.1/include/python3.12/patchlevel.h",
            "#define PY_MICRO_VERSION 1\n/* as a string */\n#define PY_VERSION      \t\"3.12.1+\"\n");
  EXPECT_EQ(version(base, variables), "3.12.1+");
}

TEST(ChooseTarget, PrefersWhatIsPreferred) {
  BaseTree base = debian();
  base.file("usr/local/bin/python3.12", elf({loader, "3.12.4"}));
  const auto chosen = [&](const std::string& requires_python, const char* preferred) {
    return choose_target(base.tree(), {"/usr/bin", ""}, requires_python, "", parse_python_request(preferred))
        .chosen.target.full_version;
  };
  EXPECT_EQ(chosen("", "any"), "3.12.4");
  EXPECT_EQ(chosen("", "3.11"), "3.11.2");
  EXPECT_EQ(chosen(">=3.12", "3.11"), "3.12.4");
  EXPECT_EQ(chosen("", "3.13"), "3.12.4");
}

TEST(FindInterpreters, AreKeptAsText) {
  BaseTree base = debian();
  base.file("usr/local/bin/python3.13t", elf({loader, "3.13.2"}));
  const auto found = find_interpreters(base.tree(), {"", ""});
  ASSERT_EQ(found.size(), 2u);
  const auto again = interpreters_from_text(interpreters_to_text(found));
  ASSERT_TRUE(again);
  EXPECT_EQ(interpreters_to_text(*again), interpreters_to_text(found));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*again)[i].found_as, found[i].found_as);
    EXPECT_EQ((*again)[i].target.interpreter, found[i].target.interpreter);
    EXPECT_EQ((*again)[i].target.full_version, found[i].target.full_version);
    EXPECT_EQ((*again)[i].target.library_folder(), found[i].target.library_folder());
    EXPECT_EQ((*again)[i].target.libc, found[i].target.libc);
    EXPECT_EQ((*again)[i].target.machine, "x86_64");
  }
  for (const char* text : {"", "{}", "[1]", "[{}]"}) EXPECT_FALSE(interpreters_from_text(text)) << text;
}

}  // namespace
}  // namespace veneer::python
