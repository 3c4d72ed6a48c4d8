#include "app/releases.hh"

#include <fmt/format.h>

#include "app/open_image.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/units.hh"

namespace veneer::app {

namespace {
constexpr std::string_view dirty = "-dirty";  // see BuildSession::commit()
}  // namespace

namespace {

deliver::EngineName live_name_of(const ReleasesRequest& request, const Surroundings& surroundings) {
  if (request.live_name) return *request.live_name;
  const auto last = read_text_file_if_exists(project_store(surroundings.current_folder()) / "last", 4096);
  if (!last)
    throw Error(ErrorKind::usage, "which live name?",
                "give it by --as NAME:TAG, or name the folder of the project by --project");
  return deliver::parse_engine_name(*last).with_tag("latest");
}

}  // namespace

void check_has_releases(const HostRequest& host) {
  if (!host.address.starts_with("ssh://")) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no host reached by ssh", printable(host.address)),
                "write ssh://[user@]host");
  }
  check_host(host, host.address);
}

Releases read_releases(const ReleasesRequest& request, const Surroundings& surroundings) {
  Releases releases{live_name_of(request, surroundings), {}};
  const OpenedReceiver host = open_receiver(request.host, surroundings);
  releases.history = deliver::read_history(*host.session, releases.live_name);
  return releases;
}

RolledBack roll_back(const RollbackRequest& request, const Surroundings& surroundings,
                     const std::function<void(const deliver::Release&)>& on_found,
                     const std::function<void(const std::string&)>& on_phase) {
  const deliver::EngineName live_name = live_name_of(request.there, surroundings);
  const OpenedReceiver host = open_receiver(request.there.host, surroundings);
  const deliver::History history = deliver::read_history(*host.session, live_name);
  const deliver::Release& release = deliver::find_release(history, request.revision);
  if (!release.is_present) {
    throw Error(
        ErrorKind::not_found,
        fmt::format("the image of release {} ({}) is not on the host any more", release.revision,
                    release.image.familiar()),
        fmt::format("check out {} and deploy it{}: that release sent {} when it was new",
                    release.commit.substr(0, release.commit.find(dirty)),
                    release.commit.ends_with(dirty) ? " (it had other edits, too)" : "", human_size(release.bytes)));
  }
  on_found(release);
  deliver::RolloutRequest rollout = request.rollout;
  rollout.kind = deliver::RolloutKind::rollback;
  rollout.who = surroundings.caller();
  rollout.live_name = live_name;
  rollout.unique_name = release.image;
  rollout.image_id = "sha256:" + release.id;
  rollout.commit = release.commit;
  return {release, deliver::roll_out(*host.session, rollout, on_phase)};
}

}  // namespace veneer::app
