#include "deliver/receiver/ssh/ssh_receiver.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <thread>

#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/foreign_images.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr int first_engine_with_layouts = 25;  // `docker save` writes blobs/sha256/DIFF_ID from this version on
constexpr std::size_t pattern_digits = 12;     // of a diff ID: enough to find images, few to send
constexpr std::uint64_t least_worth_a_look = 256 * 1024;  // the host reads the whole image for it

std::string random_word() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// A line "name bytes".
void take_part(std::map<std::string, std::uint64_t>& parts, std::string_view value) {
  const std::size_t space = value.rfind(' ');
  if (space == std::string_view::npos || parts.size() >= 1000) return;
  if (const auto size = read_number<std::uint64_t>(value.substr(space + 1)))
    parts[std::string(value.substr(0, space))] = *size;
}

int major_version(const std::string& version) {
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

Error connection_lost(const SshAddress& address, std::string_view why) {
  return {ErrorKind::network, fmt::format("the connection to {} was lost: {}", address.text(), why)};
}

}  // namespace

SshReceiver::SshReceiver(HostSession& session)
    : session_(session), asked_program_(session.options().program), sender_(random_word()) {}

Inventory SshReceiver::inventory(const Question& question, const OnEvent& on_event) {
  tell(on_event, {Event::Kind::connecting, session_.address().text(), 0, 0});
  session_.open();
  tell(on_event, {Event::Kind::asking, {}, 0, 0});
  session_.options().program = asked_program_;
  HostRequest request = session_.request(HostTask::ship, "inventory");
  request.add("pattern", question.live_name.reference().familiar().substr(
                             0, question.live_name.reference().familiar().rfind(':') + 1));
  for (const image::Layer& layer : question.layers) {
    request.add("pattern", layer.diff_id.text().substr(0, sizeof("sha256:") - 1 + pattern_digits));
  }
  const int round_trips_before = session_.round_trips();
  Inventory inventory;
  std::string version;
  std::string info = "{}";
  std::optional<std::string> problem;
  session_.ask(request, [&](const HostLine& line) {
    if (line.key == "version") version = line.value;
    if (line.key == "info") info = line.value;
    if (line.key == "disk") inventory.free_disk = read_number<std::uint64_t>(line.value);
    if (line.key == "stage") inventory.free_staging = read_number<std::uint64_t>(line.value);
    if (line.key == "part") take_part(parts_, line.value);
    if (line.key == "problem") problem = printable(trimmed(line.value), 1000);
    if (line.key == "image" && inventory.images.size() < most_images) {
      // An image that is described oddly counts as one that is not known.
      try {
        if (auto image = read_image(line.value)) inventory.images.push_back(std::move(*image));
      } catch (const Error&) {
      }
    }
  });
  if (problem) {
    throw Error(ErrorKind::network,
                fmt::format("{} has no engine for this user: {}", session_.address().text(), *problem),
                "is the user in the group docker? --sudo runs it by sudo, --engine names another one");
  }
  const EngineFacts facts = read_engine(version, info);
  inventory.kind = facts.kind;
  inventory.engine = facts.engine;
  inventory.machine = facts.machine;
  session_.options().program = facts.engine.name;
  inventory.limits = facts.limits;
  inventory.splicing = facts.kind == ReceiverKind::prefix ? Splicing::possible : Splicing::impossible;
  for (KnownImage& image : inventory.images) image.completeness = Completeness::whole;
  if (facts.kind == ReceiverKind::blobs) find_blobs(inventory, question);
  inventory.round_trips = session_.round_trips() - round_trips_before;
  inventory.taking = {.to_load = 1, .to_verify = 0, .a_name = 0};  // all in one run of the script
  return inventory;
}

void SshReceiver::find_blobs(Inventory& inventory, const Question& question) {
  const std::vector<KnownImage*> images = images_to_look_into(inventory, question, least_worth_a_look);
  if (images.empty()) return;
  std::set<BlobDigest> ours;
  for (const image::Layer& layer : question.layers) ours.insert(layer.blob);
  HostRequest request = session_.request(HostTask::ship, "blobs");
  for (const KnownImage* image : images) request.add("pattern", "sha256:" + image->id.hex());
  KnownImage* current = nullptr;
  session_.ask(request, [&](const HostLine& line) {
    if (line.key == "looking") {
      const auto found =
          std::ranges::find(images, line.value, [](KnownImage* image) { return "sha256:" + image->id.hex(); });
      current = found == images.end() ? nullptr : *found;
    }
    if (line.key != "blob" || current == nullptr) return;
    const std::optional<Hash> hash = Hash::from_hex(line.value);
    if (hash && ours.contains(BlobDigest{*hash})) current->found_blobs.insert(BlobDigest{*hash});
  });
}

