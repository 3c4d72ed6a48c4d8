// What docs/receivers.md says about engines, tried on a real one: the engine at DOCKER_HOST, whose images are the
// test's to change. With VENEER_TEST_SSH (ssh://host, where that engine is) everything is shipped over ssh;
// with VENEER_TEST_HELPER (the engine's socket, as its host sees it) a helper container splices.
// VENEER_TEST_BUSYBOX is a static busybox for its machine, VENEER_TEST_REGISTRY a registry that the engine reaches,
// VENEER_TEST_PUSH the command by which it pushes a name there. Run by tests/engines/, once an engine and way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "archive/tar.hh"
#include "deliver/receiver/api/docker_engine.hh"
#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/ship.hh"
#include "deliver/receiver/ssh/ssh_receiver.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "image/manifest.hh"
#include "image/media/archive_writer.hh"

namespace veneer::deliver {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t answer_limit = 64 * 1024 * 1024;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  if (value == nullptr)
    throw Error(ErrorKind::usage, std::string(name) + " is not set; tests/engines/ship_test.py sets it");
  return value;
}

// ---- images: each layer has one file (and the lowest busybox), as ustar, with gzip around it ----

std::string tar_entry(const std::string& path, const std::string& content, const char* mode) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  const auto octal = [](std::uint64_t number) {
    std::string digits(11, '0');
    for (std::size_t i = 11; i-- > 0; number /= 8) digits[i] = static_cast<char>('0' + number % 8);
    return digits;
  };
  put(0, path);
  put(100, mode);
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(content.size()));
  put(136, octal(0));
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum).substr(5) + std::string(1, '\0'));
  std::string data = content;
  data.resize((content.size() + 511) / 512 * 512, '\0');
  return header + data;
}

std::string gzip_of(const std::string& text, int level) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

class Layers : public image::Blobs {
 public:
  // The layer that `word` stands for; "base" holds busybox, any other /data/<word> with some random-looking text.
  image::Layer layer(const std::string& word, int level = 6) {
    const std::string tar =
        (word == "base" ? tar_entry("bin/busybox", busybox(), "0000755") : file(word)) + std::string(1024, '\0');
    const std::string blob = gzip_of(tar, level);
    const BlobDigest digest{sha256(blob)};
    blobs_[digest] = blob;
    return {DiffId{sha256(tar)}, image::Encoding::gzip, digest, blob.size()};
  }
  bool contains(const BlobDigest& digest) const override { return blobs_.contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    return std::make_unique<MemorySource>(as_bytes(blobs_.at(digest)));
  }

 private:
  static const std::string& busybox() {
    static const std::string bytes = read_text_file(environment("VENEER_TEST_BUSYBOX"), 64 * 1024 * 1024);
    return bytes;
  }
  static std::string file(const std::string& word) {
    std::string text = word + "\n";
    const int lines = word.find("much") == std::string::npos ? 500 : 240'000;  // or 9 MB, hardly compressed
    for (int i = 0; i < lines; ++i) text += sha256(word + std::to_string(i)).hex();
    return tar_entry("data/" + word, text, "0000644");
  }
  std::map<BlobDigest, std::string> blobs_;
};

class HostImages : public ::testing::Test {
 protected:
  HostImages()
      : address_(engine::read_docker_host(environment("DOCKER_HOST"))),
        helper_(helper()),
        engine_(connect_to(address_), std::nullopt, helper_) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
    if (const char* host = std::getenv("VENEER_TEST_SSH")) over_ssh(host);
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    for (const char c : std::string(test->name())) {
      word_ += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    run_ = std::to_string(std::random_device{}());
    live_ = parse_engine_name("contract/" + word_ + ":live" + run_);
  }

