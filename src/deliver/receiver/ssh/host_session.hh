// What one run of veneer asks of one host over ssh, request after request: to one shell a task, which gets the script
// once. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/ssh/host_script.hh"
#include "deliver/receiver/ssh/ssh_connection.hh"

namespace veneer::deliver {

enum class Elevation { none, sudo };

struct SshOptions {
  std::string program;  // "docker" or "podman"; empty: the first of them that the host has
  Elevation elevation = Elevation::none;
  std::string staging;                          // folder on the host for what is sent; empty: the user's cache
  std::string who;                              // for whom this is, as a host says it to others; may be empty
  std::string fail_point;                       // where the host's script dies once, for tests
  std::chrono::seconds patience{60};            // of which nothing moves, then the connection is taken for dead
  std::chrono::milliseconds first_pause{1000};  // before connecting again; doubled up to longest_pause
  std::chrono::milliseconds longest_pause{15000};
  int attempts = 6;  // to connect again without getting any further
};

/// What is kept on a host for one live name (archives that wait, a history) is found by this.
std::string group_of(const EngineName& live_name);

class HostSession {
 public:
  HostSession(SshAddress address, SshOptions options);

  const SshAddress& address() const { return connection_.address(); }
  SshOptions& options() { return options_; }
  /// A name as the host's engine lists it: podman by its full form, docker by the short one.
  std::string listed_name(const EngineName& name) const;
  /// Begins to connect while something else is done, without asking the user for anything.
  void begin() { connection_.begin(); }
  /// Connects, unless the connection stands. Throws Error (network).
  void open() { connection_.open(); }
  void close();

  /// A request with what all of them have: the engine, how to run it, where to keep things.
  HostRequest request(HostTask task, std::string_view verb) const;

  /// Sends a question and does not wait: send() or ask() with the same request reads the answer, while others of other
  /// tasks are asked. To be called when open() was.
  void ask_ahead(const HostRequest& request);

  /// Sends `request` and, with an act, `body` (may be nullptr); the answer's lines go to `answer`. Whether it ended is
  /// for the caller to see. `progress`: see Command. Throws what `answer` and `body` throw.
  CommandResult send(const HostRequest& request, ByteSource* body, HostAnswer& answer,
                     std::function<std::uint64_t()> progress = {});

  /// The same with a short body, once more when the line is cut before the answer begins, and Error (network) that says
  /// what came instead when there was no whole answer; (refused) with the host's reason when it refuses.
  void ask(const HostRequest& request, const std::function<void(const HostLine&)>& on_line, std::string_view body = {});

  int round_trips() const { return round_trips_; }

 private:
  struct Shell {
    std::unique_ptr<Dialogue> dialogue;  // none: it has not begun, or is over
    std::string ahead;                   // the nonce of what it was asked ahead
  };
  Shell& shell_with(const HostRequest& request);

  SshConnection connection_;
  SshOptions options_;
  std::map<HostTask, Shell> shells_;
  int round_trips_ = 0;
};

}  // namespace veneer::deliver
