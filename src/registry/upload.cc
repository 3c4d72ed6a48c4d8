#include "registry/upload.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::registry {

namespace {

constexpr int most_failures = 6;  // without getting further
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::uint64_t wary_chunk = 4 << 20;
constexpr std::uint64_t most_least_chunk = 1 << 30;  // that a registry may ask for
constexpr std::string_view content_type = "application/octet-stream";

/// A blob that is read in pieces, most of the time one behind the other.
class Pieces {
 public:
  explicit Pieces(const OutgoingBlob& blob) : blob_(blob) {}

  void seek(std::uint64_t offset) {
    if (source_ == nullptr || position_ > offset) {
      source_ = blob_.open();
      position_ = 0;
    }
    Bytes skipped(std::min<std::uint64_t>(offset - position_, 1 << 16));
    while (position_ < offset) {
      const std::size_t count = std::min<std::uint64_t>(skipped.size(), offset - position_);
      if (read_full(*source_, std::span(skipped).first(count)) < count) break;
      position_ += count;
    }
  }

  /// At the blob's end its source is asked once more: it says then whether the bytes were right.
  std::size_t read(std::span<std::byte> into) {
    const std::size_t count = source_->read(into);
    position_ += count;
    std::byte behind{};
    if (position_ == blob_.size && source_->read({&behind, 1}) != 0) {
      throw Error(ErrorKind::verification, fmt::format("the blob {} is larger than it should be", blob_.digest.text()));
    }
    return count;
  }

 private:
  const OutgoingBlob& blob_;
  std::unique_ptr<ByteSource> source_;
  std::uint64_t position_ = 0;
};

class Piece : public ByteSource {
 public:
  /// `rest` is how much of it was not asked for yet.
  Piece(Pieces& pieces, std::uint64_t offset, std::uint64_t size, std::uint64_t& rest,
        const std::function<void(const UploadEvent&)>& on_event)
      : pieces_(pieces), rest_(rest), on_event_(on_event) {
    rest_ = size;
    pieces_.seek(offset);
  }
  std::size_t read(std::span<std::byte> into) override {
    if (rest_ == 0) return 0;
    const std::size_t count = pieces_.read(into.first(std::min<std::uint64_t>(into.size(), rest_)));
    rest_ -= count;
    on_event_({count, {}});
    return count;
  }

 private:
  Pieces& pieces_;
  std::uint64_t& rest_;
  const std::function<void(const UploadEvent&)>& on_event_;
};

std::string with_digest(const std::string& location, const BlobDigest& digest) {
  return fmt::format("{}{}digest={}", location, location.find('?') == std::string::npos ? '?' : '&',
                     net::percent_encode(digest.text()));
}

bool says_not_here(int status) { return status == 404 || status == 405 || status == 415 || status == 501; }

}  // namespace

std::optional<std::uint64_t> read_received(std::string_view range) {
  if (range.starts_with("bytes")) range.remove_prefix(std::min<std::size_t>(range.size(), 6));
  if (!range.starts_with("0-")) return std::nullopt;
  const auto last = read_number<std::uint64_t>(range.substr(2));
  if (!last || *last == no_limit) return std::nullopt;
  return *last + 1;
}

/// One blob on its way.
class Uploader::Upload {
 public:
  Upload(Uploader& uploader, const OutgoingBlob& blob, std::optional<std::string> location)
      : uploader_(uploader),
        session_(uploader.session_),
        memory_(uploader.memory_),
        blob_(blob),
        pieces_(blob),
        location_(std::move(location)) {}

  void run() {
    while (!is_done_) {
      if (!location_) begin();
      choose();
      try {
        answered(send());
      } catch (const net::TransportError& error) {
        if (error.retry() == net::TransportError::Retry::useless) throw;
        uploader_.on_event_({0, error.message()});
        count_failure([] { throw; });
        // Who got everything and did not answer may be at work still: two requests to one upload would spoil it.
        if (error.cause() == net::TransportError::Cause::silence && unsent_ == 0) {
          location_.reset();
        } else {
          look();
        }
      }
    }
  }

 private:
  /// What is sent next: all in the last request, a chunk, or nothing, to end it.
  enum class Kind { whole, chunk, end };