  // An image of its own for this test: words other than "base" are made its own.
  image::SealedImage image_of(const std::vector<std::string>& words, const std::string& prints = "hello") {
    image::Image image;
    image.config.platform = {"linux", "amd64", ""};
    image.config.created = now();  // a date far back is what prune jobs look for
    for (const std::string& word : words) image.layers.push_back(layers_.layer(own(word)));
    image.config.run.set("Cmd", Value::Array{"/bin/busybox", "echo", prints});
    return image::seal(std::move(image));
  }
  std::string own(const std::string& word) const { return word == "base" ? word : word_ + "-" + run_ + "-" + word; }

  ShipResult ship_image(const image::SealedImage& sealed) {
    ShipRequest request{live_, receiver_line()};
    if (helper_) request.splice = SpliceChoice::whenever_possible;  // these layers are smaller than the helper
    return ship(sealed, layers_, receiver(), request,
                [&](const Event& event) { last_event_text_[event.kind] = event.text; });
  }
  void over_ssh(const std::string& host) {
    SshOptions options;
    options.program = environment("VENEER_TEST_PROGRAM");
    session_ = std::make_unique<HostSession>(read_ssh_address(host), options);
    ssh_ = std::make_unique<SshReceiver>(*session_);
  }
  static std::optional<std::string> helper() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
    const char* socket = std::getenv("VENEER_TEST_HELPER");
    return socket == nullptr ? std::nullopt : std::optional<std::string>(socket);
  }
  Receiver& receiver() {
    if (ssh_) return *ssh_;
    return engine_;
  }
  Line receiver_line() const { return ssh_ || helper_ ? Line{0, 0.1} : local_line; }
  bool splices() { return (ssh_ || helper_) && kind() == ReceiverKind::prefix; }

  // What `save` gives holds all that its own list names: an image that is there in part does not pass.
  void expect_saves_whole(const EngineName& name) {
    const engine::EngineAnswer answer = request("GET", "/images/" + name.full() + "/get");
    ASSERT_TRUE(answer.ok()) << answer.body;
    MemorySource source(as_bytes(answer.body));
    archive::TarReader reader(source);
    std::set<std::string> members;
    std::string list;
    while (const auto entry = reader.next()) {
      members.insert(entry->path);
      if (entry->path == "manifest.json") list = std::string(as_text(read_all(reader.data(), answer_limit)));
    }
    ASSERT_FALSE(list.empty());
    const Value images = parse_json(list);
    for (const Value& image : images.array()) {
      EXPECT_TRUE(members.contains(image.at("Config").string()));
      for (const Value& layer : image.at("Layers").array())
        EXPECT_TRUE(members.contains(layer.string())) << layer.string();
    }
  }
  // As another tool would make it: plain layers, no label.
  void load_foreign(const std::vector<std::string>& words, const std::string& name) {
    image::SealedImage sealed = image_of(words, "foreign");
    Value config = parse_json(sealed.config);
    Value run{Value::Table{}};
    run.set("Cmd", Value::Array{"/bin/busybox", "echo", "foreign"});
    config.set("config", run);
    sealed.config = to_json(config);
    sealed.config_digest = ConfigDigest{sha256(sealed.config)};
    sealed.manifest = image::manifest_json(sealed.image, sealed.config_digest, sealed.config.size());
    sealed.manifest_digest = ManifestDigest{sha256(sealed.manifest)};
    BytesSink archive;
    image::write_archive(archive, sealed, layers_, {parse_engine_name(name).reference()},
                         image::all_layers(sealed.image));
    MemorySource source(archive.bytes());
    EXPECT_FALSE(engine_.load(source, archive.bytes().size()));
  }
  ReceiverKind kind() { return engine_.inventory({live_, {}}).kind; }

  engine::EngineAnswer request(const std::string& method, const std::string& target, const std::string& body = {}) {
    engine::EngineRequest request{method, target, body, answer_limit};
    return connect_to(address_)->call(request);
  }

  // Runs a container of `name` to its end: its exit code and what it printed.
  std::pair<std::int64_t, std::string> run(const EngineName& name) {
    const engine::EngineAnswer created =
        request("POST", "/containers/create",
                to_json(Value::Table{
                    {"Image", name.full()}, {"Tty", true}, {"HostConfig", Value::Table{{"NetworkMode", "none"}}}}));
    EXPECT_TRUE(created.ok()) << created.body;
    const std::string id = parse_json(created.body).at("Id").string();
    const engine::EngineAnswer started = request("POST", "/containers/" + id + "/start");
    EXPECT_TRUE(started.ok()) << started.body;
    const engine::EngineAnswer waited = request("POST", "/containers/" + id + "/wait");
    EXPECT_TRUE(waited.ok()) << waited.body;
    const engine::EngineAnswer said = request("GET", "/containers/" + id + "/logs?stdout=1");
    EXPECT_TRUE(request("DELETE", "/containers/" + id + "?force=1&v=1").ok());
    return {parse_json(waited.body).at("StatusCode").integer(), said.body};
  }
  void expect_runs(const std::string& prints) {
    const auto [code, said] = run(live_);
    EXPECT_EQ(code, 0);
    EXPECT_THAT(said, HasSubstr(prints));
  }
  // What every scenario ends with: the engine can give the live image on, all of it.
  void TearDown() override {
    if (request("GET", "/images/" + live_.full() + "/json").status == 404) return;
    expect_saves_whole(live_);
    expect_pushes(live_);
  }
  void expect_pushes(const EngineName& name) {
    const std::string there = environment("VENEER_TEST_REGISTRY") + "/" + word_;
    EXPECT_TRUE(request("POST", "/images/" + name.full() + "/tag?repo=" + there + "&tag=pushed").ok());
    const std::string command = environment("VENEER_TEST_PUSH") + " " + there + ":pushed >/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    EXPECT_TRUE(request("DELETE", "/images/" + there + ":pushed?noprune=1").ok());
  }

  std::size_t image_count() { return parse_json(request("GET", "/images/json?all=1").body).array().size(); }
  std::size_t container_count() { return parse_json(request("GET", "/containers/json?all=1").body).array().size(); }

  std::vector<Action> actions(const ShipResult& result) {
    std::vector<Action> list;
    for (const Step& step : result.plan.steps) list.push_back(step.action);
    return list;
  }

  engine::EngineAddress address_;
  std::optional<std::string> helper_;
  DockerEngine engine_;
  std::unique_ptr<HostSession> session_;
  std::unique_ptr<SshReceiver> ssh_;
  Layers layers_;
  std::string word_;
  std::string run_;  // makes the layers new to an engine that has seen these tests before
  EngineName live_;
  std::map<Event::Kind, std::string> last_event_text_;
};

