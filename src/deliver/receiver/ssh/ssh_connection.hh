// One connection to a host by the user's own ssh, over which any number of commands run, also at once. Everything
// that ssh_config says of the host counts: names, keys, jump hosts. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/file.hh"
#include "foundation/process.hh"

namespace veneer::deliver {

struct SshAddress {
  std::string user;  // may be empty
  std::string host;  // a name, an address, or a Host of ssh_config
  std::optional<std::uint16_t> port;

  std::string text() const;  // "user@host:port", as it may stand behind ssh://
};

/// Reads ssh://[user@]host[:port]. Throws Error (usage) that says what is wrong: also for passwords, paths, and names
/// that ssh could take for an option.
SshAddress read_ssh_address(std::string_view text);

/// Whether an ssh of this version (`ssh -V`) has StdinNull, ForkAfterAuthentication and SessionType in its
/// configuration (from 8.7 on). An older one refuses to start when it is given them.
bool knows_session_options(std::string_view version);

class SshConnection {
 public:
  explicit SshConnection(SshAddress address);
  SshConnection(const SshConnection&) = delete;
  SshConnection& operator=(const SshConnection&) = delete;
  ~SshConnection();

  const SshAddress& address() const { return address_; }

  /// Begins to connect, to save the time later, and does not wait. ssh asks the user nothing: where it would have to,
  /// or when anything else goes wrong, open() connects anew. Throws Error: not_found without ssh.
  void begin();
  /// Connects, unless that was done and the connection stands. ssh may ask the user for what it needs, on its
  /// terminal. Throws Error: network, with what ssh said; not_found without ssh.
  void open();
  /// Ends it; open() makes another.
  void close();

  /// Starts `command` there. Its exit code is 255 when the connection failed.
  std::unique_ptr<Dialogue> start_command(const std::string& command) const;

 private:
  enum class Prompts { none, allowed };

  std::vector<std::string> common_arguments() const;
  void start(Prompts prompts);
  // Until it is connected, or ssh ended.
  bool wait() const;

  SshAddress address_;
  TemporaryFolder folder_{"/tmp", "ssh"};  // of the control socket, whose name may have 107 bytes
  std::unique_ptr<Companion> master_;
  bool knows_session_options_ = false;
};

}  // namespace veneer::deliver
