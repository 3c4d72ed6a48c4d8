#include "deliver/receiver/ssh/ssh_connection.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::deliver {
namespace {

TEST(SshAddress, IsRead) {
  struct Row {
    std::string text;
    std::string shown;
  };
  for (const Row& row : std::vector<Row>{{"ssh://plant", "plant"},
                                         {"ssh://root@plant.example", "root@plant.example"},
                                         {"ssh://deploy@10.0.0.7:2222", "deploy@10.0.0.7:2222"},
                                         {"ssh://plant/", "plant"},
                                         {"ssh://[2001:db8::1]:22", "[2001:db8::1]:22"},
                                         {"ssh://me@[fe80::1%eth0]", "me@[fe80::1%eth0]"},
                                         {"ssh://first.last-x@my_host", "first.last-x@my_host"}}) {
    EXPECT_EQ(read_ssh_address(row.text).text(), row.shown);
    EXPECT_EQ(read_ssh_address("ssh://" + read_ssh_address(row.text).text()).text(), row.shown);
  }
  const SshAddress address = read_ssh_address("ssh://[2001:db8::1]:2222");
  EXPECT_EQ(address.host, "2001:db8::1");
  EXPECT_EQ(address.port, 2222);
}

TEST(SshAddress, RefusesWhatIsNoneOrCouldBeAnOption) {
  for (const std::string text :
       {"plant", "ssh://", "ssh://user@", "ssh://-oProxyCommand=x", "ssh://user@-x", "ssh://-l@plant", "ssh://plant:0",
        "ssh://plant:65536", "ssh://plant:22x", "ssh://plant:", "ssh://plant/path", "ssh://pl ant", "ssh://pl'ant",
        "ssh://$(x)", "ssh://[::1", "ssh://[zz;]:22", "ssh://user:secret@plant", "ssh://@plant", "ssh://a\nb"}) {
    try {
      read_ssh_address(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.message(), ::testing::Not(::testing::HasSubstr("secret")));
    }
  }
}

TEST(SshVersion, OptionsOfSessionsFrom87On) {
  for (const char* text :
       {"OpenSSH_8.7p1, OpenSSL 3.0.1", "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026",
        "OpenSSH_10.0p2 Debian-7", "OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2", "noise\nOpenSSH_9.0"}) {
    EXPECT_TRUE(knows_session_options(text)) << text;
  }
  for (const char* text : {"OpenSSH_8.6p1", "OpenSSH_7.4p1, OpenSSL 1.0.2k", "Dropbear v2022.83", "", "OpenSSH",
                           "OpenSSH_9", "OpenSSH_9.", "OpenSSH_99999999999.1"}) {
    EXPECT_FALSE(knows_session_options(text)) << text;
  }
}

}  // namespace
}  // namespace veneer::deliver
