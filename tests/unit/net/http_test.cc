#include "net/http.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/file.hh"
#include "foundation/process.hh"
#include "tests/support/http_server.hh"

namespace veneer::net {
namespace {

using std::chrono::milliseconds;
using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;

/// Never waits, but notes for how long it was asked to.
ClientOptions options_with(std::vector<milliseconds>& waits) {
  ClientOptions options;
  options.sleep = [&waits](milliseconds delay) { waits.push_back(delay); };
  return options;
}

/// A delay of so much, or of up to a half more: by chance.
auto about(std::int64_t count) {
  return testing::AllOf(testing::Ge(milliseconds(count)), testing::Le(milliseconds(count * 3 / 2)));
}

HttpReply text(std::string body, int status = 200) {
  return {.status = status, .headers = {}, .body = std::move(body)};
}
HttpReply redirect(std::string to, int status = 302) {
  return {.status = status, .headers = {{"Location", std::move(to)}}, .body = "moved"};
}

TEST(Client, GetsABody) {
  HttpServer server([](const HttpRequest&) {
    HttpReply reply = text("hello");
    reply.headers.emplace_back("X-Thing", " a b ");
    return reply;
  });
  Client client;
  std::string body;
  const Response response =
      client.fetch({.url = server.url("/x?y=1"), .headers = {{"Accept", "text/plain"}}}, body, 100);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body, "hello");
  ASSERT_NE(response.header("x-thing"), nullptr);
  EXPECT_EQ(*response.header("x-thing"), "a b");
  EXPECT_EQ(server.requests().at(0).path, "/x?y=1");
  EXPECT_EQ(server.requests().at(0).header("accept"), "text/plain");
  EXPECT_EQ(server.requests().at(0).header("user-agent"), "veneer");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Client, ProgramsDoNotGetItsConnections) {
  HttpServer server([](const HttpRequest&) { return text("hello"); });
  Client client;
  // Connections only: libcurl has a pair of sockets for itself that carries nothing.
  constexpr const char* count =
      "for file in /proc/self/fd/*; do readlink $file; done | sed -n 's/^socket:.\\([0-9]*\\).$/\\1/p' >inodes;"
      "echo none >>inodes;"  // without any pattern grep counts nothing
      "awk '{ print $10 }' /proc/net/tcp | grep -cxFf inodes";
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  const Command list{.arguments = {"sh", "-c", count}, .folder = folder.path()};
  const std::string before = run(list).output;
  std::string during;
  client.send({.url = server.url()}, [&](const Response&) -> ByteSink* {
    during = run(list).output;
    return nullptr;
  });
  EXPECT_EQ(during, before);
}

TEST(Client, GivesEveryStatusBack) {
  HttpServer server([](const HttpRequest& request) { return text("body", std::stoi(request.path.substr(1))); });
  Client client;
  for (const int status : {201, 304, 400, 401, 404, 409, 500}) {
    EXPECT_EQ(client.send({.url = server.url("/" + std::to_string(status))}).status, status);
  }
}

TEST(Client, SendsTogether) {
  HttpServer server([](const HttpRequest& request) {
    if (request.path == "/cut") return HttpReply{.no_answer = true};
    if (request.path == "/long") return text(std::string(200, 'x'));
    return text(request.path, request.path == "/9" ? 404 : 200);
  });
  Client client;
  std::vector<Request> requests;
  for (int i = 0; i < 40; ++i) requests.push_back({.url = server.url("/" + std::to_string(i))});
  requests.push_back({.url = server.url("/cut")});
  requests.push_back({.url = server.url("/long")});
  for (int round = 0; round < 2; ++round) {
    const std::vector<Answered> answers = client.send_together(requests, 100);
    ASSERT_EQ(answers.size(), 42u);
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(answers[i].body, "/" + std::to_string(i));
      EXPECT_EQ(answers[i].response.status, i == 9 ? 404 : 200);
    }
    EXPECT_THROW(std::rethrow_exception(answers[40].failure), TransportError);
    EXPECT_THROW(std::rethrow_exception(answers[41].failure), Error);
  }
}

TEST(Client, ForgetsNoBodyWithoutEnd) {
  HttpServer server([](const HttpRequest&) { return text(std::string(17 << 20, 'x'), 404); });
  Client client;
  EXPECT_THROW(client.send({.url = server.url()}), Error);
}

