#include "foundation/digest.hh"

// The state of a SHA-256 is open in this interface of OpenSSL, which 3.0 has for programs that were written for 1.1.
#define OPENSSL_API_COMPAT 10100

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

#include "foundation/error.hh"
#include "foundation/sha256_blocks.hh"

namespace veneer {

namespace {
void check(int result, std::string_view algorithm) {
  if (result != 1) throw Error(ErrorKind::failed, std::string(algorithm) + " failed");
}
}  // namespace

struct Sha256::Context {
  SHA256_CTX state;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { check(SHA256_Init(&context_->state), "SHA-256"); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) { check(SHA256_Update(&context_->state, bytes.data(), bytes.size()), "SHA-256"); }

void Sha256::update_both(Sha256& one, Sha256& other, ByteView bytes) {
  SHA256_CTX& left = one.context_->state;
  SHA256_CTX& right = other.context_->state;
  if (left.num == 0 && right.num == 0 && has_sha256_instructions()) {  // both stand at the start of a block
    const std::size_t whole = bytes.size() - bytes.size() % sha256_block_size;
    sha256_blocks_twice(left.h, right.h, bytes.first(whole));
    for (SHA256_CTX* state : {&left, &right}) {
      const std::uint64_t bits = (std::uint64_t{state->Nh} << 32 | state->Nl) + 8 * std::uint64_t{whole};
      state->Nh = static_cast<SHA_LONG>(bits >> 32);
      state->Nl = static_cast<SHA_LONG>(bits);
    }
    bytes = bytes.subspan(whole);
  }
  one.update(bytes);
  other.update(bytes);
}

Hash Sha256::finish() {
  Hash hash;
  check(SHA256_Final(reinterpret_cast<unsigned char*>(hash.bytes.data()), &context_->state), "SHA-256");
  return hash;
}

Hash sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Hash sha256(ByteSource& source) {
  Sha256 hash;
  const auto buffer = std::make_unique<std::array<std::byte, 128 * 1024>>();
  while (const std::size_t count = source.read(*buffer)) hash.update(ByteView(*buffer).first(count));
  return hash.finish();
}

namespace {
std::string hexadecimal(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte b : bytes) {
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}
}  // namespace

std::optional<std::string> digest_text(std::string_view algorithm, ByteSource& source) {
  const EVP_MD* method = algorithm == "sha512"    ? EVP_sha512()
                         : algorithm == "sha384"  ? EVP_sha384()
                         : algorithm == "blake2b" ? EVP_blake2b512()
                         : algorithm == "md5"     ? EVP_md5()
                                                  : nullptr;
  if (method == nullptr) return std::nullopt;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  check(EVP_DigestInit_ex(context.get(), method, nullptr), algorithm);
  const auto buffer = std::make_unique<std::array<std::byte, 128 * 1024>>();
  while (const std::size_t count = source.read(*buffer)) {
    check(EVP_DigestUpdate(context.get(), buffer->data(), count), algorithm);
  }
  check(EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size), algorithm);
  return std::string(algorithm) + ":" + hexadecimal(ByteView(digest).first(size));
}

std::string Hash::hex() const { return hexadecimal(bytes); }

std::optional<Hash> Hash::from_hex(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  Hash hash;
  for (std::size_t i = 0; i < 64; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    hash.bytes[i / 2] = static_cast<std::byte>((std::to_integer<unsigned>(hash.bytes[i / 2]) << 4) | digit);
  }
  return hash;
}

namespace detail {
Hash parse_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    throw Error(ErrorKind::refused, "'" + printable(text) + "' is not a digest (algorithm:hexadecimal)");
  }
  if (text.substr(0, colon) != "sha256") {
    throw Error(ErrorKind::refused,
                "digest algorithm '" + printable(text.substr(0, colon)) + "' is not supported, only sha256 is");
  }
  const auto hash = Hash::from_hex(text.substr(colon + 1));
  if (!hash) throw Error(ErrorKind::refused, "'" + printable(text) + "' is not a well-formed sha256 digest");
  return *hash;
}
}  // namespace detail

}  // namespace veneer
