#include "registry/session.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "registry/repository.hh"
#include "tests/support/errors.hh"
#include "tests/support/http_server.hh"

namespace veneer::registry {
namespace {

using std::chrono::seconds;
using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;

/// A registry that wants tokens, and the clock of those who ask it.
class SessionTest : public ::testing::Test {
 protected:
  HttpReply answer(const HttpRequest& request) {
    if (request.path.starts_with("/token")) {
      ++tokens_;
      return {.body = "{\"token\":\"t" + std::to_string(tokens_) + "\",\"expires_in\":100}"};
    }
    if (request.header("authorization").empty()) {
      return {.status = 401,
              .headers = {{"WWW-Authenticate", "Bearer realm=\"" + server_.url("/token") + "\",service=\"s\""}}};
    }
    if (request.path == "/v2/") return {};
    return then_(request);
  }

  Session& session() {
    if (!session_) {
      SessionOptions options;
      options.clock = [this] { return now_; };
      options.sleep = [](std::chrono::milliseconds) {};
      session_.emplace(address_of("127.0.0.1:" + std::to_string(server_.port())), std::move(options));
    }
    return *session_;
  }
  Call call(std::string method = "GET") {
    Call call;
    call.method = std::move(method);
    call.target = "a/manifests/1";
    call.scopes = {pull_scope("a")};
    return call;
  }
  std::size_t asked(std::string_view path) const {
    const auto requests = server_.requests();
    return static_cast<std::size_t>(
        std::ranges::count_if(requests, [&](const HttpRequest& request) { return request.path.starts_with(path); }));
  }

  int tokens_ = 0;
  std::chrono::steady_clock::time_point now_{};
  std::function<HttpReply(const HttpRequest&)> then_ = [](const HttpRequest&) { return HttpReply{.body = "yes"}; };
  HttpServer server_{[this](const HttpRequest& request) { return answer(request); }};
  std::optional<Session> session_;
};

TEST_F(SessionTest, OneTokenForASetOfScopesUntilItEnds) {
  EXPECT_EQ(session().send(call()).text, "yes");
  EXPECT_EQ(session().send(call()).text, "yes");
  EXPECT_EQ(asked("/token"), 1u);
  EXPECT_EQ(server_.requests()[1].path, "/token?service=s&scope=repository%3Aa%3Apull");
  Call other = call();
  other.scopes = {pull_scope("a"), push_scope("b")};
  session().send(other);
  EXPECT_EQ(asked("/token"), 2u);
  now_ += seconds(95);  // it would end on the way
  session().send(call());
  EXPECT_EQ(asked("/token"), 3u);
}

// aws/containers-roadmap#2835
TEST_F(SessionTest, AnEndedTokenIsRenewedOnceWhateverTheStatusIs) {
  then_ = [&](const HttpRequest& request) {
    now_ += seconds(200);  // it ends while the registry works
    return HttpReply{.status = request.header("authorization") == "Bearer t1" ? 400 : 201};
  };
  EXPECT_EQ(session().send(call()).status(), 201);
  EXPECT_EQ(asked("/token"), 2u);
  then_ = [&](const HttpRequest&) { return HttpReply{.status = 400}; };  // a fresh one
  const std::size_t before = asked("/a/");
  now_ += seconds(1);
  EXPECT_EQ(session().send(call()).status(), 400);
  EXPECT_EQ(asked("/v2/a/"), before + 3u);
}

TEST_F(SessionTest, BodiesAreSentAgainFromTheirStart) {
  int times = 0;
  then_ = [&](const HttpRequest& request) {
    EXPECT_EQ(request.body, "body");
    return HttpReply{.status = ++times == 1 ? 503 : 201, .headers = {{"Retry-After", "7"}}};
  };
  Call put = call("PUT");
  put.retry = net::Retry::turned_away;
  put.body = Body{[] { return std::make_unique<MemorySource>(as_bytes("body")); }, 4};
  EXPECT_EQ(session().send(put).status(), 201);
  EXPECT_EQ(times, 2);
  then_ = [](const HttpRequest&) { return HttpReply{.no_answer = true}; };
  EXPECT_THROW(session().send(put), net::TransportError);
  EXPECT_EQ(asked("/v2/a/"), 3u) << "what may have been done is not done again";
}

TEST_F(SessionTest, ManyAreAskedAtOnce) {
  then_ = [](const HttpRequest& request) { return HttpReply{.status = request.path.ends_with("7") ? 404 : 200}; };
  std::vector<Call> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(call("HEAD"));
    calls.back().target = "a/blobs/" + std::to_string(i);
  }
  const std::vector<Answer> answers = session().send_together(calls);
  ASSERT_EQ(answers.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(answers[i].status(), i == 7 || i == 17 ? 404 : 200) << i;
  EXPECT_EQ(asked("/token"), 1u);
  EXPECT_EQ(asked("/v2/a/"), 20u);
}

TEST_F(SessionTest, TagsByPages) {
  then_ = [&](const HttpRequest& request) {
    if (request.path.ends_with("last=b")) return HttpReply{.body = "{\"tags\":[\"c\"]}"};
    return HttpReply{.headers = {{"Link", "</v2/a/tags/list?n=2&last=b>; rel=\"next\""}},
                     .body = "{\"tags\":[\"a\",\"b\"]}"};
  };
  const std::shared_ptr<Session> shared(std::shared_ptr<void>(), &session());
  EXPECT_THAT(Repository(shared, "a").tags(), ::testing::ElementsAre("a", "b", "c"));
  then_ = [&](const HttpRequest&) {
    return HttpReply{.headers = {{"Link", "</v2/a/tags/list?n=2&last=b>; rel=\"next\""}}, .body = "{\"tags\":[]}"};
  };
  EXPECT_THAT(tests::error_of([&] { Repository(shared, "a").tags(); }).what(), ::testing::HasSubstr("has no end"));
}

TEST(RefusalText, OfAnyBody) {
  EXPECT_EQ(read_refusal("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\u0007\"}]}").message, "no\\x07");
  EXPECT_TRUE(read_refusal("{\"errors\":[{\"code\":\"A\"},{\"code\":\"BLOB_UNKNOWN\"}]}").has("BLOB_UNKNOWN"));
  for (const char* text : {"", "<html>", "{\"errors\":7}", "{\"errors\":[7]}"})
    EXPECT_TRUE(read_refusal(text).codes.empty());
}

}  // namespace
}  // namespace veneer::registry