  Call call(std::string method, std::string target) const {
    Call call;
    call.method = std::move(method);
    call.target = std::move(target);
    call.scopes = {push_scope(uploader_.repository_)};
    call.redirects = net::Redirects::return_them;
    return call;
  }

  void follow(const Answer& answer) {
    if (const std::string* location = answer.header("Location")) location_ = session_.resolve(answer, *location);
  }

  void begin() {
    const Answer answer = session_.send(call("POST", uploader_.repository_ + "/blobs/uploads/"));
    if (answer.status() != 202) throw_refusal(session_, answer, "upload to " + uploader_.repository_);
    follow(answer);
    if (!location_) {
      throw Error(ErrorKind::network,
                  fmt::format("{} begins an upload and does not say where", printable(session_.address().name)));
    }
    offset_ = 0;
    was_cut_ = false;
    if (const std::string* least = answer.header("OCI-Chunk-Min-Length")) {
      least_chunk_ = std::min(read_number<std::uint64_t>(*least).value_or(0), most_least_chunk);
    }
  }

  void choose() {
    const UploadLimits limits = memory_.limits();
    const std::uint64_t rest = blob_.size - offset_;
    // Who ends the connection over a large body may have had an answer that did not get through.
    const std::uint64_t largest = failures_ >= 2 ? std::min(limits.chunk, wary_chunk) : limits.chunk;
    const std::uint64_t most = std::max(largest, least_chunk_);
    if (rest == 0) {
      kind_ = Kind::end;
      count_ = 0;
    } else if (!limits.takes_chunks || (offset_ == 0 && !was_cut_ && limits.takes_bodies && rest <= most)) {
      kind_ = Kind::whole;
      count_ = rest;
    } else {
      kind_ = Kind::chunk;
      count_ = std::min(rest, most);
    }
  }

  Answer send() {
    Call next = call(kind_ == Kind::chunk ? "PATCH" : "PUT",
                     kind_ == Kind::chunk ? *location_ : with_digest(*location_, blob_.digest));
    next.retry = net::Retry::turned_away;
    unsent_ = 0;
    if (count_ > 0) {
      next.headers.push_back({"Content-Type", std::string(content_type)});
      if (kind_ == Kind::chunk) {
        next.headers.push_back({"Content-Range", fmt::format("{}-{}", offset_, offset_ + count_ - 1)});
      }
      next.body = Body{[this]() -> std::unique_ptr<ByteSource> {
                         return std::make_unique<Piece>(pieces_, offset_, count_, unsent_, uploader_.on_event_);
                       },
                       count_};
    }
    return session_.send(next);
  }

  void answered(const Answer& answer) {
    const int status = answer.status();
    if (answer.ok()) return kind_ == Kind::chunk ? took_chunk(answer) : ended(answer);
    const auto refuse = [&] { throw_refusal(session_, answer, fmt::format("blob {}", blob_.digest.text())); };
    if (read_refusal(answer.text).has("DIGEST_INVALID")) {
      throw Error(ErrorKind::verification, fmt::format("{} received other bytes for {}",
                                                       printable(session_.address().name), blob_.digest.text()));
    }
    if (status == 401 || status == 403) refuse();
    const bool is_first = offset_ == 0 && !was_cut_;
    if (status == 413) return too_large(answer);
    if (status == 416) {
      const std::uint64_t before = offset_;
      look();
      if (location_ && offset_ != before) return count_failure(refuse);
      return too_large(answer);
    }
    if (is_first && kind_ != Kind::end && says_not_here(status)) {
      return other_way(refuse);
    }
    if (status == 400) refuse();
    count_failure(refuse);
    look();
  }

  /// A registry may take a blob in one request alone, or in chunks alone.
  template <typename GiveUp>
  void other_way(const GiveUp& give_up) {
    (kind_ == Kind::whole ? refused_whole_ : refused_chunk_) = true;
    if (refused_whole_ && refused_chunk_) give_up();
    if (kind_ == Kind::whole) {
      memory_.takes_no_bodies();
    } else {
      memory_.takes_no_chunks();
    }
    location_.reset();
  }

  void took_chunk(const Answer& answer) {
    follow(answer);
    std::uint64_t received = offset_ + count_;
    if (const std::string* range = answer.header("Range")) received = read_received(*range).value_or(received);
    if (received > offset_ + count_) {
      throw Error(ErrorKind::network,
                  fmt::format("{} says that it has {} bytes of {}; {} were sent", printable(session_.address().name),
                              received, blob_.digest.text(), offset_ + count_));
    }
    if (received <= offset_) {
      count_failure([&] {
        throw Error(ErrorKind::network,
                    fmt::format("{} takes no byte of {}", printable(session_.address().name), blob_.digest.text()));
      });
    }
    offset_ = received;
  }

