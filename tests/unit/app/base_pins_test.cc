// veneer.lock between builds: what is taken from it, what is said, and what is written.
#include "app/base_pins.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "app/debian_snapshot.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tree/read_text.hh"

namespace veneer::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* name = "debian:bookworm";
constexpr const char* platform = "linux/amd64";

class Listener : public Surroundings, public Messages {
 public:
  Messages& messages() override { return *this; }
  std::optional<std::string> environment(const std::string& variable) const override {
    const auto found = variables.find(variable);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  fs::path cache_folder() const override { return {}; }
  fs::path current_folder() const override { return {}; }
  std::int64_t seconds_since_1970() const override { return 0; }
  std::string caller() const override { return {}; }
  void progress(const std::string&) override {}
  void clear_progress() override {}
  void note(const std::string& text) override { said += text + "\n"; }
  void warning(const std::string& text) override { said += "warning: " + text + "\n"; }

  std::map<std::string, std::string> variables;
  std::string said;
};

base::LockedBase base_with(const std::vector<std::pair<std::string, std::string>>& packages) {
  base::LockedBase base;
  base.name = name;
  base.platform = platform;
  base.target = {"/usr/bin/python3.11", "3.11.2", "glibc-2.36", "x86_64", {}};
  for (const auto& [package, version] : packages) base.packages.push_back({package, version, "amd64", sha256(version)});
  return base;
}

class BasePinsTest : public testing::Test {
 protected:
  /// A build that takes `taken`; what it said.
  std::string build(base::LockedBase taken, BaseLockUse use = BaseLockUse::kept,
                    BaseLockOf of = BaseLockOf::one_project) {
    Listener listener;
    listener.variables = variables_;
    BasePins pins(folder_.path(), use, of);
    pins.choose(name, platform);
    pins.take(std::move(taken), nullptr, listener);
    pins.write(listener);
    moves_ = pins.moves();
    return listener.said;
  }
  std::string refusal(base::LockedBase taken, BaseLockUse use, ErrorKind kind) {
    const std::string before = text();
    try {
      build(std::move(taken), use);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_EQ(text(), before);
      return error.what();
    }
    return "nothing was refused";
  }
  std::string text() const { return read_text_file_if_exists(path(), 1 << 20).value_or(""); }
  fs::path path() const { return folder_.path() / "veneer.lock"; }
  std::vector<std::string> locked() const {
    std::vector<std::string> rows;
    const base::BaseLock lock = base::parse_base_lock(text());
    for (const base::LockedPackage& package : lock.bases.at(0).packages) {
      rows.push_back(package.name + "=" + package.version);
    }
    return rows;
  }

