#include "deliver/rollout/settings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/json.hh"

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* container = R"({
  "Id": "0123456789abcdef", "Name": "/plant_web_1",
  "Config": {"Env": ["A=mine", "PATH=/old", "VERSION=7", "HTTP_PROXY=http://proxy", "MONEY=a$b"],
             "Labels": {"com.docker.compose.project": "plant", "com.docker.compose.service": "web"}},
  "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "9/udp": null},
                 "Tmpfs": {"/run": ""}},
  "Mounts": [{"Type": "volume", "Name": "plant_data", "Destination": "/data"},
             {"Type": "bind", "Source": "/srv/x", "Destination": "/srv"},
             {"Type": "volume", "Name": "0123456789012345678901234567890123456789012345678901234567890123",
              "Destination": "/cache"}],
  "NetworkSettings": {"Networks": {"plant_front": {
    "Aliases": ["web", "0123456789ab", "shop"], "IPAMConfig": {"IPv4Address": "10.0.0.7"}, "IPAddress": "10.0.0.7"}}}
})";
constexpr const char* image_config = R"({"Env": ["PATH=/old", "VERSION=7"], "Volumes": {"/cache": {}}})";

// As docker-compose 1 says it, and version 2.
constexpr const char* composed_1 = R"({"services": {"web": {"environment": {"A": "mine", "MONEY": "a$$b"},
    "ports": ["127.0.0.1:8080:80/tcp"], "volumes": ["data:/data:rw", "/srv/x:/srv:ro"], "tmpfs": "/run",
    "networks": {"front": {"aliases": ["shop"], "ipv4_address": "10.0.0.7"}}}}, "volumes": {"data": {}},
    "networks": {"front": null}})";
constexpr const char* composed_2 = R"({"services": {"web": {"environment": {"A": "mine", "MONEY": "a$$b"},
    "ports": [{"mode": "ingress", "target": 80, "published": "8080", "protocol": "tcp",
               "host_ip": "127.0.0.1"}], "tmpfs": ["/run:size=1m"],
    "volumes": [{"type": "volume", "source": "data", "target": "/data"}, 
                {"type": "bind", "source": "/srv/x", "target": "/srv"}],
    "networks": {"front": {"aliases": ["shop"], "ipv4_address": "10.0.0.7"}}}},
    "volumes": {"data": {"name": "plant_data"}}, "networks": {"front": {"name": "plant_front"}}})";

SettingChanges changes(const Value& composed, const char* given = container) {
  return compare_settings(settings_of_container(parse_json(given), parse_json(image_config)),
                          settings_of_service(composed, "plant", "web").value());
}

// What `service` has instead.
Value with(const std::string& key, const Value& value) {
  Value composed = parse_json(composed_2);
  Value services = composed.at("services");
  Value web = services.at("web");
  web.set(key, value);
  services.set("web", web);
  composed.set("services", services);
  return composed;
}

Settings with_labels() {
  Settings settings;
  settings.labels["b"] = "2";
  return settings;
}

TEST(Settings, TheSameIsSilence) {
  for (const char* composed : {composed_1, composed_2}) {
    EXPECT_THAT(changes(parse_json(composed)).lost, IsEmpty()) << composed;
    EXPECT_THAT(changes(parse_json(composed)).other, IsEmpty()) << composed;
  }
}

TEST(Settings, WhatTheImageGaveIsNobodysOwn) {
  const Settings settings = settings_of_container(parse_json(container), parse_json(image_config));
  EXPECT_FALSE(settings.environment.contains("PATH"));
  EXPECT_FALSE(settings.volumes->contains("/cache"));
  EXPECT_TRUE(settings.environment.contains("A"));
  // Said in the file too: the same as before.
  const Value said = parse_json(R"({"A": "mine", "MONEY": "a$$b", "VERSION": "7"})");
  EXPECT_THAT(changes(with("environment", said)).other, IsEmpty());
}

TEST(Settings, AVariableThatGoesOrBecomesEmptyIsLost) {
  const struct {
    const char* environment;
    const char* lost;
  } rows[] = {{R"({"MONEY": "a$$b"})", "the variable A goes"},
              {R"({"A": "", "MONEY": "a$$b"})", "the variable A becomes empty"},
              {R"({"A": null, "MONEY": "a$$b"})", "the variable A becomes empty"},
              {R"({"A": "mine", "MONEY": "a$$b", "VERSION": ""})", "the variable VERSION becomes empty"},
              {R"(["A", "MONEY=a$$b"])", "the variable A becomes empty"}};
  for (const auto& row : rows) {
    EXPECT_THAT(changes(with("environment", parse_json(row.environment))).lost, ElementsAre(row.lost));
  }
}

