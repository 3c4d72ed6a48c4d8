#include "deliver/receiver/api/helper.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "archive/layer_writer.hh"
#include "archive/tar_writer.hh"
#include "deliver/receiver/engine_answers.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/json.hh"
#include "image/media/archive_writer.hh"
#include "image/platform.hh"
#include "net/http.hh"

// The program, put between these two by the build.
extern "C" {
extern const std::byte _binary_splicer_start[];  // NOLINT: the linker's names
extern const std::byte _binary_splicer_end[];    // NOLINT
}

namespace veneer::deliver {

namespace {

#if defined(__x86_64__)
constexpr const char* own_architecture = "amd64";
#elif defined(__aarch64__)
constexpr const char* own_architecture = "arm64";
#else
constexpr const char* own_architecture = "unknown";
#endif

constexpr std::string_view folder = "/veneer";
constexpr std::size_t piece_size = 1024 * 1024;
constexpr int attempts_a_piece = 6;
constexpr std::chrono::milliseconds first_pause{500};

class OneBlob : public image::Blobs {
 public:
  OneBlob(BlobDigest digest, Bytes bytes) : digest_(digest), bytes_(std::move(bytes)) {}
  bool contains(const BlobDigest& digest) const override { return digest == digest_; }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    if (digest != digest_) throw Error(ErrorKind::not_found, "the helper's image has one layer");
    return std::make_unique<MemorySource>(bytes_);
  }

 private:
  BlobDigest digest_;
  Bytes bytes_;
};

struct HelperImage {
  image::SealedImage sealed;
  EngineName name;
  Bytes archive;
};

HelperImage make_helper_image() {
  const archive::MemoryContent program(Bytes(_binary_splicer_start, _binary_splicer_end));
  BytesSink blob;
  archive::LayerWriter writer(blob);
  archive::TarEntry entry;
  entry.type = archive::EntryType::folder;
  entry.path = folder.substr(1);
  entry.mode = 0700;
  writer.add(entry, nullptr);
  entry.type = archive::EntryType::file;
  entry.path += "/splicer";
  entry.mode = 0700;
  writer.add(entry, &program);
  const archive::WrittenLayer written = writer.finish();

  image::Image image;
  image.config.platform = {"linux", own_architecture, ""};
  image.config.created = "2026-01-01T00:00:00Z";
  image.config.run.set("Entrypoint", Value::Array{std::string(folder) + "/splicer"});
  image.layers.push_back({written.diff_id, image::Encoding::gzip, written.blob, written.blob_size});
  HelperImage helper{image::seal(std::move(image)), {}, {}};
  helper.name = parse_engine_name("veneer-helper:" + helper.sealed.manifest_digest.hex().substr(0, 12));
  BytesSink archive;
  image::write_archive(archive, helper.sealed, OneBlob(written.blob, blob.take()), {helper.name.reference()},
                       image::all_layers(helper.sealed.image));
  helper.archive = archive.take();
  return helper;
}

const HelperImage& helper_image() {
  static const HelperImage image = make_helper_image();
  return image;
}

Problem not_done(const char* what, const engine::EngineAnswer& answer) {
  return other_problem(fmt::format("the helper container: {}: {} ({})", what, read_error(answer.body), answer.status));
}

std::string spliced_layers(const DeliveryPlan& plan) {
  std::string list;
  for (const Step& step : plan.steps) {
    if (step.action != Action::splice || !step.source) continue;
    list += fmt::format("sha256:{} {} {}\n", step.source->hex(), step.position, step.diff_id.hex());
  }
  return list;
}

}  // namespace

std::optional<std::uint64_t> Helper::cost(const image::Platform& machine) {
  if (!image::matches(helper_image().sealed.image.config.platform, machine)) return std::nullopt;
  return helper_image().archive.size();
}

Helper::~Helper() {
  try {
    if (!container_.empty()) call("DELETE", fmt::format("/containers/{}?force=1&v=1", container_));
    if (!image_.empty()) call("DELETE", fmt::format("/images/{}?force=1", image_));
  } catch (const Error&) {
    // The next shipment under this name takes them away.
  }
}

engine::EngineAnswer Helper::call(std::string_view method, const std::string& target, const std::string& json) {
  ++requests_;
  return transport_.call({std::string(method), target, json, largest_small_answer});
}

// What a shipment under the same name left when it was killed.
void Helper::tidy(const std::string& live_name) {
  const std::string filter =
      to_json(Value::Table{{"label", Value::Array{fmt::format("{}={}", helper_label, live_name)}}});
  const engine::EngineAnswer answer = call("GET", "/containers/json?all=1&filters=" + net::percent_encode(filter));
  if (!answer.ok()) return;
  for (const std::string& id : read_container_ids(answer.body)) {
    call("DELETE", fmt::format("/containers/{}?force=1&v=1", id));
  }
}

