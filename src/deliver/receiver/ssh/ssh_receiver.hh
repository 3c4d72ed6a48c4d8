// A host reached by ssh, with docker or podman and nothing of ours: each step is one run of host_script.sh. What is
// sent waits in a file there until it is whole, so that a cut costs nothing but what was under way. docs/receivers.md,
// "Over ssh". One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "deliver/receiver/receiver.hh"
#include "deliver/receiver/ssh/host_script.hh"
#include "deliver/receiver/ssh/ssh_connection.hh"

namespace veneer::deliver {

enum class Elevation { none, sudo };

struct SshOptions {
  std::string program;  // "docker" or "podman"; empty: the first of them that the host has
  Elevation elevation = Elevation::none;
  std::string staging;                          // folder on the host for what is sent; empty: the user's cache
  std::string fail_point;                       // where the host's script dies once, for tests
  std::chrono::seconds patience{60};            // of which nothing moves, then the connection is taken for dead
  std::chrono::milliseconds first_pause{1000};  // before connecting again; doubled up to longest_pause
  std::chrono::milliseconds longest_pause{15000};
  int attempts = 6;  // to connect again without getting any further
};

class SshReceiver : public Receiver {
 public:
  SshReceiver(SshAddress address, SshOptions options);

  Inventory inventory(const Question& question, const OnEvent& on_event) override;
  std::optional<Problem> take(const Delivery& delivery, const OnEvent& on_event) override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  int round_trips() const override { return round_trips_; }

 private:
  enum class Outcome { done, cut, elsewhere };
  struct Parcel;
  struct Attempt;

  HostRequest request(std::string_view verb) const;
  void ask(const HostRequest& request, const std::function<void(const HostLine&)>& on_line);
  void connect(const OnEvent& on_event);
  HostRequest put_request(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset) const;
  Attempt try_to_put(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset, const OnEvent& on_event);
  std::uint64_t find_offset(const std::string& part, std::uint64_t size);

  SshConnection connection_;
  SshOptions options_;
  std::string program_;                         // on the host, once it is known
  std::string sender_;                          // tells our own earlier connections from other senders
  std::map<std::string, std::uint64_t> parts_;  // what waits on the host: name -> bytes
  std::uint64_t bytes_sent_ = 0;
  int round_trips_ = 0;
};

}  // namespace veneer::deliver
