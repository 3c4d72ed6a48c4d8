#include "registry/repository.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::registry {

namespace {

constexpr std::size_t most_tags = 10'000;
constexpr std::size_t most_pages = 1000;

/// "application/json" of "application/json; charset=utf-8".
std::string media_type_of(const Answer& answer) {
  const std::string* value = answer.header("Content-Type");
  if (value == nullptr) return {};
  return std::string(trimmed(std::string_view(*value).substr(0, value->find(';'))));
}

std::optional<ManifestDigest> named_digest(const Answer& answer) {
  const std::string* value = answer.header("Docker-Content-Digest");
  if (value == nullptr) return std::nullopt;
  return ManifestDigest::parse(*value);
}

void refuse_schema_1(const Document& document) {
  constexpr std::string_view schema_1 = "application/vnd.docker.distribution.manifest.v1+";
  bool is_old = document.media_type.starts_with(schema_1);
  if (!is_old && document.text.find("fsLayers") != std::string::npos) {
    try {
      const Value value = parse_json(document.text);
      const Value* version = value.find("schemaVersion");
      is_old = version != nullptr && *version == Value(1);
    } catch (const Error&) {  // its reader says what is wrong
    }
  }
  if (!is_old) return;
  throw Error(ErrorKind::refused, "it is a manifest of schema 1, which is out of use since 2015 and not read",
              "pull and push it with a current tool, which writes it anew");
}

/// Passes on at most what is missing of a blob.
class BlobSink : public ByteSink {
 public:
  BlobSink(ByteSink& next, std::uint64_t rest, std::uint64_t skipped) : next_(next), rest_(rest), skipped_(skipped) {}
  void write(ByteView bytes) override {
    const std::size_t skip = static_cast<std::size_t>(std::min<std::uint64_t>(skipped_, bytes.size()));
    skipped_ -= skip;
    bytes = bytes.subspan(skip);
    if (bytes.empty()) return;
    if (bytes.size() > rest_ - count_) {
      throw Error(ErrorKind::verification, "the registry sends more than the blob has");
    }
    count_ += bytes.size();
    next_.write(bytes);
  }
  void commit() override {}
  std::uint64_t count() const { return count_; }

 private:
  ByteSink& next_;
  std::uint64_t rest_;
  std::uint64_t skipped_;  // of an answer that begins at the blob's start although more was there
  std::uint64_t count_ = 0;
};

/// The target of Link: <...>; rel="next" (RFC 8288).
std::optional<std::string> next_page(const Answer& answer) {
  const std::string* link = answer.header("Link");
  if (link == nullptr || link->find("next") == std::string::npos) return std::nullopt;
  const std::size_t start = link->find('<');
  const std::size_t end = link->find('>');
  if (start == std::string::npos || end == std::string::npos || end < start) return std::nullopt;
  return link->substr(start + 1, end - start - 1);
}

}  // namespace

Repository::Repository(std::shared_ptr<Session> session, std::string name)
    : session_(std::move(session)), name_(std::move(name)) {}

Call Repository::call(std::string_view method, const std::string& target) const {
  Call call;
  call.method = method;
  call.target = name_ + "/" + target;
  call.scopes = {pull_scope(name_)};
  return call;
}

std::optional<Document> Repository::manifest(std::string_view reference) const {
  Call question = call("GET", fmt::format("manifests/{}", reference));
  question.headers.push_back({"Accept", std::string(accepted_manifests)});
  const std::string what = fmt::format("the manifest {} of {}", printable(reference), printable(name_));
  Document document;
  BoundedText sink(document.text, manifest_limit, "the registry answered");
  const Answer answer = in_context([&] { return "reading " + what; },
                                   [&] {
                                     return session_->send(question, [&](const net::Response&) -> ByteSink* {
                                       document.text.clear();
                                       return &sink;
                                     });
                                   });
  if (answer.status() == 404) return std::nullopt;
  if (answer.status() != 200) throw_refusal(*session_, answer, what);
  return in_context([&] { return "reading " + what; },
                    [&] {
                      document.media_type = media_type_of(answer);
                      document.digest = {sha256(document.text)};
                      refuse_schema_1(document);
                      std::optional<ManifestDigest> wanted = named_digest(answer);
                      if (reference.starts_with("sha256:")) wanted = ManifestDigest::parse(reference);
                      if (wanted && *wanted != document.digest) {
                        throw Error(ErrorKind::verification, fmt::format("it has the content of {}, not of {}",
                                                                         document.digest.text(), wanted->text()));
                      }
                      return document;
                    });
}

