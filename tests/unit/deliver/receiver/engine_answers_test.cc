#include "deliver/receiver/engine_answers.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deliver/receiver/problem.hh"
#include "engine/engine_transport.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string hex_a(64, 'a');
const std::string hex_b(64, 'b');
const std::string docker_version =
    R"({"Components":[{"Name":"Engine"}],"Version":"28.5.2","ApiVersion":"1.51","Os":"linux","Arch":"amd64"})";

TEST(ReadEngine, TellsTheThreeKindsApart) {
  const auto overlay =
      read_engine(docker_version, R"({"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]]})");
  EXPECT_EQ(overlay.kind, ReceiverKind::prefix);
  EXPECT_EQ(overlay.engine.name, "docker");
  EXPECT_EQ(overlay.engine.version, "28.5.2");
  EXPECT_EQ(overlay.engine.api_minor, 51);
  EXPECT_EQ(overlay.machine.architecture, "amd64");
  EXPECT_EQ(overlay.limits.layers, 125U);

  const auto containerd = read_engine(
      docker_version, R"({"Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})");
  EXPECT_EQ(containerd.kind, ReceiverKind::blobs);

  const auto podman = read_engine(
      R"({"Components":[{"Name":"Podman Engine"}],"Version":"4.3.1","ApiVersion":"1.41","Os":"linux","Arch":"arm64"})",
      R"({"Driver":"overlay","DriverStatus":[]})");
  EXPECT_EQ(podman.kind, ReceiverKind::diff_ids);
  EXPECT_EQ(podman.engine.name, "podman");
}

TEST(ReadEngine, FiltersWhatWillBePrinted) {
  const auto facts =
      read_engine(R"({"Version":"1\u001b[31mred\nline","ApiVersion":"1.-4","Os":"linux","Arch":"amd64"})", "{}");
  EXPECT_THAT(facts.engine.version, Not(HasSubstr("\x1b")));
  EXPECT_THAT(facts.engine.version, Not(HasSubstr("\n")));
  EXPECT_EQ(facts.engine.api_minor, 0);
  const std::string long_version = R"({"Os":"linux","Arch":"amd64","Version":")" + std::string(100'000, 'v') + R"("})";
  EXPECT_LT(read_engine(long_version, "{}").engine.version.size(), 100U);
}

TEST(ReadEngine, WhatIsNoEngineIsAnError) {
  for (const char* answer : {"", "{", "[]", "3", "{}", R"({"Version":3,"Os":"linux","Arch":"amd64"})", "<html>"}) {
    try {
      read_engine(answer, "{}");
      FAIL() << answer;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network) << answer;
    }
  }
  EXPECT_THROW(read_engine(docker_version, "no"), Error);
  EXPECT_EQ(read_engine(docker_version, R"({"DriverStatus":{"driver-type":1}})").kind, ReceiverKind::prefix);
  EXPECT_EQ(read_engine(docker_version, R"({"DriverStatus":[["driver-type"],[1,2],7]})").kind, ReceiverKind::prefix);
}

TEST(ReadImageList, TakesWhatItUnderstands) {
  const std::string answer =
      R"([
    {"Id":"sha256:)" +
      hex_a +
      R"(","RepoTags":["demo:1","<none>:<none>","x:\u001b[2J",7],"Created":12,"Labels":{"dev.veneer.layers":"[]"}},
    {"Id":"sha256:)" +
      hex_b + R"(","RepoTags":null,"Created":"soon","Labels":null},
    {"Id":"md5:00"}, {"Id":7}, {}, null, "x", [] ])";
  const auto images = read_image_list(answer, {"linux", "amd64", ""});
  ASSERT_THAT(images, SizeIs(2));
  EXPECT_EQ(images[0].id.hex(), hex_a);
  EXPECT_THAT(images[0].names, ElementsAre("docker.io/library/demo:1"));
  EXPECT_EQ(images[0].created, 12);
  EXPECT_TRUE(images[0].labelled);
  EXPECT_FALSE(images[0].available);
  EXPECT_THAT(images[1].names, IsEmpty());
  EXPECT_FALSE(images[1].labelled);
  EXPECT_THROW(read_image_list("{}", {}), Error);
  EXPECT_THROW(read_image_list("[", {}), Error);
}

std::optional<bool> available(const std::string& manifests) {
  const auto images =
      read_image_list(R"([{"Id":"sha256:)" + hex_a + R"(","Manifests":)" + manifests + "}]", {"linux", "amd64", ""});
  return images.at(0).available;
}

