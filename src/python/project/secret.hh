// Which files hold what must not get into an image by accident. Pure but for what reads the start of files;
// thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

/// A file that is taken for a secret, and what for: "an environment file".
struct Secret {
  std::string path;
  std::string_view kind;
};

/// How much of a file is looked at, in bytes.
inline constexpr std::size_t secret_start = 1 << 20;
/// A larger JSON file is data.
inline constexpr std::size_t largest_credentials = 64 << 10;

/// What the file at `path` is taken for, "an environment file", or nothing when it is no secret. By its name:
/// environment files (".env", ".env.*" but those that end with .example, .sample or .template), keys of ssh ("id_rsa",
/// "id_dsa", "id_ecdsa", "id_ed25519"), ".netrc", ".pypirc". By its content: "*.pem" and "*.key" with a private key
/// (PEM of any kind, or DER of PKCS #1, PKCS #8 or SEC 1), "*.json" with the credentials of a cloud (of Google: service
/// accounts, refresh tokens, client secrets; of Amazon: a secret access key; of Azure: the secret or password of a
/// service principal). `start` gives the first secret_start bytes; it is asked only where the content decides.
std::string_view secret_of(std::string_view path, const std::function<std::string()>& start);

/// Those of `paths` below `root` that are secrets, in their order.
std::vector<Secret> secrets_among(const std::filesystem::path& root, const std::vector<std::string>& paths);

/// secret_of() of the file at root/path; of a symbolic link its name alone counts.
std::string_view file_secret(const std::filesystem::path& root, std::string_view path);

}  // namespace veneer::python
