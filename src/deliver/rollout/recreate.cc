#include "deliver/rollout/recreate.hh"

#include <algorithm>
#include <array>
#include <string_view>

#include "foundation/error.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t short_id = 12;  // digits: the host name that an engine makes up, and an alias in each network

const Value* member(const Value& table, std::string_view key) {
  const Value* value = table.is_table() ? table.find(key) : nullptr;
  return value == nullptr || value->is_null() ? nullptr : value;
}

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
  for (const std::string_view key : {"Cmd", "WorkingDir", "User", "Healthcheck", "StopSignal", "OnBuild", "Shell"}) {
    const Value* given = member(config, key);
    const Value* defaults = member(image_config, key);
    if (given != nullptr && defaults != nullptr && *given == *defaults) remove(wanted, key);
  }
  // An entry point of one's own makes an engine forget the image's command, so the two go together.
  const Value* entrypoint = member(config, "Entrypoint");
  const Value* image_entrypoint = member(image_config, "Entrypoint");
  if (entrypoint == nullptr || (image_entrypoint != nullptr && *entrypoint == *image_entrypoint)) {
    remove(wanted, "Entrypoint");
  }
  if (config.string_or("Hostname", "") == id.substr(0, short_id)) remove(wanted, "Hostname");
  remove(wanted, "MacAddress");
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

// What was asked for when it joined the network, without what the engine answered.
Value endpoint_of(const Value& network, const std::string& id) {
  Value endpoint{Value::Table{}};
  for (const std::string_view key : {"IPAMConfig", "Links", "DriverOpts"}) {
    if (const Value* value = member(network, key)) endpoint.set(key, *value);
  }
  Value::Array aliases;
  if (const Value* given = member(network, "Aliases"); given != nullptr && given->is_array()) {
    for (const Value& alias : given->array()) {
      if (alias.is_string() && alias.string() != id.substr(0, short_id)) aliases.push_back(alias);
    }
  }
  if (!aliases.empty()) endpoint.set("Aliases", std::move(aliases));
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
      recreation.networks.push_back(name);
    }
  }
  return recreation;
}

}  // namespace veneer::deliver