TEST(ReadImageList, TellsWhatIsAvailableForTheMachine) {
  const std::string amd64 = R"("ImageData":{"Platform":{"os":"linux","architecture":"amd64"}})";
  const std::string arm64 = R"("ImageData":{"Platform":{"os":"linux","architecture":"arm64"}})";
  EXPECT_EQ(available(R"([{"Kind":"image","Available":true,)" + amd64 + "}]"), true);
  EXPECT_EQ(available(R"([{"Kind":"image","Available":false,)" + amd64 + "}]"), false);
  EXPECT_EQ(available(R"([{"Kind":"image","Available":true,)" + arm64 + "}]"), false);
  EXPECT_EQ(available(R"([{"Kind":"attestation","Available":true}])"), false);
  EXPECT_EQ(available(R"([{"Kind":"image","Available":false,)" + arm64 + R"(},{"Kind":"image","Available":true,)" +
                      amd64 + "}]"),
            true);
  // An image of which the configuration is gone shows no platform.
  EXPECT_EQ(available(R"([{"Kind":"image","Available":false,"ImageData":{"Platform":{"os":"","architecture":""}}}])"),
            false);
  EXPECT_EQ(available(R"([{"Kind":"image","Available":"yes"}])"), false);
  EXPECT_EQ(available("null"), std::nullopt);
}

TEST(ReadImageList, IsBounded) {
  std::string answer = "[";
  for (std::size_t i = 0; i < most_images + 10; ++i) answer += R"({"Id":"sha256:)" + hex_a + R"("},)";
  answer.back() = ']';
  EXPECT_THAT(read_image_list(answer, {}), SizeIs(most_images));

  std::string names = R"([{"Id":"sha256:)" + hex_a + R"(","RepoTags":[)";
  for (std::size_t i = 0; i < most_names + 10; ++i) names += "\"demo:" + std::to_string(i) + "\",";
  names.back() = ']';
  EXPECT_THAT(read_image_list(names + "}]", {}).at(0).names, SizeIs(most_names));
  EXPECT_THROW(read_image_list(std::string(1'000'000, '['), {}), Error);
}

TEST(ReadImage, HasLayersBottomToTop) {
  const auto image =
      read_image(R"({"Id":"sha256:)" + hex_a + R"(","RepoTags":["demo:1"],"RootFS":{"Layers":["sha256:)" + hex_b +
                 R"(","sha256:)" + hex_a + R"("]},"Config":{"Labels":{"dev.veneer.layers":"nonsense"}}})");
  ASSERT_TRUE(image);
  ASSERT_THAT(image->diff_ids, SizeIs(2));
  EXPECT_EQ(image->diff_ids[0].hex(), hex_b);
  EXPECT_FALSE(image->blobs);
  EXPECT_EQ(image->completeness, Completeness::unknown);
}

TEST(ReadImage, ReadsOurLabel) {
  const std::string label = R"([[\"sha256:)" + hex_a + R"(\",123,\"gzip\"]])";
  const auto image = read_image(R"({"Id":"sha256:)" + hex_a + R"(","RootFS":{"Layers":["sha256:)" + hex_b +
                                R"("]},"Config":{"Labels":{"dev.veneer.layers":")" + label + R"("}}})");
  ASSERT_TRUE(image && image->blobs);
  EXPECT_EQ(image->blobs->at(0).blob.hex(), hex_a);
  EXPECT_EQ(image->blobs->at(0).size, 123U);
}

TEST(ReadImage, OddOnesAreNoImages) {
  const std::string id = R"("Id":"sha256:)" + hex_a + "\"";
  for (const std::string& answer : {std::string("{}"), "{" + id + "}", "{" + id + R"(,"RootFS":{"Layers":["x"]}})",
                                    "{" + id + R"(,"RootFS":{"Layers":[1]}})"}) {
    EXPECT_FALSE(read_image(answer)) << answer;
  }
  std::string many = "{" + id + R"(,"RootFS":{"Layers":[)";
  for (std::size_t i = 0; i <= most_layers; ++i) many += "\"sha256:" + hex_a + "\",";
  many.back() = ']';
  EXPECT_FALSE(read_image(many + "}}"));
}