TEST(Client, RefusesABodyOverTheLimit) {
  HttpServer server([](const HttpRequest&) { return text(std::string(2000, 'x')); });
  Client client;
  std::string body;
  EXPECT_THROW(client.fetch({.url = server.url()}, body, 1999), Error);
  EXPECT_EQ(client.fetch({.url = server.url()}, body, 2000).status, 200);
}

TEST(Client, PostsABodyOfKnownAndOfUnknownSize) {
  HttpServer server([](const HttpRequest& request) { return text("got " + std::to_string(request.body.size()), 201); });
  Client client;
  const std::string big(300'000, 'b');
  for (const bool is_known : {true, false}) {
    MemorySource source(as_bytes(big));
    BytesSink sink;
    Request request{.method = "POST", .url = server.url("/load"), .headers = {{"Content-Type", "application/x-tar"}}};
    request.body = &source;
    if (is_known) request.body_size = big.size();
    const Response response = client.send(request, [&](const Response&) { return &sink; });
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(as_text(sink.bytes()), "got 300000");
    const HttpRequest seen = server.requests().back();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.header("content-type"), "application/x-tar");
    EXPECT_EQ(seen.header("expect"), "");
    EXPECT_EQ(seen.header("transfer-encoding"), is_known ? "" : "chunked");
    EXPECT_EQ(seen.body, big);
  }
}

TEST(Client, SendsOtherMethodsWithoutABody) {
  HttpServer server([](const HttpRequest& request) { return text(request.method == "HEAD" ? "" : "x"); });
  Client client;
  for (const char* method : {"DELETE", "HEAD", "POST", "PUT"}) {
    EXPECT_EQ(client.send({.method = method, .url = server.url()}).status, 200) << method;
    EXPECT_EQ(server.requests().back().method, method);
  }
  EXPECT_EQ(server.requests().at(2).header("content-length"), "0");
}

TEST(Client, SpeaksThroughAUnixSocket) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  const std::filesystem::path socket = folder.path() / "engine.sock";
  HttpServer server([](const HttpRequest& request) { return text("you asked " + request.path); }, socket);
  ClientOptions options;
  options.unix_socket = socket;
  Client client(options);
  std::string body;
  EXPECT_EQ(client.fetch({.url = "http://engine/v1.24/_ping"}, body, 1000).status, 200);
  EXPECT_EQ(body, "you asked /v1.24/_ping");
  EXPECT_EQ(server.requests().at(0).header("host"), "engine");
}

TEST(Client, PassesOnWhatSinkAndSourceThrow) {
  HttpServer server([](const HttpRequest&) { return text(std::string(100'000, 'x')); });
  Client client;
  class Full : public ByteSink {
    void write(ByteView) override { throw Error(ErrorKind::failed, "no space left"); }
    void commit() override {}
  } full;
  class Broken : public ByteSource {
    std::size_t read(std::span<std::byte>) override { throw Error(ErrorKind::verification, "a bad blob"); }
  } broken;
  const auto send = [&](ByteSource* body) {
    client.send({.method = "PUT", .url = server.url(), .body = body}, [&](const Response&) { return &full; });
  };
  try {
    client.send({.url = server.url()}, [&](const Response&) { return &full; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "no space left");
  }
  try {
    send(&broken);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "a bad blob");
  }
}

TEST(Client, SendsCredentialsAndKeepsThemOutOfErrors) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.no_answer = true}; });
  ClientOptions options;
  options.attempts = 1;
  Client client(options);
  std::string body;
  const std::string url = "http://user:secret@127.0.0.1:" + std::to_string(server.port()) + "/x?token=hidden";
  try {
    client.fetch({.url = url}, body, 10);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("hidden"), std::string::npos) << error.what();
  }
  EXPECT_EQ(server.requests().at(0).header("authorization"), "Basic dXNlcjpzZWNyZXQ=");
}

