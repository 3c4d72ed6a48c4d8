#include "registry/upload.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/temporary.hh"
#include "tests/support/http_server.hh"

namespace veneer::registry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;

/// A registry that takes uploads as a test says, and who sends to it without ever sleeping.
class UploadTest : public ::testing::Test {
 protected:
  HttpReply answer(const HttpRequest& request) {
    if (request.path == "/v2/") return {};
    if (request.method == "POST")
      return {.status = 202, .headers = {{"Location", "/upload/" + std::to_string(++begun_)}}};
    return then_(request);
  }

  void send() {
    SessionOptions options;
    options.sleep = [this](milliseconds time) { slept_.push_back(time.count()); };
    Session session(address_of("127.0.0.1:" + std::to_string(server_.port())), std::move(options));
    Memory memory(folder_.path(), "some", 1'800'000'000);
    const OutgoingBlob blob{BlobDigest{sha256(text_)}, text_.size(),
                            [this] { return std::make_unique<MemorySource>(as_bytes(text_)); }};
    Uploader(session, memory, "a").send(blob);
    limits_ = memory.limits();
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> methods;
    for (const HttpRequest& request : server_.requests()) {
      if (request.path != "/v2/") methods.push_back(request.method);
    }
    return methods;
  }

  int begun_ = 0;
  std::string text_ = "some bytes";
  std::vector<std::int64_t> slept_;
  UploadLimits limits_;
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "upload"};
  std::function<HttpReply(const HttpRequest&)> then_;
  HttpServer server_{[this](const HttpRequest& request) { return answer(request); }};
};

TEST_F(UploadTest, PausesAsTheSessionSays) {
  int times = 0;
  then_ = [&](const HttpRequest& request) -> HttpReply {
    if (request.method != "PUT") return {.status = 404};
    return {.status = ++times < 4 ? 500 : 201};
  };
  send();
  EXPECT_THAT(slept_, ElementsAre(100, 200, 300));
  EXPECT_THAT(methods(), ElementsAre("POST", "PUT", "GET", "HEAD", "POST", "PUT", "GET", "HEAD", "POST", "PUT", "GET",
                                     "HEAD", "POST", "PUT"));
}

TEST_F(UploadTest, GivesUpAfterSixFailures) {
  then_ = [](const HttpRequest& request) -> HttpReply { return {.status = request.method == "PUT" ? 500 : 404}; };
  EXPECT_THROW(send(), Error);
  EXPECT_THAT(slept_, ElementsAre(100, 200, 300, 400, 500));
}

TEST_F(UploadTest, ARegistryThatTakesNoBodiesGetsChunks) {
  then_ = [](const HttpRequest& request) -> HttpReply {
    if (request.method == "PUT" && !request.body.empty()) return {.status = 404};
    return {.status = request.method == "PATCH" ? 202 : 201};
  };
  send();
  EXPECT_THAT(methods(), ElementsAre("POST", "PUT", "POST", "PATCH", "PUT"));
  EXPECT_FALSE(limits_.takes_bodies);
  EXPECT_TRUE(slept_.empty());
}

TEST_F(UploadTest, ARegistryThatTakesNeitherIsNotAskedForEver) {
  then_ = [](const HttpRequest&) -> HttpReply { return {.status = 405}; };
  EXPECT_THROW(send(), Error);
  EXPECT_THAT(methods(), ElementsAre("POST", "PUT", "POST", "PATCH"));
}

TEST_F(UploadTest, GoesOnWhereTheRegistryIs) {
  int times = 0;
  then_ = [&](const HttpRequest& request) -> HttpReply {
    if (request.method == "GET") return {.status = 204, .headers = {{"Range", "0-3"}}};
    if (++times == 1) return {.status = 500};
    if (request.method != "PATCH") return {.status = 201};
    EXPECT_EQ(request.body, text_.substr(4));
    EXPECT_EQ(request.header("content-range"), "4-9");
    return {.status = 202};
  };
  send();
  EXPECT_THAT(methods(), ElementsAre("POST", "PUT", "GET", "PATCH", "PUT"));
}

}  // namespace
}  // namespace veneer::registry