  void ended(const Answer& answer) {
    const std::string* digest = answer.header("Docker-Content-Digest");
    if (digest != nullptr && *digest != blob_.digest.text()) {
      throw Error(ErrorKind::verification, fmt::format("{} calls the blob {} {}", printable(session_.address().name),
                                                       blob_.digest.text(), printable(*digest, 80)));
    }
    is_done_ = true;
  }

  void too_large(const Answer& answer) {
    const UploadLimits limits = memory_.limits();
    const bool can_shrink = limits.takes_chunks && count_ > least_chunk_ && memory_.shrink(count_);
    if (!can_shrink) throw_refusal(session_, answer, fmt::format("blob {}", blob_.digest.text()));
    if (answer.status() == 413) look();
  }

  /// How far the registry is with this upload; no location when it knows nothing of it, or has its end.
  void look() {
    was_cut_ = true;
    if (!location_) return;
    const Answer answer = session_.send(call("GET", *location_));
    const std::string* range = answer.header("Range");
    const auto received = range == nullptr ? std::nullopt : read_received(*range);
    if (answer.ok() && received && *received <= blob_.size) {
      follow(answer);
      // "0-0" is both the first byte and nothing at all: what was known before decides.
      offset_ = *received == 1 && offset_ == 0 ? 0 : *received;
      return;
    }
    location_.reset();
    if (kind_ != Kind::chunk && uploader_.has(blob_.digest)) is_done_ = true;
  }

  /// `give_up` throws.
  template <typename GiveUp>
  void count_failure(const GiveUp& give_up) {
    if (offset_ > furthest_) {
      furthest_ = offset_;
      failures_ = 0;
    }
    if (++failures_ >= most_failures) give_up();
    std::this_thread::sleep_for(first_pause * failures_);
  }

  Uploader& uploader_;
  Session& session_;
  Memory& memory_;
  const OutgoingBlob& blob_;
  Pieces pieces_;
  std::optional<std::string> location_;
  std::uint64_t offset_ = 0;  // where the registry is
  std::uint64_t least_chunk_ = 0;
  bool was_cut_ = false;
  bool refused_whole_ = false;
  bool refused_chunk_ = false;
  Kind kind_ = Kind::end;
  std::uint64_t count_ = 0;   // bytes that are sent next
  std::uint64_t unsent_ = 0;  // of them, in the last request
  std::uint64_t furthest_ = 0;
  int failures_ = 0;
  bool is_done_ = false;
};

Uploader::Uploader(Session& session, Memory& memory, std::string repository,
                   std::function<void(const UploadEvent&)> on_event)
    : session_(session), memory_(memory), repository_(std::move(repository)), on_event_(std::move(on_event)) {}

void Uploader::send(const OutgoingBlob& blob, std::optional<std::string> location) {
  Upload(*this, blob, std::move(location)).run();
}

Uploader::Mounted Uploader::mount(const BlobDigest& digest, const std::string& from) {
  Call call;
  call.method = "POST";
  call.target = fmt::format("{}/blobs/uploads/?mount={}&from={}", repository_, net::percent_encode(digest.text()),
                            net::percent_encode(from));
  call.scopes = {push_scope(repository_), pull_scope(from)};
  call.redirects = net::Redirects::return_them;
  call.retry = net::Retry::turned_away;  // a registry that fails at it gets the blob
  try {
    const Answer answer = session_.send(call);
    if (answer.status() == 201) return {true, {}};
    const std::string* location = answer.header("Location");
    if (answer.status() != 202 || location == nullptr) return {};
    return {false, session_.resolve(answer, *location)};
  } catch (const Error&) {  // also of a token service that gives none for the other repository
    return {};
  }
}

bool Uploader::has(const BlobDigest& digest) {
  Call call;
  call.method = "HEAD";
  call.target = fmt::format("{}/blobs/{}", repository_, digest.text());
  call.scopes = {push_scope(repository_)};
  return session_.send(call).ok();
}

}  // namespace veneer::registry