TEST(Client, ReadsNetrcForThePasswordOfAUser) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  write_text_file(folder.path() / "netrc",
                  "machine 127.0.0.1 login you password no\nmachine 127.0.0.1 login me password pw\n"
                  "default login any password no\n",
                  0600);
  HttpServer server([](const HttpRequest&) { return text("x"); });
  ClientOptions options;
  options.netrc = folder.path() / "netrc";
  Client client(options);
  const auto sent = [&](const Credentials& credentials, Netrc netrc) {
    client.send({.url = server.url(), .credentials = credentials, .netrc = netrc});
    return server.requests().back().header("authorization");
  };
  EXPECT_EQ(sent({"me", ""}, Netrc::over_http_too), "Basic bWU6cHc=");
  EXPECT_EQ(sent({"me", ""}, Netrc::over_https), "Basic bWU6");
  EXPECT_EQ(sent({"me", ""}, Netrc::unused), "Basic bWU6");
  EXPECT_EQ(sent({"me", "x"}, Netrc::over_http_too), "Basic bWU6eA==");
  EXPECT_EQ(sent({"who", ""}, Netrc::over_http_too), "Basic d2hvOg==");
  client.send({.url = "http://me@127.0.0.1:" + std::to_string(server.port()) + "/", .netrc = Netrc::over_http_too});
  EXPECT_EQ(server.requests().back().header("authorization"), "Basic bWU6cHc=");
}

TEST(Client, ReadsNetrcForHostsWithoutCredentials) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  write_text_file(folder.path() / "netrc", "machine 127.0.0.1 login me password pw\n", 0600);
  HttpServer server([](const HttpRequest&) { return text("x"); });
  ClientOptions options;
  options.netrc = folder.path() / "netrc";
  Client client(options);
  client.send({.url = server.url(), .netrc = Netrc::over_http_too});
  EXPECT_EQ(server.requests().back().header("authorization"), "Basic bWU6cHc=");
  for (const Netrc netrc : {Netrc::over_https, Netrc::unused}) {
    client.send({.url = server.url(), .netrc = netrc});
    EXPECT_EQ(server.requests().back().header("authorization"), "");
  }
}

TEST(Redirects, ToAnotherServerAskNetrcNoMore) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "net");
  write_text_file(folder.path() / "netrc", "machine 127.0.0.1 login me password pw\n", 0600);
  HttpServer other([](const HttpRequest&) { return text("there"); });
  HttpServer server([&](const HttpRequest&) { return redirect(other.url("/final")); });
  ClientOptions options;
  options.netrc = folder.path() / "netrc";
  Client client(options);
  client.send({.url = server.url(), .netrc = Netrc::over_http_too});
  EXPECT_EQ(server.requests().at(0).header("authorization"), "Basic bWU6cHc=");
  EXPECT_EQ(other.requests().at(0).header("authorization"), "");
}

TEST(Redirects, KeepCredentialsOnTheSameServerOnly) {
  HttpServer other([](const HttpRequest&) { return text("there"); });
  std::string elsewhere = other.url("/final");
  HttpServer server([&](const HttpRequest& request) {
    if (request.path == "/start") return redirect("/second");
    if (request.path == "/second") return redirect(elsewhere, 307);
    return text("wrong");
  });
  Client client;
  std::string body;
  Request request{.url = server.url("/start"),
                  .headers = {{"Authorization", "Bearer abc"}, {"Cookie", "a=b"}, {"Range", "bytes=0-"}}};
  const Response response = client.fetch(request, body, 100);
  EXPECT_EQ(body, "there");
  EXPECT_EQ(response.url, elsewhere);
  EXPECT_EQ(server.requests().at(1).header("authorization"), "Bearer abc");
  EXPECT_EQ(other.requests().at(0).header("authorization"), "");
  EXPECT_EQ(other.requests().at(0).header("cookie"), "");
  EXPECT_EQ(other.requests().at(0).header("range"), "bytes=0-");

  Request with_user{.url = server.url("/start"), .credentials = Credentials{"u", "p"}};
  client.send(with_user);
  EXPECT_NE(server.requests().back().header("authorization"), "");
  EXPECT_EQ(other.requests().back().header("authorization"), "");
}

TEST(Redirects, EndAfterTen) {
  HttpServer server([](const HttpRequest& request) { return redirect(request.path + "x"); });
  Client client;
  EXPECT_THROW(client.send({.url = server.url("/a")}), Error);
  EXPECT_EQ(server.requests().size(), 11u);
}

TEST(Redirects, DoNotLeaveHttp) {
  HttpServer server([](const HttpRequest& request) {
    return redirect(request.path == "/file" ? "file:///etc/passwd" : "gopher://127.0.0.1/x");
  });
  Client client;
  EXPECT_THROW(client.send({.url = server.url("/file")}), Error);
  EXPECT_THROW(client.send({.url = server.url("/other")}), Error);
}

