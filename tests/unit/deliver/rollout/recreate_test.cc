#include "deliver/rollout/recreate.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::deliver {
namespace {

constexpr const char* container = R"({
  "Id": "0123456789abcdef",
  "Config": {"Hostname": "0123456789ab", "Image": "shop:1", "Env": ["A=mine", "PATH=/old"], "Cmd": ["serve"],
             "Entrypoint": ["/run"], "User": "1000", "Labels": {"site": "plant", "version": "1"},
             "Healthcheck": {"Test": ["CMD", "/mine"]}, "ExposedPorts": {"80/tcp": {}, "9/tcp": {}}},
  "HostConfig": {"NetworkMode": "front", "Binds": ["/srv:/srv:ro"], "RestartPolicy": {"Name": "always"}},
  "Mounts": [{"Type": "volume", "Name": "f00d", "Destination": "/data"}, {"Type": "bind", "Destination": "/srv"}],
  "NetworkSettings": {"Networks": {
    "front": {"Aliases": ["shop", "0123456789ab"], "IPAMConfig": {"IPv4Address": "10.0.0.7"}, "IPAddress": "10.0.0.7"},
    "back": {"Aliases": null}}}
})";
constexpr const char* image_config = R"({"Env": ["PATH=/old"], "Cmd": ["serve"], "Entrypoint": ["/run"], "User": "1000",
  "Labels": {"version": "1"}, "ExposedPorts": {"80/tcp": {}}, "Healthcheck": {"Test": ["CMD", "/image"]}})";

TEST(Recreate, KeepsWhatWasGivenAndDropsWhatCameFromTheOldImage) {
  const Recreation recreation = recreate(parse_json(container), parse_json(image_config), "shop:live");
  EXPECT_EQ(to_json(recreation.create),
            to_json(parse_json(R"({"Image": "shop:live", "Env": ["A=mine"], "Labels": {"site": "plant"},
              "Healthcheck": {"Test": ["CMD", "/mine"]}, "ExposedPorts": {"9/tcp": {}},
              "HostConfig": {"NetworkMode": "front", "Binds": ["/srv:/srv:ro", "f00d:/data"],
                             "RestartPolicy": {"Name": "always"}},
              "NetworkingConfig": {"EndpointsConfig": {"front": {"IPAMConfig": {"IPv4Address": "10.0.0.7"},
                                                                 "Aliases": ["shop"]}}}})")));
  ASSERT_EQ(recreation.networks.size(), 1U);
  EXPECT_EQ(recreation.networks[0].network, "back");
}

TEST(Recreate, KeepsAliasesAddressesAndMacOfEveryNetwork) {
  const Value given = parse_json(R"({"Id": "0123456789abcdef", "Config": {"MacAddress": "02:42:00:00:00:09"},
    "HostConfig": {"NetworkMode": "front"}, "NetworkSettings": {"Networks": {
      "front": {"IPAddress": "10.0.0.7", "MacAddress": "02:42:0a:00:00:07"},
      "back": {"Aliases": ["store", "0123456789ab"], "IPAMConfig": {"IPv4Address": "10.1.0.7"}, "IPAddress": "10.1.0.7",
               "MacAddress": "02:42:00:00:00:05"}}}})");
  const Recreation recreation = recreate(given, parse_json("{}"), "shop:live");
  ASSERT_EQ(recreation.networks.size(), 1U);
  EXPECT_EQ(to_json(recreation.networks[0].connect),
            to_json(parse_json(R"({"EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.1.0.7"}, "Aliases": ["store"],
              "MacAddress": "02:42:00:00:00:05"}})")));
  EXPECT_EQ(recreation.create.string_or("MacAddress", ""), "02:42:00:00:00:09");
  // What the engine made out of the address is not asked for.
  EXPECT_EQ(to_json(recreation.create.at("NetworkingConfig")), R"({"EndpointsConfig":{"front":{}}})");
}

TEST(Recreate, ACommandThatIsTheImagesStaysWithAnEntryPointOfOnesOwn) {
  const Value given = parse_json(R"({"Id": "x", "HostConfig": {},
    "Config": {"Entrypoint": ["/mine"], "Cmd": ["serve"], "Healthcheck": {"Test": ["CMD", "/a"], "Interval": 5}}})");
  const Value image =
      parse_json(R"({"Entrypoint": ["/run"], "Cmd": ["serve"], "Healthcheck": {"Test": ["CMD", "/a"]}})");
  const Value create = recreate(given, image, "shop:live").create;
  EXPECT_EQ(to_json(create.at("Cmd")), R"(["serve"])");
  EXPECT_EQ(to_json(create.at("Healthcheck")), R"({"Interval":5})");
}

TEST(Recreate, WhatSharesWithOthersIsRefusedByName) {
  const char* alone = R"({"Id": "0123456789abcdef", "Name": "/shop", "HostConfig": {"NetworkMode": "front"}})";
  const auto refusal = [](const std::string& described, const std::vector<Value>& others) -> std::string {
    try {
      check_stands_alone(parse_json(described), others);
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_EQ(
      refusal(alone,
              {parse_json(
                  R"({"Name": "/web", "Id": "ff", "NetworkMode": "container:fedc", "VolumesFrom": ["shopper:ro"]})")}),
      "");
  EXPECT_EQ(refusal(alone, {parse_json(R"({"Name": "/shop", "Id": "0123456789abcdef", "NetworkMode": "front"})")}), "");
  for (const char* other : {R"({"Name": "/side", "Id": "ff", "NetworkMode": "container:0123456789abcdef"})",
                            R"({"Name": "/side", "Id": "ff", "PidMode": "container:shop"})",
                            R"({"Name": "/side", "Id": "ff", "IpcMode": "container:0123456789ab"})",
                            R"({"Name": "/side", "Id": "ff", "VolumesFrom": ["shop:ro"]})"}) {
    EXPECT_THAT(refusal(alone, {parse_json(other)}), ::testing::HasSubstr("the container side uses its")) << other;
  }
  for (const char* host : {R"("NetworkMode": "container:ff")", R"("PidMode": "container:ff")",
                           R"("IpcMode": "container:ff")", R"("VolumesFrom": ["store"])", R"("AutoRemove": true)"}) {
    EXPECT_NE(refusal(std::string(R"({"Id": "01", "Name": "/shop", "HostConfig": {)") + host + "}}", {}), "") << host;
  }
}

TEST(Recreate, WhatDiffersFromTheImageStays) {
  Value other = parse_json(image_config);
  other.set("Entrypoint", Value::Array{"/other"});
  other.set("Cmd", Value());
  const Value create = recreate(parse_json(container), other, "shop:live").create;
  EXPECT_EQ(create.at("Entrypoint").array().front().string(), "/run");
  EXPECT_EQ(create.at("Cmd").array().front().string(), "serve");
}

TEST(Recreate, RefusesWhatIsNoContainer) {
  for (const char* text : {"{}", R"({"Id":"x"})", R"({"Id":"x","Config":7,"HostConfig":{}})"}) {
    EXPECT_THROW(recreate(parse_json(text), Value(Value::Table{}), "shop:live"), Error) << text;
  }
}

}  // namespace
}  // namespace veneer::deliver