TEST(Settings, OtherVariablesAreNamedWithoutTheirValues) {
  const Value given = parse_json(R"({"A": "secret", "MONEY": "a$$b", "NEW": "secret", "VERSION": "8"})");
  EXPECT_THAT(changes(with("environment", given)).other,
              ElementsAre("the variable A changes", "the variable NEW is new", "the variable VERSION changes"));
  EXPECT_THAT(changes(with("environment", given)).lost, IsEmpty());
}

TEST(Settings, VolumesPortsAndNetworks) {
  const struct {
    const char* key;
    const char* value;
    std::vector<std::string> lost;
    std::vector<std::string> other;
  } rows[] = {
      {"volumes", R"(["data:/data"])", {"the volume at /srv goes"}, {}},
      {"volumes", R"(["other:/data", "/srv/x/:/srv"])", {"another volume is at /data"}, {}},
      {"volumes", R"(["data:/data", "/srv/x:/srv", "/new"])", {}, {"the volume at /new is new"}},
      {"tmpfs", "[]", {"the volume at /run goes"}, {}},
      {"secrets", R"([{"source": "key"}])", {}, {"the volume at /run/secrets/key is new"}},
      {"volumes_from", R"(["worker"])", {}, {}},
      {"ports", R"(["81:80"])", {"the port 127.0.0.1:8080:80/tcp goes"}, {"the port 81:80/tcp is new"}},
      {"ports", R"(["127.0.0.1:8080-8081:80-81"])", {}, {"the port 127.0.0.1:8081:81/tcp is new"}},
      {"networks",
       R"(["front"])",
       {"the alias shop in plant_front goes", "the address 10.0.0.7 in plant_front goes"},
       {}},
      {"network_mode",
       "\"host\"",
       {"the network plant_front goes", "the alias shop in plant_front goes",
        "the address 10.0.0.7 in plant_front goes"},
       {"the network host is new"}},
  };
  for (const auto& row : rows) {
    const SettingChanges found = changes(with(row.key, parse_json(row.value)));
    EXPECT_EQ(found.lost, row.lost) << row.key << row.value;
    EXPECT_EQ(found.other, row.other) << row.key << row.value;
  }
}

TEST(Settings, OtherEditsAreListed) {
  const struct {
    const char* key;
    const char* value;
    std::vector<std::string> other;
  } rows[] = {
      {"user", "\"1000\"", {"the user changes"}},
      {"user", "\"0\"", {}},  // the image's
      {"command", R"(["sell"])", {"the command changes"}},
      {"command", R"(["serve"])", {}},
      {"command", "\"sell all\"", {}},  // compose splits it
      {"entrypoint", R"(["/run"])", {"the command changes"}},
      {"entrypoint", R"(["/other"])", {"the command changes", "the entrypoint changes"}},
      {"entrypoint", "[]", {}},
      {"labels", R"({"site": "plant", "version": "1"})", {"the label site is new"}},
  };
  const char* image = R"({"User": "0", "Entrypoint": ["/run"], "Cmd": ["serve"], "Labels": {"version": "1"}})";
  const char* given = R"({"Config": {"User": "0", "Entrypoint": ["/run"], "Cmd": ["serve"],
    "Labels": {"version": "1", "com.docker.compose.service": "web"}}})";
  for (const auto& row : rows) {
    const Value composed = Value::Table{
        {"services", Value::Table{{"web", Value::Table{{"network_mode", "none:"}, {row.key, parse_json(row.value)}}}}}};
    const Settings has = settings_of_container(parse_json(given), parse_json(image));
    const SettingChanges found = compare_settings(has, settings_of_service(composed, "plant", "web").value());
    EXPECT_EQ(found.other, row.other) << row.key << row.value;
    EXPECT_THAT(found.lost, IsEmpty());
  }
  const Settings labelled =
      settings_of_container(parse_json(R"({"Config": {"Labels": {"a": "1", "b": "1"}}})"), Value());
  EXPECT_THAT(compare_settings(labelled, with_labels()).other, ElementsAre("the label a goes", "the label b changes"));
}

TEST(Settings, OddDocumentsAreNothing) {
  for (const char* text : {"{}", "[]", "7", R"({"services": []})", R"({"services": {"web": 7}})"}) {
    EXPECT_FALSE(settings_of_service(parse_json(text), "plant", "web")) << text;
  }
  for (const char* text :
       {"{}", "[]", "7", R"({"Mounts": 7, "Config": [], "HostConfig": 1, "NetworkSettings": "x"})"}) {
    EXPECT_TRUE(settings_of_container(parse_json(text), parse_json("[]")).environment.empty()) << text;
  }
}

}  // namespace
}  // namespace veneer::deliver