TEST(Redirects, AreAnswersWhenAskedForOrWithABody) {
  HttpServer server([](const HttpRequest&) { return redirect("/elsewhere", 307); });
  Client client;
  EXPECT_EQ(client.send({.url = server.url(), .redirects = Redirects::return_them}).status, 307);
  MemorySource source(as_bytes("x"));
  EXPECT_EQ(client.send({.method = "PUT", .url = server.url(), .body = &source}).status, 307);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST(Retry, TriesTransientStatusesAgainWithGrowingDelays) {
  std::atomic<int> count = 0;
  HttpServer server([&](const HttpRequest&) { return ++count < 4 ? text("busy", 503) : text("done"); });
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  std::string body;
  EXPECT_EQ(client.fetch({.url = server.url()}, body, 100).status, 200);
  EXPECT_EQ(body, "done");
  EXPECT_THAT(waits, testing::ElementsAre(about(500), about(1000), about(2000)));
}

TEST(Retry, ObeysRetryAfter) {
  std::atomic<int> count = 0;
  HttpServer server([&](const HttpRequest&) {
    HttpReply reply = text("", 429);
    switch (++count) {
      case 1: reply.headers = {{"Retry-After", "7"}}; return reply;
      case 2:
        reply.headers = {{"Date", "Tue, 06 Jan 2026 10:00:00 GMT"}, {"Retry-After", "Tue, 06 Jan 2026 10:00:09 GMT"}};
        return reply;
      case 3: reply.headers = {{"Retry-After", "86400"}}; return reply;
      case 4: reply.headers = {{"Retry-After", "soon"}}; return reply;
      default: return text("done");
    }
  });
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  EXPECT_EQ(client.send_with_retry({.url = server.url()}).status, 200);
  EXPECT_THAT(waits, testing::ElementsAre(about(7000), about(9000), milliseconds(30000), about(4000)));
}

TEST(Retry, ReturnsTheLastAnswer) {
  HttpServer server([](const HttpRequest&) { return text("still busy", 500); });
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  std::string body;
  EXPECT_EQ(client.fetch({.url = server.url()}, body, 100).status, 500);
  EXPECT_EQ(body, "still busy");
  EXPECT_EQ(server.requests().size(), 5u);
}

TEST(Retry, DoesNotRepeatWhatWillNotChange) {
  HttpServer server([](const HttpRequest&) { return text("", 404); });
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  EXPECT_EQ(client.send_with_retry({.url = server.url()}).status, 404);
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_TRUE(waits.empty());
}

TEST(Retry, TriesLostConnectionsAgainWithAFreshSink) {
  std::atomic<int> count = 0;
  HttpServer server([&](const HttpRequest&) {
    HttpReply reply = text("0123456789");
    switch (++count) {
      case 1: return HttpReply{.no_answer = true};
      case 2: reply.cut_after = 4; return reply;
      default: return reply;
    }
  });
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  std::string body;
  EXPECT_EQ(client.fetch({.url = server.url()}, body, 100).status, 200);
  EXPECT_EQ(body, "0123456789");
  EXPECT_EQ(waits.size(), 2u);
}

TEST(Retry, GivesUpWithTheErrorWhenNobodyListens) {
  int port = 0;
  {
    port = HttpServer([](const HttpRequest&) { return text(""); }).port();
  }
  std::vector<milliseconds> waits;
  Client client(options_with(waits));
  EXPECT_THROW(client.send_with_retry({.url = "http://127.0.0.1:" + std::to_string(port) + "/"}), TransportError);
  EXPECT_EQ(waits.size(), 4u);
}

TEST(Client, GivesUpWhenNoByteMoves) {
  HttpServer server([](const HttpRequest&) {
    HttpReply reply = text("late");
    reply.delay_before_body = milliseconds(2500);
    return reply;
  });
  Client client;
  Request request{.url = server.url(), .stall_timeout = std::chrono::seconds(1)};
  EXPECT_THROW(client.send(request), TransportError);
  request.stall_timeout = std::chrono::seconds(0);
  EXPECT_EQ(client.send(request).status, 200);
}

TEST(Client, RefusesHeadersWithLineBreaks) {
  Client client;
  EXPECT_THROW(client.send({.url = "http://127.0.0.1:1/", .headers = {{"X", "a\r\nInjected: b"}}}), Error);
  EXPECT_THROW(client.send({.url = "http://127.0.0.1:1/", .headers = {{"X: y", "a"}}}), Error);
}

}  // namespace
}  // namespace veneer::net
