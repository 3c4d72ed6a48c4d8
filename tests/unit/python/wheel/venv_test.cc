#include "python/wheel/venv.hh"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::python {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

Target target() {
  Target result;
  result.minor = 11;
  result.full_version = "3.11.2";
  result.machine = "x86_64";
  result.interpreter = "/usr/bin/python3.11";
  return result;
}

std::string link_at(const tree::FileTree& tree, std::string_view path) {
  const tree::Inode* inode = tree.find(path);
  return inode == nullptr ? "(nothing)" : inode->link_target;
}

std::string text_at(const tree::FileTree& tree, std::string_view path) {
  return std::string(as_text(read_all(*tree.find(path)->content->open(), 1 << 16)));
}

TEST(EnvironmentSkeleton, LinksToTheRealInterpreter) {
  const tree::FileTree tree = environment_skeleton(target(), {});
  EXPECT_EQ(link_at(tree, "app/.venv/bin/python"), "/usr/bin/python3.11");
  EXPECT_EQ(link_at(tree, "app/.venv/bin/python3"), "python");
  EXPECT_EQ(link_at(tree, "app/.venv/bin/python3.11"), "python");
  EXPECT_EQ(link_at(tree, "app/.venv/lib64"), "lib");
  EXPECT_TRUE(tree.contains("app/.venv/lib/python3.11/site-packages"));
}

TEST(EnvironmentSkeleton, DoesNotNameThePatchVersion) {
  const tree::FileTree tree = environment_skeleton(target(), {});
  EXPECT_EQ(text_at(tree, "app/.venv/pyvenv.cfg"),
            "home = /usr/bin\nimplementation = CPython\nversion_info = 3.11\ninclude-system-site-packages = false\n");
  Target patched = target();
  patched.full_version = "3.11.9";
  EXPECT_EQ(text_at(environment_skeleton(patched, {}), "app/.venv/pyvenv.cfg"), text_at(tree, "app/.venv/pyvenv.cfg"));
}

TEST(EnvironmentSkeleton, FollowsTheTarget) {
  Target narrow = target();
  narrow.machine = "armv7l";
  EXPECT_FALSE(environment_skeleton(narrow, {}).contains("app/.venv/lib64"));
  Target free_threaded = target();
  free_threaded.minor = 13;
  free_threaded.threading = Threading::free_threaded;
  InstallPlace place;
  place.library_folder = free_threaded.library_folder();
  const tree::FileTree tree = environment_skeleton(free_threaded, place);
  EXPECT_EQ(link_at(tree, "app/.venv/bin/python3.13"), "python");
  EXPECT_EQ(link_at(tree, "app/.venv/bin/python3.13t"), "python");
  EXPECT_TRUE(tree.contains("app/.venv/lib/python3.13t/site-packages"));
}

TEST(EnvironmentSkeleton, NeedsAnAbsoluteInterpreter) {
  Target relative = target();
  for (const std::string interpreter : {"", "python3"}) {
    relative.interpreter = interpreter;
    EXPECT_THAT([&] { environment_skeleton(relative, {}); }, ThrowsMessage<Error>(HasSubstr("no absolute path")));
  }
}

TEST(EnvironmentSkeleton, ActivateWorksInAPosixShell) {
  InstallPlace place;
  place.prefix = "/it's an/env";
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "activate");
  const std::filesystem::path script = folder.path() / "activate";
  write_text_file(script, text_at(environment_skeleton(target(), place), "it's an/env/bin/activate"));
  const std::string checks =
      "set -eu; PATH=/bin:/usr/bin; PYTHONHOME=/home; . '" + script.native() +
      "'; test \"$PATH\" = \"/it's an/env/bin:/bin:/usr/bin\"; test \"$VIRTUAL_ENV\" = \"/it's an/env\"; "
      "test -z \"${PYTHONHOME+set}\"; . '" +
      script.native() +
      "'; test \"$PATH\" = \"/it's an/env/bin:/bin:/usr/bin\"; deactivate; test \"$PATH\" = /bin:/usr/bin; "
      "test \"$PYTHONHOME\" = /home; test -z \"${VIRTUAL_ENV+set}\"";
  for (const std::string shell : {"sh", "bash"}) {
    const std::filesystem::path driver = folder.path() / "driver";
    write_text_file(driver, checks);
    EXPECT_EQ(std::system((shell + " '" + driver.native() + "'").c_str()), 0) << shell;
  }
}

}  // namespace
}  // namespace veneer::python
