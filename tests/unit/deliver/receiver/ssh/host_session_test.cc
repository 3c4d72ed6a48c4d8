#include "deliver/receiver/ssh/host_session.hh"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <string>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"

namespace veneer::deliver {
namespace {

// An ssh whose hosts are all this machine, and which writes down each command that it is given.
class HostSessions : public testing::Test {
 protected:
  void SetUp() override {
    write_text_file(folder_.path() / "ssh", R"(#!/bin/sh
case $1 in -V) echo OpenSSH_9.2p1 >&2; exit ;; esac
master=''
for word; do
  last=$word
  case $word in ControlPath=*) socket=${word#ControlPath=} ;; -N) master=yes ;; esac
done
if [ -n "$master" ]; then : >"$socket"; exec sleep 1000; fi
echo "$last" >>"$HOME/calls"
exec sh -c "$last"
)",
                    0755);
    set("PATH", folder_.path().native() + ":" + ::getenv("PATH"));
    set("HOME", folder_.path().native());
    set("XDG_CACHE_HOME", "");
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }

  void set(const std::string& name, const std::string& value) {
    const char* const there = ::getenv(name.c_str());
    before_[name] = there == nullptr ? "" : there;
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  void ask(const HostRequest& request) {
    session_.ask(request, [](const HostLine&) {});
  }
  HostRequest question() const { return session_.request(HostTask::ship, "parts"); }
  std::size_t calls() const {
    const std::string text = read_text_file_if_exists(folder_.path() / "calls", 1 << 20).value_or("");
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }

  TemporaryFolder folder_{"/tmp", "session"};
  std::map<std::string, std::string> before_;
  HostSession session_{read_ssh_address("ssh://there"), {}};
};

TEST_F(HostSessions, OneShellAnswersAllThatATaskAsks) {
  session_.open();
  for (int i = 0; i < 3; ++i) ask(question());
  EXPECT_EQ(calls(), 1U);
  EXPECT_EQ(session_.round_trips(), 3);
}

TEST_F(HostSessions, AShellThatIsGoneIsFollowedByAnother) {
  session_.open();
  ask(question());
  HostRequest odd = question();
  odd.add("odd", "x");
  EXPECT_THROW(ask(odd), Error);  // it ends the shell
  ask(question());
  EXPECT_EQ(calls(), 2U);
  session_.close();
  session_.open();
  ask(question());
  EXPECT_EQ(calls(), 3U);
}

TEST_F(HostSessions, AnAnswerMayBeReadLater) {
  session_.open();
  const HostRequest first = question();
  session_.ask_ahead(first);
  ask(first);
  EXPECT_EQ(calls(), 1U);
  // Another question is answered all the same, and what was asked ahead is asked again when it is wanted after all.
  session_.ask_ahead(first);
  ask(question());
  ask(first);
  EXPECT_EQ(calls(), 1U);
  // Also when the connection is another one by then.
  session_.ask_ahead(first);
  session_.close();
  session_.open();
  ask(first);
  EXPECT_EQ(calls(), 2U);
}

}  // namespace
}  // namespace veneer::deliver