constexpr Action keep = Action::keep;
constexpr Action send = Action::send;
constexpr Action splice = Action::splice;

// What goes beside the layers: configuration, manifest, lists and their tar headers, uncompressed.
std::uint64_t envelope_of(const ShipResult& result) {
  const auto sent = static_cast<std::uint64_t>(std::ranges::count(result.plan.steps, Action::send, &Step::action));
  const bool spliced = std::ranges::count(result.plan.steps, Action::splice, &Step::action) > 0;
  return 8 * 1024 + 600 * result.plan.steps.size() + 1100 * sent + (spliced ? result.inventory.splice_bytes : 0);
}
std::uint64_t sent_layers(const ShipResult& result) {
  std::uint64_t bytes = 0;
  for (const Step& step : result.plan.steps) bytes += step.action == Action::send ? step.size : 0;
  return bytes;
}

TEST_F(HostImages, TakesAFirstImage) {
  const auto sealed = image_of({"base", "deps", "app"}, "first");
  const std::size_t containers = container_count();
  const auto result = ship_image(sealed);
  EXPECT_EQ(result.bytes_sent, result.plan.bytes);
  EXPECT_EQ(container_count(), containers);
  expect_runs("first");
  for (const EngineName& name : {live_, result.unique_name}) {
    const engine::EngineAnswer answer = request("GET", "/images/" + name.full() + "/json");
    ASSERT_TRUE(answer.ok());
    const auto image = read_image(answer.body);
    ASSERT_TRUE(image);
    EXPECT_EQ("sha256:" + image->id.hex(), result.image_id);
    EXPECT_TRUE(std::ranges::equal(image->diff_ids, sealed.image.layers, {}, {}, &image::Layer::diff_id));
    ASSERT_TRUE(image->blobs) << "the label survives";
    EXPECT_TRUE(
        std::ranges::equal(*image->blobs, sealed.image.layers, {}, &image::LabelledLayer::blob, &image::Layer::blob));
  }
}