  TemporaryFolder folder_{fs::temp_directory_path(), "pins"};
  std::map<std::string, std::string> variables_;
  std::vector<BaseMove> moves_;
};

TEST_F(BasePinsTest, AreWrittenOnceAndKept) {
  EXPECT_EQ(build(base_with({{"libc6", "1"}})), path().native() + " pins what the image stands on; commit it\n");
  EXPECT_THAT(locked(), ElementsAre("libc6=1"));
  const auto written = fs::last_write_time(path());
  EXPECT_EQ(build(base_with({{"libc6", "1"}})), "");
  EXPECT_EQ(build(base_with({{"libc6", "1"}}), BaseLockUse::strict), "");
  EXPECT_EQ(fs::last_write_time(path()), written);
  BasePins pins(folder_.path(), BaseLockUse::kept);
  EXPECT_TRUE(pins.packages().empty());  // of no base yet
  pins.choose(name, platform);
  ASSERT_EQ(pins.packages().size(), 1u);
  EXPECT_EQ(pins.packages()[0].version, "1");
  EXPECT_EQ(pins.refresh(), base::Refresh::no);
}

TEST_F(BasePinsTest, OfManyBuildsAtOnceAreAllKept) {
  write_text_file(folder_.path() / "pyproject.toml", "");
  constexpr int builders = 8;
  constexpr int bases = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < builders; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < bases; ++j) {
        Listener listener;
        BasePins pins(folder_.path(), BaseLockUse::kept);
        base::LockedBase taken = base_with({{"libc6", "1"}});
        taken.name = "debian:suite" + std::to_string(i) + "x" + std::to_string(j);
        pins.choose(taken.name, platform);
        pins.take(std::move(taken), nullptr, listener);
        pins.write(listener);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(base::parse_base_lock(text()).bases.size(), static_cast<std::size_t>(builders * bases));
}

TEST_F(BasePinsTest, SayWhatWasLookedUp) {
  const auto files = std::make_shared<base::BaseFiles>([] {
    tree::FileTree tree;
    tree.put("etc/passwd", tree::make_file(std::make_shared<archive::MemoryContent>("root\n"), 0644, 0, 0, 1));
    return tree;
  });
  base::LockedBase taken = base_with({});
  taken.kind = base::LockedBase::Kind::image;
  taken.image.config = ConfigDigest{sha256("config")};
  taken.pythons = {{"/usr/bin/python3", "/usr/bin/python3.11", "3.11.2", "glibc-2.36", "x86_64"}};
  const auto build = [&](const base::LockedBase& base) {
    Listener listener;
    BasePins pins(folder_.path(), BaseLockUse::kept);
    pins.choose(name, platform);
    pins.take(base, files, listener);
    tree::read_text(*files, "etc/passwd", 100);  // later than the lock is compared
    pins.write(listener);
  };
  build(taken);
  taken.files = {{"etc", "folder 755 0 0 0"}, {"etc/passwd", "file 644 0 0 1 5", "root\n"}};
  EXPECT_EQ(base::parse_base_lock(text()).bases.at(0).files, taken.files);
  build(taken);
  taken.files[1].text = "toor\n";  // as the layers have it now
  EXPECT_THROW(build(taken), Error);
  taken.files[1].text = "root\n";
  taken.pythons[0].libc = "glibc-2.37";
  EXPECT_THROW(build(taken), Error);
}

TEST_F(BasePinsTest, AreAddedToAndMoved) {
  build(base_with({{"libc6", "1"}, {"libpq5", "1"}}));
  // Another member of the workspace, which needs something else.
  EXPECT_EQ(build(base_with({{"libc6", "2"}, {"libgl1", "1"}})),
            "veneer.lock: libc6 1 -> 2, since what is pinned cannot be had any more\n");
  EXPECT_THAT(locked(), ElementsAre("libc6=2", "libgl1=1", "libpq5=1"));
}

TEST_F(BasePinsTest, HoldWithWhatWheelsWereCompiled) {
  const auto compile = [&](const std::string& version, BaseLockUse use) {
    Listener listener;
    BasePins pins(folder_.path(), use);
    pins.choose(name, platform);
    pins.take(base_with({{"libc6", "1"}}), nullptr, listener);
    const std::vector<base::LockedPackage> pinned = pins.build_packages();
    if (!version.empty()) pins.take_build_packages(base_with({{"gcc", version}}).packages, listener);
    pins.write(listener);
    return std::pair(pinned, listener.said);
  };
  EXPECT_TRUE(compile("1", BaseLockUse::kept).first.empty());
  EXPECT_THAT(locked(), ElementsAre("libc6=1"));
  const std::string before = text();
  compile("", BaseLockUse::kept);  // a build that compiles nothing
  EXPECT_EQ(text(), before);
  const auto [pinned, said] = compile("2", BaseLockUse::kept);
  ASSERT_EQ(pinned.size(), 1U);
  EXPECT_EQ(pinned[0].version, "1");
  EXPECT_EQ(said, "veneer.lock: gcc 1 -> 2, since what is pinned cannot be had any more\n");
  compile("2", BaseLockUse::strict);
  compile("", BaseLockUse::renewed);  // what was compiled is in the cache
  EXPECT_THAT(text(), HasSubstr("gcc"));
  EXPECT_TRUE(compile("3", BaseLockUse::renewed).first.empty());
  compile("2", BaseLockUse::renewed);
  try {
    compile("3", BaseLockUse::strict);
    ADD_FAILURE() << "another compiler is taken though the lock is strict";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("gcc 2 -> 3"));
  }
}