// What is sent; nothing when the host has the image.
struct SshReceiver::Parcel {
  std::optional<SentArchive> archive;
  std::string key = "none";  // of its bytes
  std::uint64_t size = 0;
};

HostRequest SshReceiver::put_request(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset) const {
  const Inventory& inventory = delivery.inventory;
  HostRequest request = session_.request(HostTask::ship, "put");
  request.add("group", group_of(delivery.home));
  request.add("key", parcel.key);
  request.add("offset", std::to_string(offset));
  request.add("size", std::to_string(parcel.size));
  request.add("sender", sender_);
  request.add("patience", std::to_string(session_.options().patience.count()));
  if (!session_.options().who.empty()) request.add("who", as_name(session_.options().who));
  request.add("unique", delivery.unique_name.full());
  request.add("listed", session_.listed_name(delivery.unique_name));
  if (delivery.live_name) request.add("live", delivery.live_name->full());
  request.add("id", delivery.image_id.substr(delivery.image_id.find(':') + 1));
  std::string layers;
  for (const image::Layer& layer : delivery.sealed.image.layers) {
    layers += (layers.empty() ? "" : " ") + layer.diff_id.text();
  }
  request.add("layers", layers);
  request.add("digest", delivery.sealed.manifest_digest.hex());
  if (tells_availability(inventory.kind, inventory.engine)) {
    request.add("listing", list_target(delivery.unique_name, Availability::told));
  }
  if (major_version(inventory.engine.version) < first_engine_with_layouts) request.add("legacy", "yes");
  for (const Step& step : delivery.plan.steps) {
    if (step.action != Action::splice || !step.source) continue;
    request.add("splice", fmt::format("sha256:{} {} {}", step.source->hex(), step.position + 1, step.diff_id.hex()));
  }
  if (!session_.options().fail_point.empty()) request.add("fail", session_.options().fail_point);
  return request;
}

// How a run of `put` ended.
struct SshReceiver::Attempt {
  Outcome outcome = Outcome::cut;
  std::optional<Problem> problem;       // with done
  std::optional<std::uint64_t> offset;  // with elsewhere: what the host has of the archive
  std::string why;                      // with cut
  bool all_was_sent = false;            // with cut
};

SshReceiver::Attempt SshReceiver::try_to_put(const Delivery& delivery, const Parcel& parcel, std::uint64_t offset,
                                             const OnEvent& on_event) {
  const std::uint64_t size = parcel.size;
  std::unique_ptr<ByteSource> rest;
  if (parcel.archive && offset < size) rest = parcel.archive->open(offset);
  MemorySource nothing({});
  CountedSource counted(rest ? *rest : nothing, [&](std::uint64_t count) {
    fail_point("ship.sending");
    tell(on_event, {Event::Kind::sending, {}, offset + count, size});
    if (offset + count == size) tell(on_event, {Event::Kind::working, {}, 0, 0});
  });

  Attempt attempt;
  std::string hint;
  std::uint64_t arrived = 0;  // on the host, of the archive
  std::uint64_t signs = 0;    // that it waits for another
  const HostRequest request = put_request(delivery, parcel, offset);
  HostAnswer answer(request.nonce(), [&](const HostLine& line) {
    const auto end_with = [&](Problem problem) {
      attempt.outcome = Outcome::done;
      problem.hint = hint;
      attempt.problem = std::move(problem);
    };
    if (line.key == "done") attempt.outcome = Outcome::done;
    if (line.key == "problem") end_with(problem_in_words(trimmed(line.value)));
    if (line.key == "hint") hint = printable(trimmed(line.value), 600);
    if (line.key == "refused") end_with({Problem::Kind::refused, printable(trimmed(line.value), 600), {}});
    if (line.key == "incomplete") end_with({Problem::Kind::incomplete, printable(trimmed(line.value), 600), {}});
    if (line.key == "offset" || line.key == "short") {
      attempt.outcome = Outcome::elsewhere;
      attempt.offset = read_number<std::uint64_t>(line.value);
    }
    if (line.key == "arrived") arrived = read_number<std::uint64_t>(line.value).value_or(arrived);
    if (line.key == "waiting") {
      ++signs;
      tell(on_event, {Event::Kind::waiting, printable(trimmed(line.value), 200), 0, 0});
    }
    if (line.key == "working") tell(on_event, {Event::Kind::working, {}, 0, 0});
    if (line.key == "verifying") tell(on_event, {Event::Kind::verifying, {}, 0, 0});
  });
  CommandResult result;
  try {
    result = session_.send(request, rest ? &counted : nullptr, answer, [&] { return arrived + signs; });
  } catch (...) {
    bytes_sent_ += counted.count();
    throw;
  }
  bytes_sent_ += counted.count();
  if (answer.has_ended()) return attempt;
  attempt.all_was_sent = rest && offset + counted.count() == size;
  attempt.outcome = Outcome::cut;
  attempt.problem.reset();
  attempt.why = result.ending == Ending::out_of_patience
                    ? fmt::format("nothing moved for {} s", session_.options().patience.count())
                    : printable(trimmed(answer.preamble() + " " + result.errors), 300);
  if (attempt.why.empty()) attempt.why = fmt::format("ssh ended with {}", result.exit_code);
  return attempt;
}

