#include "python/project/secret.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

std::string_view by_name(std::string_view path) {
  return secret_of(path, []() -> std::string { throw Error(ErrorKind::failed, "the content was asked for"); });
}

std::string_view by_content(std::string_view path, const std::string& text) {
  return secret_of(path, [&] { return text; });
}

TEST(Secret, IsKnownByItsName) {
  for (const char* path : {".env", "a/.env", ".env.local", "a/b/.env.production", "id_rsa", ".ssh/id_ed25519", "id_dsa",
                           "id_ecdsa", ".netrc", "a/.pypirc"}) {
    EXPECT_NE(by_name(path), "") << path;
  }
  for (const char* path : {".env.example", ".env.sample", ".env.template", ".env.local.example", "env", ".envrc",
                           "x.env", "id_rsa.pub", "netrc", "a.py", ".env/lib/x.py", "key", "pem"}) {
    EXPECT_EQ(by_name(path), "") << path;
  }
}

TEST(Secret, IsAPrivateKeyByItsContent) {
  for (const char* label : {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                            "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"}) {
    const std::string text =
        std::string("x\n-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN ") + label + "-----\nx";
    EXPECT_EQ(by_content("a/server.pem", text), "a private key") << label;
    EXPECT_EQ(by_content("server.key", text), "a private key") << label;
    EXPECT_EQ(by_content("server.txt", text), "") << label;
  }
  for (const std::string text :
       {"", "-----BEGIN CERTIFICATE-----\nPRIVATE KEY\n", "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN ", "a keynote"}) {
    EXPECT_EQ(by_content("a.pem", text), "") << text;
  }
}

TEST(Secret, IsAPrivateKeyInDer) {
  using namespace std::string_literals;
  EXPECT_NE(by_content("a.key", "\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01"s), "");  // PKCS #1
  EXPECT_NE(by_content("a.key", "\x30\x82\x04\xbc\x02\x01\x00\x30\x0d\x06"s), "");  // PKCS #8
  EXPECT_NE(by_content("a.key", "\x30\x77\x02\x01\x01\x04\x20zzzz"s), "");          // SEC 1
  EXPECT_EQ(by_content("a.key", "\x30\x82\x04\xbc\x30\x82"s), "");                  // a certificate
  EXPECT_EQ(by_content("a.key", "\x30"s), "");
}

TEST(Secret, IsOfACloudByItsContent) {
  for (
      const char* text :
      {R"({"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMII"})",
       R"({"type": "authorized_user", "client_secret": "d-FL95Q19q7MQmFpd7hHD0Ty", "refresh_token": "1//0gYfakefakefake"})",
       R"({"installed": {"client_secret": "GOCSPX-abcdefgh", "token_uri": "https://oauth2.example/token"}})",
       R"({"AccessKey": {"AccessKeyId": "AKIAFAKE", "SecretAccessKey": "abcdefghijklmnop"}})",
       R"({"clientId": "11111111-2222", "clientSecret": "abcdefgh~x", "tenantId": "33333333-4444"})",
       R"({"appId": "11111111-2222", "password": "abcdefgh~x", "tenant": "33333333-4444"})"}) {
    EXPECT_EQ(by_content("a/key.json", text), "credentials of a cloud") << text;
    EXPECT_EQ(by_content("a/key.txt", text), "") << text;
  }
  for (const char* text : {"", "{", "[]", R"({"private_key": "see the vault"})",
                           R"({"clientSecret": "Client Secret", "tenantId": "Tenant ID"})",
                           R"({"password": "Password", "tenant": "Tenant", "appId": "App"})",
                           R"({"client_secret": "", "token_uri": ""})"}) {
    EXPECT_EQ(by_content("de.json", text), "") << text;
  }
}

}  // namespace
}  // namespace veneer::python