TEST_F(BasePinsTest, KeepAHashThatTheCacheDoesNotKnow) {
  build(base_with({{"libc6", "1"}}));
  const std::string before = text();
  base::LockedBase taken = base_with({{"libc6", "1"}});
  taken.packages[0].sha256.reset();
  build(taken);
  EXPECT_EQ(text(), before);
}

TEST_F(BasePinsTest, AreNotWrittenInCi) {
  variables_["CI"] = "true";
  EXPECT_EQ(build(base_with({{"libc6", "1"}, {"tzdata", "1"}})),
            "not pinned in veneer.lock, which is not written with CI=true: libc6=1 tzdata=1\n");
  EXPECT_EQ(text(), "");
  variables_["CI"] = "false";
  build(base_with({{"libc6", "1"}}));
  const std::string before = text();
  variables_["CI"] = "true";
  EXPECT_EQ(build(base_with({{"libc6", "1"}})), "");
  EXPECT_EQ(build(base_with({{"libc6", "2"}, {"tzdata", "1"}})),
            "veneer.lock: libc6 1 -> 2, since what is pinned cannot be had any more\n"
            "not pinned in veneer.lock, which is not written with CI=true: tzdata=1\n");
  EXPECT_EQ(text(), before);
}

TEST_F(BasePinsTest, MustHoldWhenTheyAreStrict) {
  EXPECT_THAT(refusal(base_with({{"libc6", "1"}}), BaseLockUse::strict, ErrorKind::refused), HasSubstr("there is no "));
  build(base_with({{"libc6", "1"}}));
  EXPECT_THAT(refusal(base_with({{"libc6", "2"}, {"tzdata", "1"}}), BaseLockUse::strict, ErrorKind::refused),
              HasSubstr("veneer.lock does not hold for debian:bookworm: libc6 1 -> 2, tzdata=1 is not in it"));
  base::LockedBase of_uv = base_with({{"libc6", "1"}});
  of_uv.interpreter = base::Interpreter{"3.12.1", "https://example.org", {sha256("a")}};
  EXPECT_THAT(refusal(of_uv, BaseLockUse::strict, ErrorKind::refused), HasSubstr("Python 3.12.1 is not in it"));
  BasePins pins(folder_.path(), BaseLockUse::strict);
  EXPECT_THROW(pins.choose("debian:trixie", platform), Error);
  EXPECT_THROW(pins.choose(name, "linux/arm64"), Error);
}

TEST_F(BasePinsTest, AreNeitherReadNorWrittenWhenTheyAreIgnored) {
  write_text_file(path(), "<<<<<<< HEAD\n");
  EXPECT_EQ(build(base_with({{"libc6", "1"}}), BaseLockUse::ignored), "");
  EXPECT_EQ(text(), "<<<<<<< HEAD\n");
}

TEST_F(BasePinsTest, AreMadeAnew) {
  build(base_with({{"libc6", "1"}, {"libpq5", "1"}}));
  variables_["CI"] = "true";  // who asks for it, gets it
  EXPECT_EQ(build(base_with({{"libc6", "2"}, {"tzdata", "1"}}), BaseLockUse::renewed), "");
  EXPECT_THAT(locked(), ElementsAre("libc6=2", "tzdata=1"));
  std::string moved;
  for (const BaseMove& move : moves_) moved += move.what + ":" + move.from + ":" + move.to + " ";
  EXPECT_EQ(moved, "libc6:1:2 tzdata::1 libpq5:1: ");
  BasePins pins(folder_.path(), BaseLockUse::renewed);
  pins.choose(name, platform);
  EXPECT_TRUE(pins.packages().empty());
  EXPECT_EQ(pins.refresh(), base::Refresh::yes);
  // Of one that cannot be read nothing is kept.
  write_text_file(path(), "<<<<<<< HEAD\n");
  build(base_with({{"libc6", "3"}}), BaseLockUse::renewed);
  EXPECT_THAT(locked(), ElementsAre("libc6=3"));
}

