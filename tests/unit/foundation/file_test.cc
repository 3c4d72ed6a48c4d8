#include "foundation/file.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>

#include "foundation/child.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "tests/support/needs.hh"

namespace veneer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  TemporaryFolder folder_{fs::temp_directory_path(), "file-test"};
  fs::path path_ = folder_.path() / "file";

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }
};

TEST(AtomicFile, DoesNotTakeThePlaceOfAPipe) {
  const std::filesystem::path pipe = std::filesystem::path(testing::TempDir()) / "veneer-atomic-pipe";
  std::filesystem::remove(pipe);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(write_text_file(pipe, "text"), Error);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  std::filesystem::remove(pipe);
}

TEST_F(FileTest, UncommittedLeavesTheOldFileAndNothingElse) {
  write_text_file(path_, "old");
  {
    AtomicFile file(path_);
    file.write(as_bytes("new"));
  }
  EXPECT_EQ(read_text_file(path_, 100), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, TheModeIsExactUnderAnyUmask) {
  const mode_t old = ::umask(0077);
  write_text_file(path_, "x", 0644);
  ::umask(old);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
}

TEST_F(FileTest, KilledBeforeTheRenameLeavesTheOldFile) {
  write_text_file(path_, "old");
  const pid_t child = ::fork();
  if (child == 0) {
    arm_fail_point("file.before-rename");
    write_text_file(path_, "new");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read_text_file(path_, 100), "old");
}

TEST_F(FileTest, AnErrorSaysWhatCannotBeDone) {
  try {
    write_text_file(folder_.path() / "absent" / "x", "");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "cannot create " + (folder_.path() / "absent" / "x").native() + ": No such file or directory");
  }
}

/// A process that is number 1 of its container; it does `step` 0, 1, ... one by one, as it is told to.
class Container {
 public:
  explicit Container(const std::function<void(char step)>& act) : orders_(make_pipe()), reports_(make_pipe()) {
    if ((child_ = ::fork()) != 0) return;
    orders_.write_end = FileDescriptor();
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
    const pid_t first = ::fork();
    if (first != 0) ::_exit(::waitpid(first, nullptr, 0) == first ? 0 : 1);
    for (char step = 0; ::read(orders_.read_end.get(), &step, 1) == 1;) {
      act(step);
      if (::write(reports_.write_end.get(), &step, 1) != 1) break;
    }
    ::_exit(0);
  }
  ~Container() {
    orders_.write_end = FileDescriptor();
    ::waitpid(child_, nullptr, 0);
  }
  void tell(char step) {
    ASSERT_EQ(::write(orders_.write_end.get(), &step, 1), 1);
    ASSERT_EQ(::read(reports_.read_end.get(), &step, 1), 1);
  }

 private:
  Pipe orders_;
  Pipe reports_;
  pid_t child_ = -1;
};

TEST_F(FileTest, ContainersWithOneFolderDoNotTakeEachOthersFiles) {
  VENEER_NEEDS(::geteuid() == 0, "namespaces of process ids need root");
  std::optional<AtomicFile> file;
  const auto write = [&](std::string_view first, std::string_view second) {
    return [&, first, second](char step) {
      if (step == 0) file.emplace(path_).write(as_bytes(first));
      if (step == 1) file->write(as_bytes(second));
      if (step == 2) file->commit();
    };
  };
  Container one(write("one ", "whole"));
  Container other(write("the other ", "whole"));
  one.tell(0);
  other.tell(0);
  one.tell(1);
  one.tell(2);
  EXPECT_EQ(read_text_file(path_, 100), "one whole");
  other.tell(1);
  other.tell(2);
  EXPECT_EQ(read_text_file(path_, 100), "the other whole");
}

TEST_F(FileTest, ARealPathHasOneSpelling) {
  const fs::path root = fs::canonical(folder_.path());
  fs::create_directories(root / "a" / "b");
  fs::create_directory_symlink("a/b", root / "link");
  for (const char* spelling : {"a", "a/", "a//", "./a", "a/b/..", "a/b/../", "link/..", "link/../../a/"}) {
    EXPECT_EQ(real_path(root / spelling), root / "a") << spelling;
  }
  EXPECT_EQ(real_path(root / "a" / "none" / "x" / ".." / ""), root / "a" / "none");
  EXPECT_EQ(real_path("/"), "/");
  EXPECT_EQ(real_path("."), fs::current_path());
}

TEST_F(FileTest, RefusesWhatIsNoFile) {
  EXPECT_THROW(File(folder_.path()), Error);
  ASSERT_EQ(::mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(File(folder_.path() / "fifo"), Error);
  try {
    File(folder_.path() / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST_F(FileTest, ReadsAnywhereButNotPastTheEnd) {
  write_text_file(path_, "0123456789");
  const File file(path_);
  Bytes into(3);
  file.read_at(7, into);
  EXPECT_EQ(as_text(into), "789");
  EXPECT_THROW(file.read_at(8, into), Error);
}

TEST_F(FileTest, ReadingIsBounded) {
  write_text_file(path_, std::string(1000, 'x'));
  EXPECT_THROW(read_text_file(path_, 999), Error);
  EXPECT_EQ(read_text_file(path_, 1000).size(), 1000u);
  EXPECT_EQ(read_text_file_if_exists(folder_.path() / "absent", 10), std::nullopt);
}

TEST_F(FileTest, ASharedLockIsMadeExclusiveOnlyAlone) {
  EXPECT_FALSE(FileLock::share(path_)) << "it makes no file";
  EXPECT_EQ(files(), 0U);
  write_text_file(path_, "x");
  std::optional<FileLock> one = FileLock::share(path_);
  ASSERT_TRUE(one);
  {
    std::optional<FileLock> other = FileLock::share(path_);
    ASSERT_TRUE(other);
    EXPECT_FALSE(one->try_exclusive());
    EXPECT_FALSE(other->try_exclusive()) << "the first is shared still";
  }
  EXPECT_TRUE(one->try_exclusive());
  one->share();
  EXPECT_TRUE(FileLock::share(path_)) << "this waits for nobody";
}

}  // namespace
}  // namespace veneer