std::optional<Problem> Helper::load_image() {
  const HelperImage& helper = helper_image();
  ++requests_;
  LoadAnswer said;
  MemorySource archive(helper.archive);
  const engine::EngineAnswer answer =
      transport_.upload({"POST", "/images/load?quiet=1", {}, 0}, archive, helper.archive.size(), said);
  bytes_sent_ += helper.archive.size();
  if (!answer.ok()) return not_done("its image cannot be loaded", answer);
  if (said.problem()) return other_problem("the helper container: its image cannot be loaded: " + *said.problem());
  image_ = helper.name.full();
  return std::nullopt;
}

std::optional<Problem> Helper::create_container(const std::string& live_name) {
  Value wanted{Value::Table{}};
  wanted.set("Image", image_);
  wanted.set("Tty", true);  // its output as it is
  wanted.set("Labels", Value::Table{{std::string(helper_label), live_name}});
  wanted.set("HostConfig", Value::Table{{"NetworkMode", "none"},
                                        {"Binds", Value::Array{fmt::format("{}:{}/engine.sock", socket_, folder)}}});
  const engine::EngineAnswer created = call("POST", "/containers/create", to_json(wanted));
  if (!created.ok()) return not_done("it cannot be created", created);
  const std::optional<std::string> id = read_container_id(created.body);
  if (!id) return other_problem("the engine does not say which container it created");
  container_ = *id;
  return std::nullopt;
}

std::optional<Problem> Helper::put(const std::string& name, ByteView content, const OnEvent& on_event) {
  archive::TarEntry entry;
  entry.path = name;
  entry.mode = 0600;
  entry.size = content.size();
  Bytes wrapped = archive::tar_header(entry);
  append(wrapped, content);
  wrapped.resize(wrapped.size() + archive::tar_padding(content.size()) + archive::tar_end_size);
  const std::string target = fmt::format("/containers/{}/archive?path={}", container_, net::percent_encode(folder));
  std::chrono::milliseconds pause = first_pause;
  for (int attempts_left = attempts_a_piece;;) {
    ++requests_;
    MemorySource source(wrapped);
    BytesSink nothing;
    try {
      const engine::EngineAnswer answer = transport_.upload(
          {.method = "PUT", .target = target, .repetition = engine::EngineRequest::Repetition::by_the_caller}, source,
          wrapped.size(), nothing);
      if (!answer.ok()) return not_done("what is sent cannot be put into it", answer);
      return std::nullopt;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::network || --attempts_left == 0) throw;
      tell(on_event, {Event::Kind::reconnecting, error.message(), 0, 0});
      std::this_thread::sleep_for(pause);
      pause *= 2;
    }
  }
}

std::optional<Problem> Helper::put_archive(const SentArchive& archive, const OnEvent& on_event) {
  const auto source = archive.open();
  Bytes piece(piece_size);
  std::uint64_t sent = 0;
  for (int number = 0;; ++number) {
    const std::size_t count = read_full(*source, piece);
    if (count == 0) return std::nullopt;
    if (auto problem = put(fmt::format("part-{}", number), ByteView(piece).first(count), on_event)) return problem;
    fail_point("ship.piece");
    sent += count;
    bytes_sent_ += count;
    tell(on_event, {Event::Kind::sending, {}, sent, archive.size()});
  }
}

std::optional<Problem> Helper::run() {
  const engine::EngineAnswer started = call("POST", fmt::format("/containers/{}/start", container_));
  if (!started.ok()) return not_done("it cannot be started", started);
  ++requests_;
  const engine::EngineAnswer waited = transport_.call({"POST",
                                                       fmt::format("/containers/{}/wait", container_),
                                                       {},
                                                       largest_small_answer,
                                                       engine::EngineRequest::Patience::for_a_load});
  if (!waited.ok()) return not_done("waiting for it", waited);
  const engine::EngineAnswer logs = call("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1", container_));
  LoadAnswer said;
  said.write(as_bytes(logs.body));
  said.commit();
  if (said.problem()) return problem_in_words(*said.problem());
  const std::optional<std::int64_t> code = read_exit_code(waited.body);
  if (code == 0) return std::nullopt;
  return other_problem(fmt::format("the helper container ended with {}: {}", code.value_or(-1), read_error(logs.body)));
}

std::optional<Problem> Helper::take(const Delivery& delivery, const OnEvent& on_event) {
  const std::string live_name = delivery.home.full();
  tell(on_event, {Event::Kind::helping, socket_, 0, 0});
  tidy(live_name);
  if (auto problem = load_image()) return problem;
  if (auto problem = create_container(live_name)) return problem;
  const std::string list = spliced_layers(delivery.plan);
  if (auto problem = put("splices", as_bytes(list), on_event)) return problem;
  if (auto problem = put_archive(delivery.archive(), on_event)) return problem;
  tell(on_event, {Event::Kind::working, {}, 0, 0});
  return run();
}

}  // namespace veneer::deliver
