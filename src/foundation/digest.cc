#include "foundation/digest.hh"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "foundation/error.hh"

namespace veneer {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorKind::failed, "OpenSSL offers no SHA-256");
  }
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  if (EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorKind::failed, "SHA-256 failed");
  }
}

Hash Sha256::finish() {
  Hash hash;
  if (EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(hash.bytes.data()), nullptr) != 1) {
    throw Error(ErrorKind::failed, "SHA-256 failed");
  }
  return hash;
}

void add_field(Sha256& hash, std::string_view text) {
  hash.update(fmt::format("{}:", text.size()));
  hash.update(text);
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
  bool is_well = EVP_DigestInit_ex(context.get(), method, nullptr) == 1;
  const auto buffer = std::make_unique<std::array<std::byte, 128 * 1024>>();
  while (const std::size_t count = source.read(*buffer)) {
    is_well = is_well && EVP_DigestUpdate(context.get(), buffer->data(), count) == 1;
  }
  is_well = is_well && EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1;
  if (!is_well) throw Error(ErrorKind::failed, std::string(algorithm) + " failed");
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
