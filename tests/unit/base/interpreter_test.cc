#include "base/interpreter.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tree/read_text.hh"
#include "tree/write_layer.hh"

namespace veneer::base {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// As an unpacked archive of uv's.
class Archive {
 public:
  Archive& file(const std::string& path, const std::string& text = "x", std::uint32_t mode = 0664) {
    tree_.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(text), mode, 1001, 1001, 1'700'000'000));
    return *this;
  }
  Archive& link(const std::string& path, const std::string& target) {
    tree_.put(path, tree::make_symlink(target, 1001, 1001, 1'700'000'000));
    return *this;
  }
  const tree::FileTree& tree() const { return tree_; }

 private:
  tree::FileTree tree_;
};

Archive python() {
  Archive archive;
  archive.file("python/bin/python3.12", "ELF", 0775).link("python/bin/python3", "python3.12");
  archive.file("python/lib/python3.12/os.py");
  return archive;
}

std::vector<std::string> names(const tree::FileTree& tree) {
  std::vector<std::string> result;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::folder) result.push_back(path);
  }
  return result;
}

TEST(InterpreterTree, LiesInUsrLocalAndIsCanonical) {
  const tree::FileTree tree = interpreter_tree(python().tree());
  EXPECT_THAT(names(tree),
              ElementsAre("usr/local/bin/python3", "usr/local/bin/python3.12", "usr/local/lib/python3.12/os.py"));
  for (const auto& [path, entry] : tree.entries()) {
    EXPECT_EQ(entry.inode->uid + entry.inode->gid, 0u) << path;
    EXPECT_EQ(entry.inode->mtime, 315532800) << path;
  }
  EXPECT_EQ(tree.find("usr")->mode, 0755u);
  EXPECT_EQ(tree.find("usr/local/bin/python3.12")->mode, 0755u);
  EXPECT_EQ(tree.find("usr/local/lib/python3.12/os.py")->mode, 0644u);
  EXPECT_EQ(tree.find("usr/local/bin/python3")->link_target, "python3.12");
}

TEST(InterpreterTree, WithoutTestsStaticLibrariesByteCodeAndManuals) {
  Archive archive = python();
  for (const char* path :
       {"lib/python3.12/test/test_os.py", "lib/python3.12/ctypes/test/test_x.py", "lib/python3.12/tkinter/tests/x.py",
        "lib/python3.12/idlelib/idle_test/x.py", "lib/libpython3.12.a", "lib/python3.12/config-3.12/libpython3.12.a",
        "lib/python3.12/__pycache__/os.cpython-312.pyc", "share/man/man1/python3.1"}) {
    archive.file(std::string("python/") + path);
  }
  for (const char* path : {"lib/python3.12/unittest/case.py", "lib/python3.12/site-packages/pip/tests/kept.py"})
    archive.file(std::string("python/") + path);
  EXPECT_THAT(names(interpreter_tree(archive.tree())),
              ElementsAre("usr/local/bin/python3", "usr/local/bin/python3.12", "usr/local/lib/python3.12/os.py",
                          "usr/local/lib/python3.12/site-packages/pip/tests/kept.py",
                          "usr/local/lib/python3.12/unittest/case.py"));
}

TEST(InterpreterTree, SaysUsrLocalInsteadOfItsBuildersPrefix) {
  Archive archive = python();
  archive.file("python/lib/python3.12/_sysconfigdata__linux.py",
               "build_time_vars = {'prefix': '/install', 'LIBDIR': '/install/lib', 'CFLAGS': '-I/install/include'}\n");
  archive.file("python/lib/pkgconfig/python-3.12.pc", "prefix=/install\nlibdir=${prefix}/lib\n");
  archive.file("python/lib/python3.12/notes.py", "'/install/lib'\n");
  const tree::FileTree tree = interpreter_tree(archive.tree());
  EXPECT_EQ(
      tree::read_text(tree, "usr/local/lib/python3.12/_sysconfigdata__linux.py", 4096),
      "build_time_vars = {'prefix': '/usr/local', 'LIBDIR': '/usr/local/lib', 'CFLAGS': '-I/usr/local/include'}\n");
  EXPECT_EQ(tree::read_text(tree, "usr/local/lib/pkgconfig/python-3.12.pc", 4096),
            "prefix=/usr/local\nlibdir=${prefix}/lib\n");
  EXPECT_EQ(tree::read_text(tree, "usr/local/lib/python3.12/notes.py", 4096), "'/install/lib'\n");
}

TEST(InterpreterTree, OfAFullArchiveIsWhatItInstalls) {
  Archive archive;
  archive.file("python/install/bin/python3.12", "ELF", 0755).file("python/build/object.o").file("python/PYTHON.json");
  EXPECT_THAT(names(interpreter_tree(archive.tree())), ElementsAre("usr/local/bin/python3.12"));
}

TEST(InterpreterTree, SomethingElseIsRefused) {
  Archive archive;
  archive.file("node/bin/node", "ELF", 0755);
  EXPECT_THROW(interpreter_tree(archive.tree()), Error);
}

TEST(WithPrefix, ReplacesPathsOnly) {
  const auto moved = [](std::string_view text) { return with_prefix(text, "/install", "/usr/local"); };
  EXPECT_EQ(moved("/install"), "/usr/local");
  EXPECT_EQ(moved("'/install/lib' -L/install/lib -Wl,-rpath,/install/lib:/install/x"),
            "'/usr/local/lib' -L/usr/local/lib -Wl,-rpath,/usr/local/lib:/usr/local/x");
  EXPECT_EQ(moved("/opt/install/lib /installed /install2/x"), "/opt/install/lib /installed /install2/x");
  EXPECT_EQ(moved("\"a\\n/install/b\""), "\"a\\n/usr/local/b\"");
  EXPECT_EQ(moved(""), "");
}

TEST(InterpreterLayer, HasTheSameBytesWhereverItIsMade) {
  const fs::path temporary = fs::temp_directory_path();
  const TemporaryFolder work(temporary, "interpreter-test");
  const fs::path plain = work.path() / "python.tar";
  {
    AtomicFile file(plain, 0644);
    tree::write_layer(python().tree(), file);  // gzip
    file.commit();
  }
  File file(plain);
  const FileHash hash{sha256(file)};
  std::vector<std::string> made;
  for (const mode_t mask : {022, 077}) {
    const fs::path folder = work.path() / std::to_string(mask);
    const mode_t before = ::umask(mask);
    const image::LayerCache cache(folder);
    made.push_back(make_interpreter_layer(plain, hash, cache, folder / "tmp").layer.diff_id.text());
    ::umask(before);
    EXPECT_TRUE(cache.find(interpreter_key(hash)));
  }
  EXPECT_EQ(made[0], made[1]);
  EXPECT_NE(interpreter_key(hash), interpreter_key(FileHash{sha256("another")}));
}

TEST(InterpreterLayer, IsRefusedForWhatIsNoArchive) {
  const TemporaryFolder work(fs::temp_directory_path(), "interpreter-test");
  write_text_file(work.path() / "page.html", "<html>" + std::string(2000, 'x'));
  const image::LayerCache cache(work.path() / "cache");
  try {
    make_interpreter_layer(work.path() / "page.html", FileHash{sha256("x")}, cache, work.path() / "cache" / "tmp");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("page.html"));
  }
}

}  // namespace
}  // namespace veneer::base
