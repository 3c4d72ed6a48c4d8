#include "registry/credentials.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base64.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tests/support/errors.hh"

namespace veneer::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
constexpr std::string_view canary = "c4nary";

TEST(Base64, AsTheSpecificationHasIt) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("Zm9vYg"), "foob");
  EXPECT_EQ(decode_base64("++//"), "\xfb\xef\xff");
  for (const char* wrong : {"Z", "Zg=", "Z===", "Zh==", "Zm9v=", "Z-==", "Zg==Zg==", " Zg="}) {
    EXPECT_EQ(decode_base64(wrong), std::nullopt) << wrong;
  }
}

TEST(AuthFile, OfDockerAndPodman) {
  // "ada:c4nary:x"
  const AuthFile file = read_auth_file(R"({"auths": {"registry.example": {"auth": "YWRhOmM0bmFyeTp4"},
    "https://index.docker.io/v1/": {"identitytoken": "c4nary", "auth": ""}, "empty.example": {}, "plain.example":
    {"username": "u", "password": "p"}}, "credHelpers": {"gcr.example": "gcloud-2"}, "credsStore": "pass",
    "HttpHeaders": {"x": 1}, "currentContext": "default"})");
  EXPECT_EQ(file.logins.at("registry.example").user, "ada");
  EXPECT_EQ(file.logins.at("registry.example").password, "c4nary:x");
  EXPECT_EQ(file.logins.at("https://index.docker.io/v1/").identity_token, "c4nary");
  EXPECT_EQ(file.logins.at("plain.example").password, "p");
  EXPECT_FALSE(file.logins.contains("empty.example"));
  EXPECT_EQ(file.helpers.at("gcr.example"), "gcloud-2");
  EXPECT_EQ(file.store, "pass");
  EXPECT_TRUE(read_auth_file("").logins.empty());
}

TEST(AuthFile, NoErrorQuotesIt) {
  for (const std::string text :
       {"c4nary", "[\"c4nary\"]", "{\"auths\": {\"x\": {\"auth\": \"c4nary\"}}}", "{\"c4nary\": 1, \"c4nary\": 2}",
        "{\"credHelpers\": {\"c4nary\": 7}}", "{\"auths\": {\"x\": {\"auth\": \"YWRh\"}}}"}) {
    const Error error = tests::error_of([&] { read_auth_file(text); });
    EXPECT_EQ(error.kind(), ErrorKind::refused) << text;
    EXPECT_THAT(error.what() + error.hint(), Not(HasSubstr(std::string(canary)))) << text;
  }
  for (const std::string name : {"../x", "A", "a b", "a;b", "a.b"}) {
    EXPECT_THROW(read_auth_file("{\"credsStore\": \"" + name + "\"}"), Error) << name;
  }
}

TEST(AuthFile, TheFirstThatKnowsTheRegistryAnswers) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "auth");
  const auto write = [&](const std::string& name, const std::string& text) {
    make_folders((folder.path() / name).parent_path());
    write_text_file(folder.path() / name, text);
  };
  std::map<std::string, std::string> variables{{"HOME", folder.path().native()}};
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  EXPECT_TRUE(find_login("registry.example", environment).is_anonymous());
  write(".docker/config.json", "{\"auths\": {\"other.example\": {\"auth\": \"b3RoZXI6eA==\"}}}");
  write(".config/containers/auth.json",
        "{\"auths\": {\"https://registry.example/v2/\": {\"auth\": \"cG9kbWFuOng=\"}}}");
  EXPECT_EQ(find_login("registry.example", environment).user, "podman");
  variables["XDG_RUNTIME_DIR"] = (folder.path() / "run").native();
  write("run/containers/auth.json", "{\"auths\": {\"registry.example\": {\"auth\": \"cnVudGltZTp4\"}}}");
  EXPECT_EQ(find_login("registry.example", environment).user, "runtime");
  variables["REGISTRY_AUTH_FILE"] = (folder.path() / "named").native();
  EXPECT_TRUE(find_login("registry.example", environment).is_anonymous());
  write("named", "{\"auths\": {");
  EXPECT_THAT(tests::error_of([&] { find_login("registry.example", environment); }).what(), HasSubstr("named"));
}

// google/go-containerregistry#233
TEST(CredentialHelper, OneThatHangsIsEnded) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "helper");
  write_text_file(folder.path() / "docker-credential-slow", "#!/bin/sh\ncat >/dev/null\nsleep 60\n", 0755);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder.path().native() + ":" + path).c_str(), 1);
  const Error error = tests::error_of([&] { ask_helper("slow", "registry.example", std::chrono::seconds(1)); });
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.what(), HasSubstr("docker-credential-slow said nothing for 1 seconds"));
  EXPECT_FALSE(error.hint().empty());
}

}  // namespace
}  // namespace veneer::registry
