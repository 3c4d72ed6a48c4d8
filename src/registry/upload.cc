#include "registry/upload.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::registry {

namespace {

constexpr int most_failures = 6;   // without getting further
constexpr int most_cuts = 32;      // in the middle of what is sent; a registry may forget the upload at each
constexpr int longest_pause = 10;  // times the first
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::uint64_t wary_chunk = 4 << 20;
constexpr std::uint64_t most_least_chunk = 1 << 30;  // that a registry may ask for
constexpr std::string_view content_type = "application/octet-stream";

/// An upload that the registry has begun.
struct Begun {
  std::string location;
  std::uint64_t offset = 0;       // how far it is
  std::uint64_t least_chunk = 0;  // bytes
  bool is_untouched = true;       // nothing was sent to it
};

/// Without getting further than that.
struct Failures {
  std::uint64_t furthest = 0;
  int count = 0;
  int cuts = 0;  // of a line that had taken bytes

  int all() const { return count + cuts; }
};

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
      : uploader_(uploader), blob_(blob), pieces_(blob) {
    if (location) begun_ = Begun{*std::move(location)};
  }

  void run() {
    while (!step()) {
    }
  }

 private:
  /// What is sent next: all in the last request, a chunk, or nothing, to end it.
  struct Part {
    enum class Kind { whole, chunk, end } kind;
    std::uint64_t size;
  };

  /// Begins, asks and sends as far as one answer; true when the blob is there.
  bool step() {
    if (!begun_) begun_ = begin();
    const Part part = next();
    std::uint64_t unsent = part.size;
    try {
      return answered(part, send(part, unsent));
    } catch (const net::TransportError& error) {
      if (error.retry() == net::TransportError::Retry::useless) throw;
      uploader_.on_event_({0, error.message()});
      const bool is_cut = error.cause() == net::TransportError::Cause::line && unsent < part.size;
      failed([] { throw; }, is_cut ? &Failures::cuts : &Failures::count);
      // Who got everything and did not answer may be at work still: two requests to one upload would spoil it.
      if (error.cause() != net::TransportError::Cause::silence || unsent > 0) return look(part);
      begun_.reset();
      return false;
    }
  }

  Call call(std::string method, std::string target) const {
    Call call;
    call.method = std::move(method);
    call.target = std::move(target);
    call.scopes = {push_scope(uploader_.repository_)};
    call.redirects = net::Redirects::return_them;
    return call;
  }

  std::optional<std::string> location_of(const Answer& answer) const {
    const std::string* location = answer.header("Location");
    return location == nullptr ? std::nullopt : std::optional(session().resolve(answer, *location));
  }

  Begun begin() {
    const Answer answer = session().send(call("POST", uploader_.repository_ + "/blobs/uploads/"));
    if (answer.status() != 202) throw_refusal(session(), answer, "upload to " + uploader_.repository_);
    auto location = location_of(answer);
    if (!location) {
      throw Error(ErrorKind::network, fmt::format("{} begins an upload and does not say where", registry()));
    }
    Begun begun{*std::move(location)};
    if (const std::string* least = answer.header("OCI-Chunk-Min-Length")) {
      begun.least_chunk = std::min(read_number<std::uint64_t>(*least).value_or(0), most_least_chunk);
    }
    return begun;
  }

  Part next() const {
    const UploadLimits limits = memory().limits();
    const std::uint64_t rest = blob_.size - begun_->offset;
    // Who ends the connection over a large body may have had an answer that did not get through.
    const std::uint64_t largest = failures_.all() >= 2 ? std::min(limits.chunk, wary_chunk) : limits.chunk;
    const std::uint64_t most = std::max(largest, begun_->least_chunk);
    if (rest == 0) return {Part::Kind::end, 0};
    if (!limits.takes_chunks || (begun_->is_untouched && limits.takes_bodies && rest <= most)) {
      return {Part::Kind::whole, rest};
    }
    return {Part::Kind::chunk, std::min(rest, most)};
  }

  Answer send(const Part& part, std::uint64_t& unsent) {
    const std::uint64_t offset = begun_->offset;
    Call next = part.kind == Part::Kind::chunk ? call("PATCH", begun_->location)
                                               : call("PUT", with_digest(begun_->location, blob_.digest));
    next.retry = net::Retry::turned_away;
    if (part.size > 0) {
      next.headers.push_back({"Content-Type", std::string(content_type)});
      if (part.kind == Part::Kind::chunk) {
        next.headers.push_back({"Content-Range", fmt::format("{}-{}", offset, offset + part.size - 1)});
      }
      next.body = Body{[&, offset]() -> std::unique_ptr<ByteSource> {
                         return std::make_unique<Piece>(pieces_, offset, part.size, unsent, uploader_.on_event_);
                       },
                       part.size};
    }
    return session().send(next);
  }

