// A host reached by ssh, with docker or podman and nothing of ours: each step is one run of a script. What is
// sent waits in a file there until it is whole, so that a cut costs nothing but what was under way. docs/receivers.md,
// "Over ssh". One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "deliver/receiver/receiver.hh"
#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::deliver {

class SshReceiver : public Receiver {
 public:
  /// `session` must outlive the receiver.
  explicit SshReceiver(HostSession& session);

  Inventory inventory(const Question& question, const OnEvent& on_event) override;
  std::optional<Problem> take(const Delivery& delivery, const OnEvent& on_event) override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  int round_trips() const override { return session_.round_trips(); }

 private:
  enum class Outcome { done, cut, elsewhere };
  struct Parcel;
  struct Attempt;

  void find_blobs(Inventory& inventory, const Question& question);
  HostRequest put_request(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset) const;
  Attempt try_to_put(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset, const OnEvent& on_event);
  std::uint64_t find_offset(const std::string& part, std::uint64_t size);

  HostSession& session_;
  std::string asked_program_;                   // by the user; the session learns which one there is
  std::string sender_;                          // tells our own earlier connections from other senders
  std::map<std::string, std::uint64_t> parts_;  // what waits on the host: name -> bytes
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace veneer::deliver
