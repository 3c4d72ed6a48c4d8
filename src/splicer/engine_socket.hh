// The two requests of the Docker Engine API that a splice needs, over a unix socket. HTTP/1.1 as RFC 9112 has it, of
// which a static program can have no library. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "foundation/stream.hh"

namespace veneer::splicer {

/// The body of the answer to GET `target`, decoded. Throws Error (network) for any status but 200.
class Download : public ByteSource {
 public:
  Download(const std::string& socket, const std::string& target);
  ~Download() override;
  std::size_t read(std::span<std::byte> into) override;

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

/// Sends what `produce` writes as the body of POST `target`, an archive. The answer's body, of any status, goes to
/// `answer`. Returns the status.
int upload(const std::string& socket, const std::string& target, const std::function<void(ByteSink&)>& produce,
           ByteSink& answer);

}  // namespace veneer::splicer
