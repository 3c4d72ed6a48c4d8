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
  EXPECT_THAT(recreation.networks, ::testing::ElementsAre("back"));
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