TEST_F(HostImages, ACodeEditSendsOneLayer) {
  const auto first = ship_image(image_of({"base", "deps", "app 1"}, "one"));
  const auto second = ship_image(image_of({"base", "deps", "app 2"}, "two"));
  EXPECT_THAT(actions(second), ElementsAre(keep, keep, send));
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  EXPECT_LT(second.bytes_sent, second.plan.steps[2].size + envelope_of(second));
  expect_runs("two");
  EXPECT_EQ(run(first.unique_name).first, 0) << "the previous release stays";
}

TEST_F(HostImages, AChangeInTheMiddle) {
  ship_image(image_of({"base", "deps 1", "more", "app"}, "one"));
  const auto second = ship_image(image_of({"base", "deps 2", "more", "app"}, "two"));
  if (splices()) {
    EXPECT_THAT(actions(second), ElementsAre(keep, send, splice, splice));
  } else if (second.plan.kind == ReceiverKind::prefix) {
    EXPECT_THAT(actions(second), ElementsAre(keep, send, send, send));
  } else {
    EXPECT_THAT(actions(second), ElementsAre(keep, send, keep, keep));
  }
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  expect_runs("two");
}

TEST_F(HostImages, ABaseThatChanged) {
  ship_image(image_of({"old base", "base", "deps", "more", "app"}, "one"));
  const auto second = ship_image(image_of({"new base", "base", "deps", "more", "app"}, "two"));
  if (splices()) {
    EXPECT_THAT(actions(second), ElementsAre(send, splice, splice, splice, splice));
  } else if (second.plan.kind == ReceiverKind::prefix) {
    EXPECT_THAT(actions(second), Each(send));
  } else {
    EXPECT_THAT(actions(second), ElementsAre(send, keep, keep, keep, keep));
  }
  EXPECT_LT(second.bytes_sent, sent_layers(second) + envelope_of(second));
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  expect_runs("two");
}

TEST_F(HostImages, LayersOfSeveralImages) {
  ship_image(image_of({"base", "deps 1", "app 1"}, "one"));
  ship_image(image_of({"base", "deps 2", "app 2", "app 2"}, "two"));
  const auto third = ship_image(image_of({"base", "app 2", "deps 1", "deps 2"}, "three"));
  if (splices()) {
    EXPECT_THAT(actions(third), ElementsAre(keep, splice, splice, splice));
  } else if (third.plan.kind != ReceiverKind::prefix) {
    EXPECT_THAT(actions(third), Each(keep));
  }
  EXPECT_FALSE(third.sent_whole_after_all) << third.plan.why;
  expect_runs("three");
}

// An image that another tool made: without a label, its layers in another encoding.
TEST_F(HostImages, AForeignImageAsAncestor) {
  const std::string name = "docker.io/contract/" + word_ + ":foreign";
  load_foreign({"base", "so much"}, name);
  const auto second = ship_image(image_of({"base", "so much", "app"}, "two"));
  if (second.plan.kind == ReceiverKind::blobs && !ssh_) {
    EXPECT_THAT(actions(second), ElementsAre(::testing::_, send, send))
        << "over an API nobody says which blobs a foreign image has";
  } else {
    EXPECT_THAT(actions(second), ElementsAre(keep, keep, send));
  }
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  expect_runs("two");
}

