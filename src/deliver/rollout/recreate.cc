#include "deliver/rollout/recreate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "deliver/rollout/described.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

void remove(Value& table, std::string_view key) {
  std::erase_if(table.table(), [&](const auto& entry) { return entry.first == key; });
}

// What is the same in the image came from there.
Value without_defaults(const Value& given, const Value& defaults) {
  if (given.is_table() && defaults.is_table()) {
    Value rest{Value::Table{}};
    for (const auto& [key, value] : given.table()) {
      const Value* there = defaults.find(key);
      if (there == nullptr || *there != value) rest.set(key, value);
    }
    return rest;
  }
  if (given.is_array() && defaults.is_array()) {
    Value::Array rest;
    for (const Value& value : given.array()) {
      if (std::ranges::find(defaults.array(), value) == defaults.array().end()) rest.push_back(value);
    }
    return rest;
  }
  return given;
}

Value create_config(const Value& config, const Value& image_config, const std::string& id) {
  Value wanted = config;
  for (const std::string_view key : {"Env", "Labels", "ExposedPorts", "Volumes"}) {
    const Value* given = member(config, key);
    const Value* defaults = member(image_config, key);
    if (given != nullptr && defaults != nullptr) wanted.set(key, without_defaults(*given, *defaults));
  }
  // An entry point of one's own makes an engine forget the image's command, so the two go together.
  const Value* entrypoint = member(config, "Entrypoint");
  const Value* image_entrypoint = member(image_config, "Entrypoint");
  const bool has_entrypoint =
      entrypoint != nullptr && (image_entrypoint == nullptr || *entrypoint != *image_entrypoint);
  if (!has_entrypoint) remove(wanted, "Entrypoint");
  // Field by field, as an engine adds the image's to what was given.
  const Value* check = member(config, "Healthcheck");
  const Value* image_check = member(image_config, "Healthcheck");
  if (check != nullptr && image_check != nullptr) wanted.set("Healthcheck", without_defaults(*check, *image_check));
  for (const std::string_view key : {"Cmd", "WorkingDir", "User", "Healthcheck", "StopSignal", "OnBuild", "Shell"}) {
    const Value* given = member(config, key);
    const Value* defaults = member(image_config, key);
    if (key == "Cmd" && has_entrypoint) continue;
    if (given != nullptr && defaults != nullptr && *given == *defaults) remove(wanted, key);
  }
  if (config.string_or("Hostname", "") == id.substr(0, short_id)) remove(wanted, "Hostname");
  if (config.string_or("MacAddress", "").empty()) remove(wanted, "MacAddress");
  return wanted;
}

// Volumes that the engine made for the image's own, which nothing but the container names.
void keep_volumes(Value& host_config, const Value& container) {
  const Value* mounts = member(container, "Mounts");
  if (mounts == nullptr || !mounts->is_array()) return;
  Value::Array binds;
  if (const Value* given = member(host_config, "Binds"); given != nullptr) binds = given->array();
  const Value* described = member(host_config, "Mounts");
  for (const Value& mount : mounts->array()) {
    if (!mount.is_table() || mount.string_or("Type", "") != "volume") continue;
    const std::string name = mount.string_or("Name", "");
    const std::string destination = mount.string_or("Destination", "");
    const auto names_it = [&](const Value& bind) {
      return bind.is_string() && (bind.string().ends_with(":" + destination) ||
                                  bind.string().find(":" + destination + ":") != std::string::npos);
    };
    const auto describes_it = [&](const Value& other) {
      return other.is_table() && other.string_or("Target", "") == destination;
    };
    if (std::ranges::any_of(binds, names_it)) continue;
    if (described != nullptr && described->is_array() && std::ranges::any_of(described->array(), describes_it))
      continue;
    if (!name.empty() && !destination.empty()) binds.emplace_back(name + ":" + destination);
  }
  if (!binds.empty()) host_config.set("Binds", std::move(binds));
}

// One that an engine made out of the address in the network.
bool is_made_up(const std::string& mac, const Value& network) {
  std::string made = "02:42";
  int octet = 0;
  for (const char c : network.string_or("IPAddress", "") + ".") {
    if (c == '.') {
      made += fmt::format(":{:02x}", octet);
      octet = 0;
    } else {
      octet = octet * 10 + (c - '0');
    }
  }
  return mac == made;
}

