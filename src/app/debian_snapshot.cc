#include "app/debian_snapshot.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "foundation/error.hh"
#include "net/http.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

std::string release_place(const std::string& snapshot, const std::string& suite) {
  const std::string folder = "/archive/debian/" + snapshot;
  return suite.empty() ? folder + "/" : fmt::format("{}/dists/{}/Release", folder, suite);
}

std::string newest_in_folder(const fs::path& mirror, const std::string& suite) {
  std::string newest;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(mirror / "archive" / "debian", error)) {
    const std::string name = entry.path().filename().native();
    if (fs::exists(mirror.native() + release_place(name, suite))) newest = std::max(newest, name);
  }
  return newest;
}

std::string now_on_server(const std::string& mirror, const std::string& suite, const Surroundings& surroundings) {
  net::ClientOptions options;
  if (const auto bundle = surroundings.environment("SSL_CERT_FILE")) options.ca_bundle = *bundle;
  net::Client client(options);
  const std::time_t now = surroundings.seconds_since_1970();
  std::string snapshot = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  net::Request request;
  request.method = "HEAD";
  request.url = mirror + release_place(snapshot, suite);
  if (!client.send_with_retry(request).ok()) return {};
  return snapshot;
}

}  // namespace

std::string newest_snapshot(const std::string& mirror, const std::string& suite, Surroundings& surroundings) {
  std::string place = mirror;
  while (place.ends_with('/')) place.pop_back();
  std::string snapshot;
  if (place.starts_with("file:///")) {
    snapshot = newest_in_folder(place.substr(7), suite);
  } else if (!place.empty()) {
    snapshot = in_context([] { return "looking for a snapshot of Debian's archive"; },
                          [&] { return now_on_server(place, suite, surroundings); });
  }
  if (snapshot.empty()) {
    surroundings.messages().note(
        fmt::format("snapshot = \"auto\": {} has no snapshots, so none is recorded",
                    place.empty() ? "Debian's own mirror, since no mirror is named," : net::display_url(place)));
  }
  return snapshot;
}

}  // namespace veneer::app