TEST_F(HostImages, SixtyThreeOfSixtyFourLayersAreThere) {
  std::vector<std::string> words{"base"};
  for (int i = 1; i < 64; ++i) words.push_back("layer" + std::to_string(i));
  ship_image(image_of(words, "one"));
  words[40] = "another";
  const auto second = ship_image(image_of(words, "two"));
  if (splices() || second.plan.kind != ReceiverKind::prefix) {
    EXPECT_EQ(std::ranges::count(actions(second), send), 1);
    EXPECT_LT(second.bytes_sent, sent_layers(second) + envelope_of(second));
  }
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  expect_runs("two");
}

TEST_F(HostImages, AfterAPruneOfWhatIsOld) {
  const auto first = ship_image(image_of({"base", "deps", "app 1"}, "one"));
  // What `docker image prune -af --filter until=168h` sends.
  const std::string until = "%22until%22%3A%5B%22168h%22%5D";
  const engine::EngineAnswer pruned =
      kind() == ReceiverKind::diff_ids
          ? request("POST", "/v4.0.0/libpod/images/prune?all=true&filters=%7B" + until + "%7D")
          : request("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%2C" + until + "%7D");
  EXPECT_TRUE(pruned.ok()) << pruned.body;
  expect_runs("one");
  const auto second = ship_image(image_of({"base", "deps", "app 2"}, "two"));
  EXPECT_THAT(actions(second), ElementsAre(keep, keep, send));
  expect_runs("two");
}

TEST_F(HostImages, ALayerRemovedAndALayerTwice) {
  ship_image(image_of({"base", "deps", "more", "app"}, "one"));
  const auto second = ship_image(image_of({"base", "more", "app", "more"}, "two"));
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  expect_runs("two");
}

// CASE 44
TEST_F(HostImages, TheSameImageTwiceLoadsNothing) {
  const auto sealed = image_of({"base", "app"}, "same");
  ship_image(sealed);
  const std::size_t images = image_count();
  const auto second = ship_image(sealed);
  EXPECT_EQ(second.plan.work, Work::nothing_to_load);
  EXPECT_EQ(second.bytes_sent, 0U);
  EXPECT_EQ(image_count(), images);
  expect_runs("same");
}

TEST_F(HostImages, AnotherConfigurationSendsNoLayer) {
  ship_image(image_of({"base", "app"}, "one"));
  const auto second = ship_image(image_of({"base", "app"}, "two"));
  EXPECT_THAT(actions(second), Each(keep));
  EXPECT_FALSE(second.sent_whole_after_all) << second.plan.why;
  EXPECT_LT(second.bytes_sent, 16U * 1024);
  expect_runs("two");
}

TEST_F(HostImages, TheOldImageMayGo) {
  const auto first = ship_image(image_of({"base", "deps", "app 1"}, "one"));
  const auto second = ship_image(image_of({"base", "deps", "app 2"}, "two"));
  EXPECT_TRUE(engine_.remove_name(first.unique_name));
  expect_runs("two");
  const auto third = ship_image(image_of({"base", "deps", "app 3"}, "three"));
  EXPECT_THAT(actions(third), ElementsAre(keep, keep, send));
  expect_runs("three");
}

// A slow line to the API: the lower layers arrive in steps, and a sender that is killed between them costs what was
// under way.
TEST_F(HostImages, AStepThatArrivedIsNotSentAgain) {
  const std::vector<std::string> words{"base", "much 1", "much 2", "much 3", "app"};
  const auto sealed = image_of(words, "steps");
  const Line slow{0, 0.1};
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    arm_fail_point("ship.rung:2");
    DockerEngine engine(connect_to(address_));
    ship(sealed, layers_, engine, {live_, slow});
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(request("GET", "/images/" + live_.full() + "/json").status, 404);
  const auto result = ship(sealed, layers_, engine_, {live_, slow});
  EXPECT_THAT(actions(result), ElementsAre(keep, keep, keep, send, send));
  EXPECT_FALSE(result.sent_whole_after_all) << result.plan.why;
  expect_runs("steps");
  EXPECT_EQ(request("GET", "/images/json").body.find("veneer-step-"), std::string::npos) << "steps are taken away";
}

