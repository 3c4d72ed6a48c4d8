#include "net/download.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "foundation/file.hh"
#include "tests/support/http_server.hh"

namespace veneer::net {
namespace {

using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;
using tests::serve_range;

std::string some_bytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

class DownloadsTest : public testing::Test {
 protected:
  DownloadsTest()
      : folder_(std::filesystem::temp_directory_path(), "veneer-net-"),
        client_(options()),
        downloads_(cache(), client_) {}

  static ClientOptions options() {
    ClientOptions options;
    options.sleep = [](std::chrono::milliseconds) {};
    return options;
  }
  std::filesystem::path cache() const { return folder_.path() / "cache"; }
  DownloadRequest request_for(const std::string& url) const {
    return {.location = url,
            .file_name = "a-1.0-py3-none-any.whl",
            .hash = FileHash{sha256(body_)},
            .size = body_.size(),
            .credentials = {}};
  }
  std::filesystem::path place() const { return cache() / "wheels" / sha256(body_).hex(); }
  static std::string content(const std::filesystem::path& path) { return read_text_file(path, 1 << 30); }

  const std::string body_ = some_bytes(300'000);
  TemporaryFolder folder_;
  Client client_;
  Downloads downloads_;
};

TEST_F(DownloadsTest, FetchesOnceAndTakesItFromTheCacheAfterwards) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_); });
  const DownloadedFile first = downloads_.get(request_for(server.url("/a.whl")));
  EXPECT_EQ(first.origin, Origin::fetched);
  EXPECT_EQ(first.path, place() / "a-1.0-py3-none-any.whl");
  EXPECT_EQ(content(first.path), body_);
  const DownloadedFile second = downloads_.get(request_for(server.url("/a.whl")));
  EXPECT_EQ(second.origin, Origin::cache);
  EXPECT_EQ(second.path, first.path);
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(downloads_.statistics().requests, 1u);
  EXPECT_EQ(downloads_.statistics().bytes_fetched, body_.size());
  EXPECT_EQ(downloads_.statistics().files_from_cache, 1u);
}

TEST_F(DownloadsTest, GoesOnWhereTheConnectionWasCut) {
  std::atomic<int> count = 0;
  HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = serve_range(request, body_);
    if (++count <= 7) reply.cut_after = 40'000;  // more cuts than there are tries without progress
    return reply;
  });
  const DownloadedFile file = downloads_.get(request_for(server.url("/a.whl")));
  EXPECT_EQ(content(file.path), body_);
  EXPECT_EQ(server.requests().size(), 8u);
  EXPECT_EQ(server.requests().at(1).header("range"), "bytes=40000-");
  EXPECT_EQ(server.requests().at(1).header("if-range"), "\"v1\"");
  EXPECT_EQ(downloads_.statistics().bytes_fetched, body_.size());
}

