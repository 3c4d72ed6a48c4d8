// A container on a host of which only the engine's API is reached: it has the engine read its own old layers back and
// load them with what was sent (a splice), which needs something on the host that is not the line. Its program is
// src/splicer, static, in an image of its own; it has no network, only the engine's socket. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "deliver/receiver/receiver.hh"
#include "engine/engine_transport.hh"

namespace veneer::deliver {

/// The label of helper containers; its value is the live name of the shipment.
inline constexpr std::string_view helper_label = "dev.veneer.helper";

class Helper {
 public:
  /// `socket`: where the engine listens, as the host sees it. `transport` must outlive the helper.
  Helper(engine::EngineTransport& transport, std::string socket) : transport_(transport), socket_(std::move(socket)) {}
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  /// Takes container and image away again, as far as the engine can be reached.
  ~Helper();

  /// What sending the helper itself costs, in bytes. Nothing when its program does not run on `machine`.
  static std::optional<std::uint64_t> cost(const image::Platform& machine);

  /// Sends what the plan sends in pieces of 1 MiB, of which a cut line costs one, and has the engine load it with what
  /// it splices. Returns what went wrong. Throws Error (network) when the engine cannot be reached any more.
  std::optional<Problem> take(const Delivery& delivery, const OnEvent& on_event);

  int requests() const { return requests_; }
  /// Of archives, without those that wrap their pieces.
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  engine::EngineAnswer call(std::string_view method, const std::string& target, const std::string& json = {});
  void tidy(const std::string& live_name);
  std::optional<Problem> load_image();
  std::optional<Problem> create_container(const std::string& live_name);
  std::optional<Problem> put(const std::string& name, ByteView content, const OnEvent& on_event);
  std::optional<Problem> put_archive(const SentArchive& archive, const OnEvent& on_event);
  std::optional<Problem> run();

  engine::EngineTransport& transport_;
  std::string socket_;
  std::string image_;      // its name, when it was loaded
  std::string container_;  // its identifier, when there is one
  int requests_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace veneer::deliver