// Two releases, the second of which shares a layer with the first; what the host says of the first is a lie.
TEST_F(HostImages, ALabelThatLiesCostsOneMoreLoad) {
  auto first = image_of({"base", "deps", "app 1"}, "one");
  Value config = parse_json(first.config);
  const image::Layer other = layers_.layer(own("deps"), 1);  // the same content in another encoding
  Value::Array rows;
  for (const image::Layer& layer : first.image.layers) {
    const BlobDigest blob = layer.diff_id == other.diff_id ? other.blob : layer.blob;
    rows.push_back(Value::Array{blob.text(), layer.size, "gzip"});
  }
  Value* run = nullptr;
  for (auto& [key, value] : config.table()) {
    if (key == "config") run = &value;
  }
  ASSERT_NE(run, nullptr);
  Value labels = run->table_or_empty("Labels");
  labels.set(image::layers_label, to_json(rows));
  run->set("Labels", labels);
  first.config = to_json(config);
  first.config_digest = ConfigDigest{sha256(first.config)};
  Value manifest = parse_json(first.manifest);
  Value descriptor = manifest.at("config");
  descriptor.set("digest", first.config_digest.text());
  descriptor.set("size", std::uint64_t{first.config.size()});
  manifest.set("config", descriptor);
  first.manifest = to_json(manifest);
  first.manifest_digest = ManifestDigest{sha256(first.manifest)};
  ship_image(first);

  image::Image image;
  image.config.platform = {"linux", "amd64", ""};
  image.layers = {layers_.layer("base"), other, layers_.layer(own("app 2"))};
  image.config.run.set("Cmd", Value::Array{"/bin/busybox", "echo", "two"});
  const auto second = ship_image(image::seal(std::move(image)));
  EXPECT_EQ(second.sent_whole_after_all, second.plan.kind == ReceiverKind::blobs) << second.plan.why;
  expect_runs("two");
  const engine::EngineAnswer saved = request("GET", "/images/" + live_.full() + "/json");
  EXPECT_TRUE(saved.ok());
}

// A sparse archive of an image whose lower layers the host never had, loaded behind the plan's back.
TEST_F(HostImages, AnImageWithAMissingLayerIsNotTakenForWhole) {
  const auto sealed = image_of({"base", "never sent", "app"}, "never");
  const Inventory inventory = engine_.inventory({live_, {}});
  const EngineName unique = unique_name_of(live_, sealed);
  for (const std::string target :
       {"/images/load?quiet=1",
        "/images/load?quiet=1&platform=%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%22amd64%22%7D"}) {
    BytesSink archive;
    image::write_archive(archive, sealed, layers_, {unique.reference()},
                         {sealed.image.layers[0].blob, sealed.image.layers[2].blob});
    MemorySource source(archive.bytes());
    LoadAnswer said;
    const auto answer = connect_to(address_)->upload({"POST", target, {}, 0}, source, archive.bytes().size(), said);
    EXPECT_TRUE(!answer.ok() || said.problem() || engine_.verify(unique, sealed, inventory)) << target;
    EXPECT_TRUE(engine_.verify(unique, sealed, inventory)) << target;
  }
  const auto result = ship_image(sealed);
  EXPECT_THAT(actions(result), ElementsAre(::testing::_, send, ::testing::_));
  expect_runs("never");
}