std::uint64_t SshReceiver::find_offset(const std::string& part, std::uint64_t size) {
  const auto found = parts_.find(part);
  return found == parts_.end() || found->second > size ? 0 : found->second;
}

namespace {

// What is sent waits in a file, of which `there` bytes have arrived, and a splice lays it out beside what is read back.
void refuse_a_full_disk(const Delivery& delivery, std::uint64_t there) {
  const Inventory& inventory = delivery.inventory;
  if (!inventory.free_staging || delivery.plan.work != Work::load) return;
  const bool splices =
      std::ranges::any_of(delivery.plan.steps, [](const Step& step) { return step.action == Action::splice; });
  const std::uint64_t needed = delivery.plan.bytes - there + (splices ? delivery.plan.disk_peak : 0);
  if (*inventory.free_staging >= needed) return;
  throw Error(ErrorKind::refused,
              fmt::format("the host has {} bytes free where what is sent waits, {} are needed", *inventory.free_staging,
                          needed),
              "--host-folder names a place with more room");
}

}  // namespace

std::optional<Problem> SshReceiver::take(const Delivery& delivery, const OnEvent& on_event) {
  Parcel parcel;
  if (delivery.plan.work == Work::load) {
    parcel.archive.emplace(delivery.archive());
    parcel.key = parcel.archive->digest().hex();
    parcel.size = parcel.archive->size();
  }
  const std::uint64_t size = parcel.size;
  const std::string part = group_of(delivery.home) + "-" + parcel.key;
  std::uint64_t offset = find_offset(part, size);
  refuse_a_full_disk(delivery, offset);
  std::uint64_t furthest = offset;
  bool all_was_sent = false;
  std::chrono::milliseconds pause = session_.options().first_pause;
  for (int attempts_left = session_.options().attempts;;) {
    std::string why;
    try {
      session_.open();
      // A host that got all and keeps nothing of it may have the image by now: then it wants none of the bytes again.
      const bool may_be_done = all_was_sent && !parts_.contains(part);
      const Attempt attempt = try_to_put(delivery, parcel, may_be_done ? size : offset, on_event);
      if (attempt.outcome == Outcome::done) {
        parts_.erase(part);
        return attempt.problem;
      }
      why = attempt.why.empty() ? "the host got less than was sent" : attempt.why;
      if (attempt.outcome == Outcome::elsewhere && attempt.offset) parts_[part] = *attempt.offset;
      if (attempt.outcome == Outcome::cut) {
        session_.options().fail_point.clear();
        fail_point("ship.reconnecting");
        tell(on_event, {Event::Kind::reconnecting, why, 0, 0});
        session_.close();
        std::this_thread::sleep_for(pause);
        session_.open();
        parts_.clear();
        session_.ask(session_.request(HostTask::ship, "parts"), [&](const HostLine& line) {
          if (line.key == "part") take_part(parts_, line.value);
        });
      }
      all_was_sent = all_was_sent || attempt.all_was_sent;
      offset = find_offset(part, size);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::network) throw;
      why = error.message();
      tell(on_event, {Event::Kind::reconnecting, why, 0, 0});
      session_.close();
      std::this_thread::sleep_for(pause);
    }
    // A line that is cut every minute gets there in the end: only attempts that bring nothing forward are counted.
    if (offset > furthest) {
      furthest = offset;
      attempts_left = session_.options().attempts;
      pause = session_.options().first_pause;
    } else if (--attempts_left <= 0) {
      Error error = connection_lost(session_.address(), why);
      error.set_hint(size == 0 ? "run the command again"
                               : fmt::format("run the command again: it goes on from byte {} of {}", offset, size));
      throw error;
    } else {
      pause = std::min(pause * 2, session_.options().longest_pause);
    }
  }
}

}  // namespace veneer::deliver