TEST(ReadError, IsOnePrintableLine) {
  EXPECT_EQ(read_error(R"({"message":"No such image: x\n"})"), "No such image: x");
  EXPECT_EQ(read_error("plain\x1b[31m"), "plain\\x1b[31m");
  EXPECT_EQ(
      read_error(
          R"({"message":"failed:\n * oci: a\n * oci-archive: reading blob: no such file or directory\n * dir: c"})"),
      "reading blob: no such file or directory");
  EXPECT_LT(read_error(std::string(100'000, 'x')).size(), 400U);
}

std::optional<std::string> problem_in(const std::vector<std::string>& pieces) {
  LoadAnswer answer;
  for (const std::string& piece : pieces) answer.write(as_bytes(piece));
  answer.commit();
  return answer.problem();
}

TEST(LoadAnswer, ASuccessHasNoProblem) {
  EXPECT_EQ(problem_in({R"({"stream":"Loaded image: lab:1\n"})", "\r\n"}), std::nullopt);
  EXPECT_EQ(problem_in({R"({"stream":"Loaded image: Error unpacking image\n"})"}), std::nullopt);
  EXPECT_EQ(problem_in({"not JSON\n", "\n", "7\n", "[]\n", R"({"stream":7})"}), std::nullopt);
}

TEST(LoadAnswer, FindsErrorsWhereverThePiecesEnd) {
  const std::string text =
      "{\"stream\":\"Loaded image: lab:4\\n\"}\r\n{\"errorDetail\":{\"message\":\"open blobs: no such file or "
      "directory\"},"
      "\"error\":\"open blobs\"}\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(problem_in({text.substr(0, cut), text.substr(cut)}), "open blobs: no such file or directory");
  }
}

TEST(LoadAnswer, AnUnpackingErrorUnderSuccessIsOne) {
  EXPECT_THAT(
      problem_in(
          {"{\"stream\":\"Loaded image: lab:4\\n\"}\n{\"stream\":\"Error unpacking image lab:4: not found\\n\"}\n"}),
      ::testing::Optional(HasSubstr("Error unpacking image lab:4: not found")));
  EXPECT_TRUE(problem_in({R"({"stream":"Loaded image: lab:4\nError unpacking image lab:4: x\n"})"}));
}

TEST(LoadAnswer, AnErrorWithoutWordsIsStillOne) {
  EXPECT_TRUE(problem_in({R"({"errorDetail":{"code":1}})"}));
  EXPECT_FALSE(problem_in({R"({"errorDetail":null})"}));
  EXPECT_TRUE(problem_in({R"({"error":"x"})"}));
}

TEST(LoadAnswer, IsBounded) {
  LoadAnswer endless;
  const std::string block(1 << 20, 'x');
  EXPECT_THROW(
      {
        for (int i = 0; i < 4; ++i) endless.write(as_bytes(block));
      },
      Error);
  LoadAnswer chatty;
  const std::string lines = [&] {
    std::string text;
    while (text.size() < (1 << 20)) text += "{\"stream\":\"x\"}\n";
    return text;
  }();
  EXPECT_THROW(
      {
        for (int i = 0; i < 20; ++i) chatty.write(as_bytes(lines));
      },
      Error);
}

TEST(MissingLayers, AreToldFromOtherTrouble) {
  EXPECT_TRUE(is_about_missing_layers("open /x/blobs/sha256/ab: no such file or directory"));
  EXPECT_TRUE(is_about_missing_layers("content digest sha256:ab: not found"));
  EXPECT_FALSE(is_about_missing_layers("write /x: no space left on device"));
}

TEST(ReadContainer, ListsIdentifiersAndTheEnd) {
  const std::string id(64, 'a');
  EXPECT_THAT(read_container_ids(R"([{"Id":")" + id + R"("},{"Id":"../x"},{},7])"), ::testing::ElementsAre(id));
  EXPECT_THAT(read_container_ids("{}"), ::testing::IsEmpty());
  EXPECT_EQ(read_exit_code(R"({"StatusCode":3})"), 3);
  EXPECT_EQ(read_exit_code(R"({"StatusCode":"0"})"), std::nullopt);
}

TEST(ReadContainer, TakesOnlyAnIdentifier) {
  EXPECT_EQ(read_container_id(R"({"Id":")" + hex_a + "\"}"), hex_a);
  EXPECT_EQ(read_container_id(R"({"Id":"../images/x"})"), std::nullopt);
  EXPECT_EQ(read_container_label(R"({"Config":{"Labels":{"a":"b"}}})", "a"), "b");
  EXPECT_EQ(read_container_label(R"({"Config":{"Labels":null}})", "a"), std::nullopt);
}

TEST(DockerHost, NamesASocket) {
  EXPECT_EQ(engine::read_docker_host("").socket, "/var/run/docker.sock");
  EXPECT_EQ(engine::read_docker_host("unix:///run/user/1000/docker.sock").socket, "/run/user/1000/docker.sock");
}

TEST(DockerHost, IsASocketOrAServer) {
  EXPECT_EQ(engine::read_docker_host("unix:///run/x.sock").socket, "/run/x.sock");
  EXPECT_EQ(engine::read_docker_host("tcp://10.0.0.1:2375").server, "10.0.0.1:2375");
  EXPECT_EQ(engine::read_docker_host("tcp://[::1]:2376/", "/certificates").server, "[::1]:2376");
  EXPECT_EQ(engine::read_docker_host("tcp://host.example:2376", "/certificates").certificates, "/certificates");
}

TEST(DockerHost, SaysWhatIsNotSupported) {
  for (const char* text :
       {"tcp://10.0.0.1", "tcp://:2375", "tcp://host:port", "tcp://user@host:2375", "tcp://host:2375/x", "tcp://a b:1",
        "ssh://user@host", "npipe:////./pipe/docker_engine", "unix://relative", "host:2375"}) {
    try {
      engine::read_docker_host(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.message(), HasSubstr(printable(text)));
    }
  }
  EXPECT_THROW(engine::read_docker_host("unix:///" + std::string(120, 'x')), Error);
}

}  // namespace
}  // namespace veneer::deliver