// CASE 41
TEST_F(HostImages, ASparseLoadWithAPlatformIsJudgedByItsImage) {
  ship_image(image_of({"base", "app 1"}, "one"));
  const auto sealed = image_of({"base", "app 2"}, "two");
  const Inventory inventory = engine_.inventory({live_, {}});
  const EngineName unique = unique_name_of(live_, sealed);
  const auto plan = deliver(sealed, inventory, local_line, {{unique.reference()}, {}});
  BytesSink archive;
  image::write_archive(archive, image_as_sent(sealed, plan), layers_, {unique.reference()}, blobs_to_send(plan));
  EXPECT_EQ(archive.bytes().size(), plan.bytes);
  MemorySource source(archive.bytes());
  LoadAnswer said;
  const auto answer = connect_to(address_)->upload(
      {"POST", "/images/load?quiet=1&platform=%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%22amd64%22%7D", {}, 0},
      source, archive.bytes().size(), said);
  const auto problem = engine_.verify(unique, sealed, inventory);
  if (!problem) {
    EXPECT_EQ(run(unique).first, 0);
  }
  RecordProperty("load_with_platform", problem ? problem->text : "whole");
  RecordProperty("load_with_platform_said", answer.ok() ? said.problem().value_or("nothing") : answer.body);
}

// CASE 43
TEST_F(HostImages, AnImageAtTheCapStarts) {
  std::vector<std::string> words{"base"};
  for (int i = 1; i < 125; ++i) words.push_back("layer" + std::to_string(i));
  const auto result = ship_image(image_of(words, "high"));
  EXPECT_EQ(result.plan.steps.size(), 125U);
  expect_runs("high");
  const auto again = ship_image(image_of(words, "higher"));
  EXPECT_THAT(actions(again), Each(keep));
  EXPECT_FALSE(again.sent_whole_after_all) << again.plan.why;
  EXPECT_LT(again.bytes_sent, 125U * 600);  // lists and label of all layers
  RecordProperty("bytes_without_layers", std::to_string(again.bytes_sent));
  expect_runs("higher");
}

TEST_F(HostImages, AnotherMachineIsRefusedBeforeAnythingIsSent) {
  auto sealed = image_of({"base", "foreign"});
  sealed.image.config.platform.architecture = "riscv64";
  try {
    ship_image(sealed);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
  }
  EXPECT_EQ(request("GET", "/images/" + unique_name_of(live_, sealed).full() + "/json").status, 404);
}

TEST_F(HostImages, ALoadThatEndsTooEarlyLeavesTheLiveNameAlone) {
  ship_image(image_of({"base", "app 1"}, "one"));
  const auto sealed = image_of({"base", "app 2"}, "two");
  const Inventory inventory = engine_.inventory({live_, {}});
  const EngineName unique = unique_name_of(live_, sealed);
  BytesSink archive;
  image::write_archive(archive, sealed, layers_, {unique.reference()},
                       {sealed.image.layers[0].blob, sealed.image.layers[1].blob});
  MemorySource source(ByteView(archive.bytes()).first(archive.bytes().size() / 2));
  EXPECT_TRUE(engine_.load(source, archive.bytes().size() / 2));
  EXPECT_TRUE(engine_.verify(unique, sealed, inventory));
  expect_runs("one");
  ship_image(sealed);
  expect_runs("two");
}

TEST_F(HostImages, AKilledShipLeavesTheOldImageOrTheNewOne) {
  ship_image(image_of({"base", "app"}, "old"));
  std::string live_prints = "old";
  for (const std::string point : {"ship.loaded", "ship.verified", "ship.named"}) {
    const auto sealed = image_of({"base", point + " app"}, "new at " + point);
    const std::size_t containers = container_count();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      arm_fail_point(point);
      DockerEngine engine(connect_to(address_));
      ship(sealed, layers_, engine, {live_, local_line});
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
    expect_runs(point == "ship.named" ? "new at " + point : live_prints);
    const auto result = ship_image(sealed);
    EXPECT_EQ(result.plan.work, Work::nothing_to_load) << point;
    live_prints = "new at " + point;
    expect_runs(live_prints);
    EXPECT_EQ(container_count(), containers);
  }
}

}  // namespace
}  // namespace veneer::deliver