std::optional<ManifestDigest> Repository::digest_of(std::string_view tag) const {
  Call question = call("HEAD", fmt::format("manifests/{}", tag));
  question.headers.push_back({"Accept", std::string(accepted_manifests)});
  const Answer answer = session_->send(question);
  if (answer.status() == 404) return std::nullopt;
  if (answer.status() != 200) {
    throw_refusal(*session_, answer, fmt::format("the manifest {} of {}", printable(tag), printable(name_)));
  }
  return named_digest(answer);
}

std::vector<bool> Repository::has(const std::vector<BlobDigest>& blobs) const {
  std::vector<Call> calls;
  for (const BlobDigest& blob : blobs) {
    calls.push_back(call("HEAD", "blobs/" + blob.text()));
    calls.back().redirects = net::Redirects::return_them;  // one that is sent elsewhere is there
  }
  const std::vector<Answer> answers = session_->send_together(calls);
  std::vector<bool> has;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    const int status = answers[i].status();
    const bool is_there = answers[i].ok() || status == 302 || status == 307;
    if (!is_there && status != 404) throw_refusal(*session_, answers[i], "an answer about " + blobs[i].text());
    has.push_back(is_there);
  }
  return has;
}

std::uint64_t Repository::read_blob(const BlobDigest& blob, std::uint64_t size, std::uint64_t offset,
                                    ByteSink& sink) const {
  Call question = call("GET", "blobs/" + blob.text());
  if (offset > 0) question.headers.push_back({"Range", fmt::format("bytes={}-", offset)});
  question.retry = net::Retry::turned_away;  // what came of it stays; the caller goes on from there
  std::optional<BlobSink> rest;
  const std::string what = "the blob " + blob.text();
  Answer answer;
  try {
    answer = session_->send(question, [&](const net::Response& response) -> ByteSink* {
      const std::uint64_t begins = response.status == 206 ? response.range_start().value_or(0) : 0;
      if (begins > offset) {
        throw Error(ErrorKind::verification,
                    fmt::format("the registry sends {} from byte {} on, not from {}", blob.text(), begins, offset));
      }
      rest.emplace(sink, size - offset, offset - begins);
      return &*rest;
    });
  } catch (const net::TransportError&) {
    if (rest && rest->count() > 0) return rest->count();
    throw;
  }
  if (answer.ok()) return rest ? rest->count() : 0;
  if (answer.status() == 416 && offset > 0) return 0;
  throw_refusal(*session_, answer, what);
}

std::vector<std::string> Repository::tags() const {
  std::vector<std::string> tags;
  Call question = call("GET", "tags/list?n=1000");
  for (std::size_t page = 0;; ++page) {
    const Answer answer = session_->send(question);
    if (!answer.ok()) throw_refusal(*session_, answer, fmt::format("the tags of {}", printable(name_)));
    const Value document = parse_json(answer.text);
    if (const Value* all = document.find("tags"); all != nullptr && !all->is_null()) {
      for (const Value& tag : all->array()) tags.push_back(tag.string());
    }
    const auto next = next_page(answer);
    if (!next) return tags;
    if (tags.size() > most_tags || page == most_pages) {
      throw Error(ErrorKind::refused, fmt::format("the list of tags of {} has no end", printable(name_)));
    }
    question.target = session_->resolve(answer, *next);
  }
}

}  // namespace veneer::registry