/// By one member of a workspace: what only the others take stays.
TEST_F(BasePinsTest, AreMadeAnewForOneMember) {
  base::LockedBase old = base_with({{"libc6", "1"}, {"libpq5", "1"}});
  old.interpreter = base::Interpreter{"3.12.1", "https://example.org", {sha256("a")}};
  build(old);
  build(base_with({{"libc6", "2"}, {"tzdata", "1"}}), BaseLockUse::renewed, BaseLockOf::workspace);
  EXPECT_THAT(locked(), ElementsAre("libc6=2", "libpq5=1", "tzdata=1"));
  EXPECT_TRUE(base::parse_base_lock(text()).bases.at(0).interpreter);
  std::string moved;
  for (const BaseMove& move : moves_) moved += move.what + ":" + move.from + ":" + move.to + " ";
  EXPECT_EQ(moved, "libc6:1:2 tzdata::1 ");
}

TEST_F(BasePinsTest, AreRefusedWithPathAndLine) {
  write_text_file(path(), "version = 1\n>>>>>>> theirs\n");
  EXPECT_THAT(refusal(base_with({}), BaseLockUse::kept, ErrorKind::refused),
              HasSubstr(path().native() + ": line 2: a merge conflict"));
}

/// Equal packages have equal files; what the lock says of them cannot be otherwise.
TEST_F(BasePinsTest, SayWhatTheFilesOfTheBaseAre) {
  build(base_with({{"libc6", "1"}}));
  base::LockedBase other = base_with({{"libc6", "1"}});
  other.target.libc = "glibc-2.41";
  EXPECT_THAT(refusal(other, BaseLockUse::kept, ErrorKind::verification),
              HasSubstr("veneer.lock line 4: the C library of debian:bookworm is glibc-2.41, not glibc-2.36"));
  other = base_with({{"libc6", "1"}});
  other.target.folders = {"app 700 0 0 1"};
  EXPECT_THAT(refusal(other, BaseLockUse::kept, ErrorKind::verification), HasSubstr("folders above the environment"));
  // Another Python of the same base may be asked for; another base may have another library.
  other = base_with({{"libc6", "1"}});
  other.target.python = "3.12.1";
  other.target.interpreter = "/usr/bin/python3.12";
  EXPECT_EQ(build(other), "");
  other = base_with({{"libc6", "2"}});
  other.target.libc = "glibc-2.41";
  EXPECT_THAT(build(other), HasSubstr("libc6 1 -> 2"));
}

TEST_F(BasePinsTest, AFolderThatCannotBeWrittenToIsSaid) {
  fs::create_directory(path());  // stands in the way for root, too
  Listener listener;
  BasePins pins(folder_.path(), BaseLockUse::renewed);
  pins.choose(name, platform);
  pins.take(base_with({}), nullptr, listener);
  pins.write(listener);
  EXPECT_THAT(listener.said, HasSubstr("warning: what the image stands on is not pinned"));
}

TEST_F(BasePinsTest, TheNewestSnapshotOfAFolder) {
  Listener listener;
  const auto make = [&](const std::string& snapshot, const std::string& suite) {
    const fs::path release = folder_.path() / "archive/debian" / snapshot / "dists" / suite / "Release";
    make_folders(release.parent_path());
    write_text_file(release, "");
  };
  const std::string mirror = "file://" + folder_.path().native() + "/";
  EXPECT_EQ(newest_snapshot(mirror, "bookworm", listener), "");
  EXPECT_THAT(listener.said, HasSubstr("has no snapshots, so none is recorded"));
  make("20260101T000000Z", "bookworm");
  make("20260201T000000Z", "bookworm");
  make("20260301T000000Z", "trixie");
  EXPECT_EQ(newest_snapshot(mirror, "bookworm", listener), "20260201T000000Z");
  EXPECT_EQ(newest_snapshot("", "bookworm", listener), "");
  EXPECT_THAT(listener.said, HasSubstr("Debian's own mirror"));
}

}  // namespace
}  // namespace veneer::app