TEST_F(DownloadsTest, GoesOnWithThePartOfAKilledProcess) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_); });
  make_folders(place());
  write_text_file(place() / ".part", body_.substr(0, 123'456));
  write_text_file(place() / ".part.etag", "\"v1\"");
  const DownloadedFile file = downloads_.get(request_for(server.url("/a.whl")));
  EXPECT_EQ(content(file.path), body_);
  EXPECT_EQ(downloads_.statistics().bytes_fetched, body_.size() - 123'456);
  EXPECT_FALSE(std::filesystem::exists(place() / ".part"));
  EXPECT_FALSE(std::filesystem::exists(place() / ".part.etag"));
}

TEST_F(DownloadsTest, StartsAgainWhenThePartIsOfAnotherFile) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_, ""); });
  make_folders(place());
  write_text_file(place() / ".part", std::string(5000, 'z'));
  EXPECT_EQ(content(downloads_.get(request_for(server.url("/a.whl"))).path), body_);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(DownloadsTest, StartsAgainWhenTheServerHasAnotherTag) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_, "\"v2\""); });
  make_folders(place());
  write_text_file(place() / ".part", std::string(5000, 'z'));
  write_text_file(place() / ".part.etag", "\"v1\"");
  EXPECT_EQ(content(downloads_.get(request_for(server.url("/a.whl"))).path), body_);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(DownloadsTest, StartsAgainWhenTheServerIgnoresRanges) {
  HttpServer server([&](const HttpRequest&) { return HttpReply{.body = body_}; });
  make_folders(place());
  write_text_file(place() / ".part", body_.substr(0, 1000));
  EXPECT_EQ(content(downloads_.get(request_for(server.url("/a.whl"))).path), body_);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(DownloadsTest, StartsAgainWhenTheServerGivesTheWrongRange) {
  HttpServer server([&](const HttpRequest& request) {
    if (request.header("range").empty()) return HttpReply{.body = body_};
    return HttpReply{.status = 206, .headers = {{"Content-Range", "bytes 0-9/10"}}, .body = "0123456789"};
  });
  make_folders(place());
  write_text_file(place() / ".part", body_.substr(0, 1000));
  EXPECT_EQ(content(downloads_.get(request_for(server.url("/a.whl"))).path), body_);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(DownloadsTest, TakesACompletePartWithoutAsking) {
  make_folders(place());
  write_text_file(place() / ".part", body_);
  EXPECT_EQ(content(downloads_.get(request_for("http://127.0.0.1:1/a.whl")).path), body_);
  EXPECT_EQ(downloads_.statistics().requests, 0u);
}

TEST_F(DownloadsTest, RefusesAnotherHashAndNamesTheUrlWithoutCredentials) {
  HttpServer server([&](const HttpRequest&) { return HttpReply{.body = std::string(body_.size(), 'x')}; });
  std::string url = server.url("/a.whl?key=hidden");
  url.insert(7, "me:secret@");
  try {
    downloads_.get(request_for(url));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    const std::string what = error.what();
    EXPECT_THAT(what, testing::HasSubstr("127.0.0.1"));
    EXPECT_THAT(what, testing::HasSubstr(sha256(body_).hex()));
    EXPECT_THAT(what, testing::Not(testing::HasSubstr("secret")));
    EXPECT_THAT(what, testing::Not(testing::HasSubstr("hidden")));
  }
  EXPECT_FALSE(std::filesystem::exists(place() / "a-1.0-py3-none-any.whl"));
  EXPECT_FALSE(std::filesystem::exists(place() / ".part"));
}

TEST_F(DownloadsTest, StopsAtTheExpectedSize) {
  HttpServer server([&](const HttpRequest&) { return HttpReply{.body = body_ + "more"}; });
  try {
    downloads_.get(request_for(server.url("/a.whl")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
  }
}

TEST_F(DownloadsTest, RefusesAShorterFile) {
  HttpServer server([&](const HttpRequest&) { return HttpReply{.body = body_.substr(1), .chunked = true}; });
  try {
    downloads_.get(request_for(server.url("/a.whl")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
  }
}

TEST_F(DownloadsTest, TellsStatusesApart) {
  HttpServer server([](const HttpRequest& request) { return HttpReply{.status = std::stoi(request.path.substr(1))}; });
  const auto kind_of = [&](const char* path) {
    try {
      downloads_.get(request_for(server.url(path)));
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::usage;
  };
  EXPECT_EQ(kind_of("/404"), ErrorKind::not_found);
  EXPECT_EQ(kind_of("/401"), ErrorKind::network);
  EXPECT_EQ(kind_of("/500"), ErrorKind::network);
}

TEST_F(DownloadsTest, SendsCredentials) {
  HttpServer server([&](const HttpRequest& request) {
    return request.header("authorization") == "Basic dTpw" ? HttpReply{.body = body_} : HttpReply{.status = 401};
  });
  DownloadRequest request = request_for(server.url("/a.whl"));
  EXPECT_THROW(downloads_.get(request), Error);
  request.credentials = Credentials{"u", "p"};
  EXPECT_EQ(content(downloads_.get(request).path), body_);
}

// Wheels from paths or poor indexes have no hash in the lock.
TEST_F(DownloadsTest, ComputesAnUnknownHash) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_); });
  DownloadRequest request = request_for(server.url("/a.whl"));
  request.hash.reset();
  request.size.reset();
  const DownloadedFile file = downloads_.get(request);
  EXPECT_EQ(file.hash.hash, sha256(body_));
  EXPECT_EQ(file.path, place() / request.file_name);
  EXPECT_EQ(downloads_.get(request).origin, Origin::fetched);
}

TEST_F(DownloadsTest, TakesLocalPathsAndFileUrls) {
  const std::filesystem::path local = folder_.path() / "a b.whl";
  write_text_file(local, body_);
  EXPECT_EQ(content(downloads_.get(request_for(local.native())).path), body_);
  std::filesystem::remove_all(cache());
  std::string url = "file://" + folder_.path().native() + "/a%20b.whl";
  EXPECT_EQ(content(downloads_.get(request_for(url)).path), body_);
  std::filesystem::remove_all(cache());
  try {
    downloads_.get(request_for((folder_.path() / "missing.whl").native()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST_F(DownloadsTest, RefusesFileNamesThatLeadElsewhere) {
  for (const char* name : {"", ".", "..", ".part", "a/b.whl", "../a.whl"}) {
    DownloadRequest request = request_for("http://127.0.0.1:1/");
    request.file_name = name;
    EXPECT_THROW(downloads_.get(request), Error) << name;
  }
}

TEST_F(DownloadsTest, FetchesManyInParallelAndReportsProgress) {
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < 20; ++i) bodies.push_back(some_bytes(1000 * (i + 1)) + std::to_string(i));
  HttpServer server(
      [&](const HttpRequest& request) { return serve_range(request, bodies.at(std::stoul(request.path.substr(1)))); });
  std::vector<DownloadRequest> requests;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    requests.push_back({.location = server.url("/" + std::to_string(i)),
                        .file_name = "f" + std::to_string(i) + ".whl",
                        .hash = FileHash{sha256(bodies[i])},
                        .size = bodies[i].size(),
                        .credentials = {}});
    total += bodies[i].size();
  }
  DownloadProgress last;
  const std::vector<DownloadedFile> files =
      downloads_.get_all(requests, 4, [&](const DownloadProgress& progress) { last = progress; });
  ASSERT_EQ(files.size(), bodies.size());
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(content(files[i].path), bodies[i]);
  EXPECT_EQ(last.files_done, 20u);
  EXPECT_EQ(last.files_total, 20u);
  EXPECT_EQ(last.bytes_done, total);
  EXPECT_EQ(last.bytes_total, total);
  last = {};
  downloads_.get_all(requests, 4, [&](const DownloadProgress& progress) { last = progress; });
  EXPECT_EQ(last.files_total, 0u);
  EXPECT_EQ(server.requests().size(), 20u);
}

TEST_F(DownloadsTest, FetchesAFileOnceForManyThatWantIt) {
  HttpServer server([&](const HttpRequest& request) { return serve_range(request, body_); });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Client client(options());
      Downloads other(cache(), client);
      EXPECT_EQ(content(other.get(request_for(server.url("/a.whl"))).path), body_);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server.requests().size(), 1u);
}

}  // namespace
}  // namespace veneer::net
