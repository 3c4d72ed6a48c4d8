#include "python/supply/index_credentials.hh"

#include <gtest/gtest.h>

#include "foundation/file.hh"
#include "net/download.hh"
#include "tests/support/http_server.hh"

namespace veneer::python {
namespace {

using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;

/// "user:password", or "" for none.
std::string text_of(const IndexCredentials::Answer& answer) {
  return answer.credentials ? answer.credentials->user + ":" + answer.credentials->password : "";
}

IndexCredentials two_on_one_host() {
  IndexCredentials indexes;
  indexes.add("https://host.example/a/simple/", net::Credentials{"u", "for-a"});
  indexes.add("https://host.example/a/inner/simple", net::Credentials{"u", "for-inner"});
  indexes.add("https://host.example/b/simple");
  return indexes;
}

TEST(IndexCredentials, BelongToSchemeHostAndPort) {
  IndexCredentials indexes;
  indexes.add("https://Host.example/simple", net::Credentials{"u", "p"});
  const auto of = [&](const std::string& url) { return text_of(indexes.find(url, "https://host.example/simple")); };
  EXPECT_EQ(of("https://host.example/files/x.whl"), "u:p");
  EXPECT_EQ(of("https://HOST.example:443/files/x.whl"), "u:p");
  EXPECT_EQ(of("HTTPS://host.example/files/x.whl"), "u:p");
  EXPECT_EQ(of("http://host.example/files/x.whl"), "");
  EXPECT_EQ(of("https://host.example:8443/files/x.whl"), "");
  EXPECT_EQ(of("https://other.host.example/files/x.whl"), "");
  EXPECT_EQ(of("https://host.example.evil.example/x.whl"), "");
  EXPECT_EQ(of("/a/path/x.whl"), "");
  EXPECT_EQ(of("file:///a/path/x.whl"), "");
}

TEST(IndexCredentials, LongestPathDecides) {
  const IndexCredentials indexes = two_on_one_host();
  const auto of = [&](const std::string& url, std::string_view index = "") {
    return text_of(indexes.find(url, index));
  };
  EXPECT_EQ(of("https://host.example/a/files/x.whl"), "u:for-a");
  EXPECT_EQ(of("https://host.example/a/inner/files/x.whl"), "u:for-inner");
  EXPECT_EQ(of("https://host.example/a/inner"), "u:for-inner");
  EXPECT_EQ(of("https://host.example/ab/files/x.whl"), "");
  EXPECT_EQ(of("https://host.example/b/x.whl"), "");
  // The lock says that index a lists it, but it lies below another one.
  EXPECT_EQ(of("https://host.example/b/x.whl", "https://host.example/a/simple"), "");
}

TEST(IndexCredentials, FilesElsewhereOnTheServerAreOfTheIndexThatListsThem) {
  const IndexCredentials indexes = two_on_one_host();
  const std::string url = "https://host.example/files/x.whl";
  EXPECT_EQ(text_of(indexes.find(url, "https://host.example/a/simple")), "u:for-a");
  EXPECT_EQ(text_of(indexes.find(url, "https://host.example/a/inner/simple/")), "u:for-inner");
  EXPECT_EQ(text_of(indexes.find(url, "https://host.example/b/simple")), "");
  EXPECT_EQ(text_of(indexes.find(url, "https://elsewhere.example/a/simple")), "");
  EXPECT_EQ(text_of(indexes.find(url, "")), "");
}

TEST(IndexCredentials, APageWithinAnIndexThatHasNone) {
  IndexCredentials indexes = two_on_one_host();
  indexes.add("https://host.example/b/simple/page/", net::Credentials{"u", "for-page"});
  const auto listed = [&](const std::string& url) {
    return text_of(indexes.find(url, "https://host.example/b/simple/page"));
  };
  EXPECT_EQ(listed("https://host.example/b/files/x.whl"), "u:for-page");
  EXPECT_EQ(listed("https://host.example/a/files/x.whl"), "u:for-a");
  EXPECT_EQ(text_of(indexes.find("https://host.example/b/files/x.whl", "https://host.example/b/simple")), "");
}

TEST(IndexCredentials, PathsThatServersReadDifferentlyGetNone) {
  const IndexCredentials indexes = two_on_one_host();
  for (const char* path : {"a/%2e%2e/b/x.whl", "a/.%2E/b/x.whl", "a/..%2fb/x.whl", "a/%2e%2e%5cb/x.whl"}) {
    const std::string url = std::string("https://host.example/") + path;
    EXPECT_EQ(text_of(indexes.find(url, "https://host.example/a/simple")), "") << url;
  }
  EXPECT_EQ(text_of(indexes.find("https://host.example/a/../b/x.whl", "")), "");
  EXPECT_EQ(text_of(indexes.find("https://host.example/a%2Finner/x.whl", "")), "");
}

TEST(IndexCredentials, UserInfoOfTheUrlIsUsed) {
  IndexCredentials indexes;
  indexes.add("https://me%40home:p%3Aw@host.example/a/simple");
  indexes.add("https://old:old@host.example/b/simple", net::Credentials{"new", "new"});
  indexes.add("https://host.example/a/simple");
  indexes.add("./packages");
  indexes.add("HTTPS://up:up@host.example/c/simple");
  EXPECT_EQ(text_of(indexes.find("https://host.example/a/x.whl", "")), "me@home:p:w");
  EXPECT_EQ(text_of(indexes.find("https://host.example/b/x.whl", "")), "new:new");
  EXPECT_EQ(text_of(indexes.find("https://own:own@host.example/b/x.whl", "")), "own:own");
  EXPECT_EQ(text_of(indexes.find("https://host.example/c/x.whl", "")), "up:up");
}

TEST(IndexCredentials, NetrcOverHttpOnlyForIndexesThatAreSoNamed) {
  IndexCredentials indexes;
  indexes.add("http://host.example:8080/simple");
  const auto of = [&](const std::string& url, std::string_view index = "") { return indexes.find(url, index).netrc; };
  EXPECT_EQ(of("http://host.example:8080/x.whl"), net::Netrc::over_http_too);
  EXPECT_EQ(of("http://host.example/x.whl"), net::Netrc::over_https);
  EXPECT_EQ(of("http://other.example/x.whl", "http://other.example/simple"), net::Netrc::over_http_too);
  EXPECT_EQ(of("http://other.example/x.whl", "https://other.example/simple"), net::Netrc::over_https);
}

// Two ports and two indexes on one of them, over the line.
TEST(IndexCredentials, ReachTheirServerAlone) {
  HttpServer one([](const HttpRequest&) { return HttpReply{.body = "x"}; });
  HttpServer other([&](const HttpRequest& request) {
    if (request.path == "/to-one") return HttpReply{.status = 302, .headers = {{"Location", one.url("/a/y.whl")}}};
    return HttpReply{.body = "x"};
  });
  IndexCredentials indexes;
  indexes.add(one.url("/a/simple"), net::Credentials{"u", "a"});
  indexes.add(one.url("/b/simple"), net::Credentials{"u", "b"});
  indexes.add(other.url("/to-one"), net::Credentials{"u", "other"});
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  net::Client client;
  net::Downloads downloads(folder.path(), client);
  const auto get = [&](const std::string& url) {
    const IndexCredentials::Answer access = indexes.find(url, "");
    downloads.get({.location = url,
                   .file_name = "x.whl",
                   .hash = {},
                   .size = {},
                   .credentials = access.credentials,
                   .netrc = access.netrc});
  };
  for (const char* path : {"/a/x.whl", "/b/x.whl", "/c/x.whl"}) get(one.url(path));
  for (const char* path : {"/a/x.whl", "/to-one"}) get(other.url(path));
  const auto sent = [](const HttpServer& server) {
    std::vector<std::string> result;
    for (const HttpRequest& request : server.requests())
      result.push_back(request.path + " " + request.header("authorization"));
    return result;
  };
  EXPECT_EQ(sent(one),
            (std::vector<std::string>{"/a/x.whl Basic dTph", "/b/x.whl Basic dTpi", "/c/x.whl ", "/a/y.whl "}));
  EXPECT_EQ(sent(other), (std::vector<std::string>{"/a/x.whl ", "/to-one Basic dTpvdGhlcg=="}));
}

}  // namespace
}  // namespace veneer::python