  bool answered(const Part& part, const Answer& answer) {
    if (answer.ok() && part.kind != Part::Kind::chunk) return ended(answer);
    if (answer.ok()) return took_chunk(part, answer);
    const int status = answer.status();
    const auto refuse = [&] { throw_refusal(session(), answer, fmt::format("blob {}", blob_.digest.text())); };
    if (read_refusal(answer.text).has("DIGEST_INVALID")) {
      throw Error(ErrorKind::verification,
                  fmt::format("{} received other bytes for {}", registry(), blob_.digest.text()));
    }
    if (status == 401 || status == 403) refuse();
    if (status == 413) {
      shrink(part, refuse);
      return look(part);
    }
    if (status == 416) {  // it is elsewhere than was thought, or wants less at a time
      const std::uint64_t before = begun_->offset;
      if (look(part)) return true;
      if (begun_ && begun_->offset != before) {
        failed(refuse);
      } else {
        shrink(part, refuse);
      }
      return false;
    }
    if (begun_->is_untouched && part.kind != Part::Kind::end && says_not_here(status)) {
      if (refused_ && *refused_ != part.kind) refuse();
      other_way(part);
      return false;
    }
    if (status == 400) refuse();
    failed(refuse);
    return look(part);
  }

  /// A registry may take a blob in one request alone, or in chunks alone.
  void other_way(const Part& part) {
    refused_ = part.kind;
    begun_.reset();
    if (part.kind == Part::Kind::whole) {
      memory().takes_no_bodies();
    } else {
      memory().takes_no_chunks();
    }
  }

  bool took_chunk(const Part& part, const Answer& answer) {
    if (auto location = location_of(answer)) begun_->location = *std::move(location);
    begun_->is_untouched = false;
    const std::uint64_t sent = begun_->offset + part.size;
    std::uint64_t received = sent;
    if (const std::string* range = answer.header("Range")) received = read_received(*range).value_or(received);
    if (received > sent) {
      throw Error(ErrorKind::network, fmt::format("{} says that it has {} bytes of {}; {} were sent", registry(),
                                                  received, blob_.digest.text(), sent));
    }
    if (received <= begun_->offset) {
      failed([&] {
        throw Error(ErrorKind::network, fmt::format("{} takes no byte of {}", registry(), blob_.digest.text()));
      });
    }
    begun_->offset = received;
    return false;
  }

  bool ended(const Answer& answer) const {
    const std::string* digest = answer.header("Docker-Content-Digest");
    if (digest != nullptr && *digest != blob_.digest.text()) {
      throw Error(ErrorKind::verification,
                  fmt::format("{} calls the blob {} {}", registry(), blob_.digest.text(), printable(*digest, 80)));
    }
    return true;
  }

  template <typename GiveUp>
  void shrink(const Part& part, const GiveUp& give_up) {
    const std::uint64_t least = begun_ ? begun_->least_chunk : 0;
    if (!memory().limits().takes_chunks || part.size <= least || !memory().shrink(part.size)) give_up();
  }

  /// Asks how far the registry is; nothing is begun when it knows nothing of it, or has its end. True when the blob is
  /// there.
  bool look(const Part& last) {
    if (!begun_) return false;
    const Answer answer = session().send(call("GET", begun_->location));
    const std::string* range = answer.header("Range");
    const auto received = range == nullptr ? std::nullopt : read_received(*range);
    if (answer.ok() && received && *received <= blob_.size) {
      if (auto location = location_of(answer)) begun_->location = *std::move(location);
      begun_->is_untouched = false;
      // "0-0" is both the first byte and nothing at all: what was known before decides.
      begun_->offset = *received == 1 && begun_->offset == 0 ? 0 : *received;
      return false;
    }
    begun_.reset();
    return last.kind != Part::Kind::chunk && uploader_.has(blob_.digest);
  }

  /// `give_up` throws.
  template <typename GiveUp>
  void failed(const GiveUp& give_up, int Failures::*kind = &Failures::count) {
    const std::uint64_t offset = begun_ ? begun_->offset : 0;
    if (offset > failures_.furthest) failures_ = {.furthest = offset};
    ++(failures_.*kind);
    if (failures_.count >= most_failures || failures_.cuts >= most_cuts) give_up();
    session().pause(first_pause * std::min(failures_.all(), longest_pause));
  }

  Session& session() const { return uploader_.session_; }
  Memory& memory() const { return uploader_.memory_; }
  std::string registry() const { return printable(session().address().name); }

  Uploader& uploader_;
  const OutgoingBlob& blob_;
  Pieces pieces_;
  std::optional<Begun> begun_;
  Failures failures_;
  std::optional<Part::Kind> refused_;  // where the other way was taken since
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