// What was asked for when it joined the network, without what the engine answered.
Value endpoint_of(const Value& network, const std::string& id) {
  Value endpoint{Value::Table{}};
  for (const std::string_view key : {"IPAMConfig", "Links", "DriverOpts", "GwPriority"}) {
    if (const Value* value = member(network, key)) endpoint.set(key, *value);
  }
  Value::Array aliases;
  if (const Value* given = member(network, "Aliases"); given != nullptr && given->is_array()) {
    for (const Value& alias : given->array()) {
      if (alias.is_string() && alias.string() != id.substr(0, short_id)) aliases.push_back(alias);
    }
  }
  if (!aliases.empty()) endpoint.set("Aliases", std::move(aliases));
  const std::string mac = network.is_table() ? network.string_or("MacAddress", "") : "";
  if (!mac.empty() && !is_made_up(mac, network)) endpoint.set("MacAddress", mac);
  return endpoint;
}

}  // namespace

Recreation recreate(const Value& container, const Value& image_config, const std::string& image) {
  const std::string id = container.string_or("Id", "");
  const Value* config = member(container, "Config");
  const Value* host = member(container, "HostConfig");
  if (id.empty() || config == nullptr || host == nullptr || !config->is_table() || !host->is_table()) {
    throw Error(ErrorKind::refused, "the host does not describe the container as engines do");
  }
  Recreation recreation;
  recreation.create = create_config(*config, image_config, id);
  recreation.create.set("Image", image);
  Value host_config = *host;
  keep_volumes(host_config, container);
  const std::string mode = host_config.string_or("NetworkMode", "default");
  recreation.create.set("HostConfig", std::move(host_config));

  const Value* settings = member(container, "NetworkSettings");
  const Value* networks = settings == nullptr ? nullptr : member(*settings, "Networks");
  if (networks == nullptr || !networks->is_table()) return recreation;
  for (const auto& [name, network] : networks->table()) {
    if (name == "host" || name == "none" || name == "bridge") continue;
    if (name == mode) {
      recreation.create.set("NetworkingConfig",
                            Value::Table{{"EndpointsConfig", Value::Table{{name, endpoint_of(network, id)}}}});
    } else {
      recreation.networks.push_back({name, Value::Table{{"EndpointConfig", endpoint_of(network, id)}}});
    }
  }
  return recreation;
}

void check_stands_alone(const Value& container, const std::vector<Value>& others) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::refused, what, "--restart-with COMMAND says how to restart them all");
  };
  const std::string id = container.string_or("Id", "");
  const auto without_slash = [](const std::string& name) { return name.substr(name.starts_with('/') ? 1 : 0); };
  const std::string own_name = without_slash(container.string_or("Name", ""));
  const std::string joins = "container:";
  const Value* host = member(container, "HostConfig");
  if (host == nullptr || !host->is_table()) return;
  if (host->boolean_or("AutoRemove", false)) refuse("it was started with --rm: there would be no way back to it");
  constexpr std::array modes{std::pair{"NetworkMode", "network"}, std::pair{"PidMode", "processes"},
                             std::pair{"IpcMode", "shared memory"}};
  for (const auto& [key, what] : modes) {
    if (host->string_or(key, "").starts_with(joins)) refuse(fmt::format("it uses another container's {}", what));
  }
  if (const Value* from = member(*host, "VolumesFrom"); from != nullptr && from->is_array() && !from->array().empty()) {
    refuse("it uses another container's volumes (--volumes-from)");
  }
  const auto names_it = [&](const std::string& word) {
    const std::string other = without_slash(word.substr(0, word.find(':')));
    return !other.empty() && (other == own_name || id.starts_with(other));
  };
  for (const Value& other : others) {
    if (!other.is_table() || other.string_or("Id", "") == id) continue;
    const std::string name = printable(without_slash(other.string_or("Name", "")));
    for (const auto& [key, what] : modes) {
      const std::string mode = other.string_or(key, "");
      if (mode.starts_with(joins) && names_it(mode.substr(joins.size()))) {
        refuse(fmt::format("the container {} uses its {}", name, what));
      }
    }
    const Value* from = member(other, "VolumesFrom");
    if (from == nullptr || !from->is_array()) continue;
    for (const Value& word : from->array()) {
      if (word.is_string() && names_it(word.string())) refuse(fmt::format("the container {} uses its volumes", name));
    }
  }
}

}  // namespace veneer::deliver
