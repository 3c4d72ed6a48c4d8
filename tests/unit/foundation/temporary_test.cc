#include "foundation/temporary.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <set>

#include "foundation/child.hh"
#include "foundation/file.hh"

namespace veneer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class TemporaryTest : public testing::Test {
 protected:
  fs::path parent_;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "temporary-test-XXXXXX").native();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    parent_ = name;
  }
  void TearDown() override { fs::remove_all(parent_); }

  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(parent_)) found.insert(entry.path().filename());
    return found;
  }

  /// A process that does `act` and says so, then waits to be killed.
  pid_t start(const std::function<void()>& act) const {
    Pipe ready = make_pipe();
    const pid_t child = ::fork();
    if (child == 0) {
      act();
      if (::write(ready.write_end.get(), "x", 1) == 1) ::pause();
      ::_exit(1);
    }
    char told = 0;
    EXPECT_EQ(::read(ready.read_end.get(), &told, 1), 1);
    return child;
  }
  static void kill(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
};

TEST_F(TemporaryTest, AFolderIsPrivateAndGoesWithItsObject) {
  {
    const TemporaryFolder folder(parent_, "test");
    struct stat status {};
    ASSERT_EQ(::stat(folder.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
    EXPECT_THAT(folder.path().filename().native(), StartsWith("veneer-test-"));
    fs::create_directories(folder.path() / "closed" / "folder");
    std::ofstream(folder.path() / "closed" / "file") << "x";
    ASSERT_EQ(::chmod((folder.path() / "closed").c_str(), 0), 0);
  }
  EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(TemporaryTest, WhatAKilledProcessLeftGoesWithTheNextAndWhatIsInUseStays) {
  const auto make = [&] {
    static const TemporaryFolder folder(parent_, "test");
    static AtomicFile file(parent_ / "output");
    std::ofstream(folder.path() / "file") << "x";
  };
  const pid_t running = start(make);
  const std::set<std::string> used = names();
  EXPECT_EQ(used.size(), 2U);
  const pid_t killed = start(make);
  EXPECT_EQ(names().size(), 4U);
  kill(killed);
  EXPECT_EQ(names().size(), 4U);
  {
    const TemporaryFolder next(parent_, "other");
    std::set<std::string> expected = used;
    expected.insert(next.path().filename());
    EXPECT_EQ(names(), expected);
  }
  EXPECT_EQ(names(), used);
  kill(running);
  remove_abandoned(parent_);
  EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(TemporaryTest, NothingElseIsRemoved) {
  const std::string number = "0123456789abcdef";
  for (const std::string name : {"veneer-mine-abcdef", "veneer-0123456789abcdeX", "other-0123456789abcdef"}) {
    fs::create_directory(parent_ / name);
    ::chmod((parent_ / name).c_str(), 0700);
  }
  fs::create_directory(parent_ / ("veneer-shared-" + number));
  ::chmod((parent_ / ("veneer-shared-" + number)).c_str(), 0755);
  std::ofstream(parent_ / ("veneer-file-" + number)) << "x";
  std::ofstream(parent_ / ".name.tmp") << "x";
  std::ofstream(parent_ / (".name." + number)) << "x";
  fs::create_directory(parent_ / (".folder." + number + ".tmp"));
  fs::create_directory_symlink("veneer-mine-abcdef", parent_ / ("veneer-link-" + number));
  if (::geteuid() == 0) {
    const fs::path others = parent_ / ("veneer-others-" + number);
    fs::create_directory(others);
    ASSERT_EQ(::chmod(others.c_str(), 0700), 0);
    ASSERT_EQ(::chown(others.c_str(), 65534, 65534), 0);
  }
  const std::set<std::string> before = names();
  remove_abandoned(parent_);
  EXPECT_EQ(names(), before);
  remove_abandoned(parent_ / "absent");
}

TEST_F(TemporaryTest, AForkedChildOfItsOwnerDoesNotKeepALeftover) {
  const pid_t killed = start([&] {
    static const TemporaryFolder folder(parent_, "test");
    if (::fork() == 0) ::execlp("sleep", "sleep", "2", nullptr);
    ::usleep(200'000);
  });
  kill(killed);
  remove_abandoned(parent_);
  EXPECT_THAT(names(), testing::IsEmpty()) << "programs that it ran hold no lock";
}

}  // namespace
}  // namespace veneer
