#include "python/wheel/verified_content.hh"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

const EVP_MD* openssl_algorithm(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256: return EVP_sha256();
    case HashAlgorithm::sha384: return EVP_sha384();
    case HashAlgorithm::sha512: return EVP_sha512();
  }
  return nullptr;
}

class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm) : context_(EVP_MD_CTX_new()) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_, openssl_algorithm(algorithm), nullptr) == 1);
  }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher() { EVP_MD_CTX_free(context_); }

  void update(ByteView bytes) { check(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1); }
  Bytes finish() {
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    check(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
    digest.resize(size);
    return digest;
  }

 private:
  static void check(bool success) {
    if (!success) throw Error(ErrorKind::failed, "the cryptographic library cannot compute a hash");
  }
  EVP_MD_CTX* context_;
};

class VerifyingSource : public ByteSource {
 public:
  VerifyingSource(std::unique_ptr<ByteSource> inner, RecordHash expected, std::string path)
      : inner_(std::move(inner)), hasher_(expected.algorithm), expected_(std::move(expected)), path_(std::move(path)) {}

  std::size_t read(std::span<std::byte> into) override {
    if (ended_) return 0;
    const std::size_t count = inner_->read(into);
    if (count > 0) {
      hasher_.update(into.first(count));
      return count;
    }
    if (hasher_.finish() != expected_.digest) {
      throw Error(ErrorKind::refused, fmt::format("the {} of {} is not the one that RECORD gives",
                                                  algorithm_name(expected_.algorithm), printable(path_)));
    }
    ended_ = true;
    return 0;
  }

 private:
  std::unique_ptr<ByteSource> inner_;
  Hasher hasher_;
  RecordHash expected_;
  std::string path_;
  bool ended_ = false;
};

}  // namespace

VerifiedContent::VerifiedContent(std::shared_ptr<const archive::Content> inner, RecordHash expected, std::string path,
                                 Check check)
    : inner_(std::move(inner)), expected_(std::move(expected)), path_(std::move(path)), check_(check) {}

std::shared_ptr<const VerifiedContent> VerifiedContent::checked() const {
  return std::make_shared<VerifiedContent>(inner_, expected_, path_, Check::already);
}

std::unique_ptr<ByteSource> VerifiedContent::open() const {
  if (check_ == Check::already) return inner_->open();
  return std::make_unique<VerifyingSource>(inner_->open(), expected_, path_);
}

std::optional<archive::DeflatedData> VerifiedContent::deflated() const {
  std::optional<archive::DeflatedData> data = inner_->deflated();
  if (data) {
    data->sha256 = sha256();
    data->was_verified = check_ == Check::already;
  }
  return data;
}

std::optional<Hash> VerifiedContent::sha256() const {
  if (expected_.algorithm != HashAlgorithm::sha256) return std::nullopt;
  Hash hash;
  std::copy(expected_.digest.begin(), expected_.digest.end(), hash.bytes.begin());
  return hash;
}

Hash promised_sha256(const archive::Content& content) {
  const auto* verified = dynamic_cast<const VerifiedContent*>(&content);
  const std::optional<Hash> promised = verified == nullptr ? std::nullopt : verified->sha256();
  return promised ? *promised : sha256(*content.open());
}

}  // namespace veneer::python
