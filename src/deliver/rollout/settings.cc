#include "deliver/rollout/settings.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "deliver/rollout/described.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::size_t made_up_name = 64;  // digits, the name of a volume without one

std::string plain_text(const Value& value) {
  if (value.is_string()) return value.string();
  if (value.is_integer()) return std::to_string(value.integer());
  if (value.is_boolean()) return value.boolean() ? "true" : "false";
  return "";
}

// A list of "NAME=VALUE", or a table.
std::map<std::string, std::string> read_environment(const Value* given) {
  std::map<std::string, std::string> environment;
  if (given != nullptr && given->is_array()) {
    for (const Value& entry : given->array()) {
      const std::string line = plain_text(entry);
      const std::size_t end = std::min(line.find('='), line.size());
      environment[line.substr(0, end)] = line.substr(std::min(end + 1, line.size()));
    }
  }
  if (given != nullptr && given->is_table()) {
    for (const auto& [name, value] : given->table()) environment[name] = plain_text(value);
  }
  return environment;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::map<std::string, std::string> volumes_of(const Value& container, const Value& image_config) {
  std::map<std::string, std::string> volumes;
  if (const Value* mounts = member(container, "Mounts"); mounts != nullptr && mounts->is_array()) {
    for (const Value& mount : mounts->array()) {
      if (!mount.is_table()) continue;
      const std::string destination = without_slash(mount.string_or("Destination", ""));
      const bool is_volume = mount.string_or("Type", "") == "volume";
      const std::string source = without_slash(mount.string_or(is_volume ? "Name" : "Source", ""));
      const bool is_made_up = is_volume && source.size() == made_up_name;
      if (is_made_up && member(image_config, "Volumes", destination) != nullptr) continue;
      volumes[destination] = is_made_up ? "" : source;
    }
  }
  if (const Value* tmpfs = member(container, "HostConfig", "Tmpfs"); tmpfs != nullptr && tmpfs->is_table()) {
    for (const auto& [path, options] : tmpfs->table()) volumes[without_slash(path)] = "";
  }
  return volumes;
}

std::string port_text(std::string address, const std::string& published, const std::string& port) {
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address == "0.0.0.0" || address == "::") address.clear();
  return fmt::format("{}{}{}:{}", address, address.empty() ? "" : ":", published == "0" ? "" : published, port);
}

std::set<std::string> ports_of(const Value& container) {
  std::set<std::string> ports;
  const Value* bindings = member(container, "HostConfig", "PortBindings");
  if (bindings == nullptr || !bindings->is_table()) return ports;
  for (const auto& [port, hosts] : bindings->table()) {
    if (!hosts.is_array() || hosts.array().empty()) continue;
    for (const Value& host : hosts.array()) {
      if (!host.is_table()) continue;
      ports.insert(port_text(host.string_or("HostIp", ""), host.string_or("HostPort", ""), port));
    }
  }
  return ports;
}

std::string label(const Value& container, std::string_view key) {
  const Value* labels = member(container, "Config", "Labels");
  return labels == nullptr || !labels->is_table() ? "" : labels->string_or(key, "");
}

void read_networks(const Value& container, Settings& settings) {
  const Value* networks = member(container, "NetworkSettings", "Networks");
  if (networks == nullptr || !networks->is_table()) return;
  const std::string name = container.string_or("Name", "");
  const std::array by_itself{container.string_or("Id", "").substr(0, short_id),
                             name.substr(name.starts_with('/') ? 1 : 0),
                             label(container, "com.docker.compose.service")};
  for (const auto& [network, endpoint] : networks->table()) {
    settings.networks.insert(network);
    if (const Value* aliases = member(endpoint, "Aliases"); aliases != nullptr && aliases->is_array()) {
      for (const Value& alias : aliases->array()) {
        const std::string word = plain_text(alias);
        if (std::ranges::find(by_itself, word) == by_itself.end()) {
          settings.aliases.insert(fmt::format("{} in {}", word, network));
        }
      }
    }
    for (const std::string_view key : {"IPv4Address", "IPv6Address"}) {
      const Value* address = member(endpoint, "IPAMConfig", key);
      if (address != nullptr && !plain_text(*address).empty()) {
        settings.addresses.insert(fmt::format("{} in {}", plain_text(*address), network));
      }
    }
  }
}

// By the name in a compose file and that of an engine.
constexpr std::array word_keys{std::pair{"user", "User"}, std::pair{"working_dir", "WorkingDir"},
                               std::pair{"entrypoint", "Entrypoint"}, std::pair{"command", "Cmd"},
                               std::pair{"stop_signal", "StopSignal"}};

constexpr const char* health_check = "health check";

std::string as_json(const Value* value) {
  const bool is_nothing = value == nullptr || (value->is_string() && value->string().empty()) ||
                          (value->is_array() && value->array().empty()) || *value == Value("SIGTERM");
  return is_nothing ? "" : to_json(*value);
}

void read_words(const Value& container, const Value& image_config, Settings& settings) {
  for (const auto& [name, key] : word_keys) {
    settings.words[name] = as_json(member(container, "Config", key));
    settings.inherited_words[name] = as_json(member(image_config, key));
  }
  settings.words[health_check] = as_json(member(member(container, "Config", "Healthcheck"), "Test"));
  settings.inherited_words[health_check] = as_json(member(image_config, "Healthcheck", "Test"));
  settings.labels = read_environment(member(container, "Config", "Labels"));
  settings.inherited_labels = read_environment(member(image_config, "Labels"));
  const auto& given = settings.inherited_labels;
  std::erase_if(settings.labels, [&](const auto& entry) {
    const auto there = given.find(entry.first);
    return entry.first.starts_with("com.docker.compose.") || (there != given.end() && there->second == entry.second);
  });
}

// ---- of a compose file ----

// `config` doubles each "$", so that its output could be read as a compose file again.
std::string with_single_dollars(std::string text) {
  for (std::size_t at = 0; (at = text.find("$$", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

// Its name for the engine.
std::string name_of(const Value& composed, std::string_view kind, const std::string& project, const std::string& key) {
  const Value* described = member(composed, kind, key);
  std::string own = fmt::format("{}_{}", project, key);
  if (described == nullptr) return own;
  if (const Value* external = member(*described, "external"); external != nullptr) {
    if (external->is_table()) return external->string_or("name", key);
    if (external->is_boolean() && external->boolean())
      return described->is_table() ? described->string_or("name", key) : key;
  }
  return described->is_table() ? described->string_or("name", own) : own;
}

void add_volume(const Value& volume, const Value& composed, const std::string& project,
                std::map<std::string, std::string>& volumes) {
  std::string source;
  std::string target;
  if (volume.is_table()) {
    source = volume.string_or("source", "");
    target = volume.string_or("target", "");
  } else {
    const std::vector<std::string> words = split_words(plain_text(volume), ":");
    if (words.empty()) return;
    source = words.size() > 1 ? words[0] : "";
    target = words.size() > 1 ? words[1] : words[0];
  }
  if (!source.empty() && !source.starts_with('/')) source = name_of(composed, "volumes", project, source);
  volumes[without_slash(target)] = without_slash(source);
}

// Mounted too: "tmpfs", whose words are paths with options, and secrets and configs, which have a folder of their own.
void add_others(const Value& service, std::map<std::string, std::string>& volumes) {
  const auto each = [&](std::string_view key, const auto& add) {
    const Value* given = member(service, key);
    if (given == nullptr) return;
    if (!given->is_array()) return add(*given);
    for (const Value& value : given->array()) add(value);
  };
  each("tmpfs", [&](const Value& value) {
    const std::string path = plain_text(value);
    volumes[without_slash(path.substr(0, path.find(':')))] = "";
  });
  const auto each_in = [&](std::string_view key, const std::string& folder) {
    each(key, [&](const Value& value) {
      const std::string source = value.is_table() ? value.string_or("source", "") : plain_text(value);
      const std::string target = value.is_table() ? value.string_or("target", source) : source;
      volumes[target.starts_with('/') ? target : folder + target] = "";
    });
  };
  each_in("secrets", "/run/secrets/");
  each_in("configs", "/");
}

struct PortRange {
  unsigned first = 0;
  unsigned count = 1;
};

// "80", "8000-8010"; nothing for what is no such thing.
std::optional<PortRange> read_range(const std::string& text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = read_number<std::uint16_t>(text.substr(0, dash));
  const auto last = dash == text.size() ? first : read_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last - *first + 1U};
}

// A range of the host for one port is any of it; else each has its own.
void add_ports(const std::string& address, const std::string& published, const std::string& target,
               const std::string& protocol, std::set<std::string>& ports) {
  const auto inner = read_range(target);
  const auto outer = read_range(published);
  if (!inner || inner->count == 1 || (outer && outer->count != inner->count)) {
    ports.insert(port_text(address, published, fmt::format("{}/{}", target, protocol)));
    return;
  }
  for (unsigned i = 0; i < inner->count; ++i) {
    ports.insert(port_text(address, outer ? std::to_string(outer->first + i) : "",
                           fmt::format("{}/{}", inner->first + i, protocol)));
  }
}

std::set<std::string> read_ports(const Value* given) {
  std::set<std::string> ports;
  if (given == nullptr || !given->is_array()) return ports;
  for (const Value& value : given->array()) {
    if (value.is_table()) {
      const auto word = [&](std::string_view key) {
        const Value* found = member(value, key);
        return found == nullptr ? "" : plain_text(*found);
      };
      const std::string protocol = word("protocol");
      add_ports(word("host_ip"), word("published"), word("target"), protocol.empty() ? "tcp" : protocol, ports);
      continue;
    }
    std::string target = plain_text(value);
    std::string protocol = "tcp";
    std::string published;
    std::string address;
    if (const std::size_t slash = target.find('/'); slash != std::string::npos) {
      protocol = target.substr(slash + 1);
      target.resize(slash);
    }
    if (const std::size_t colon = target.rfind(':'); colon != std::string::npos) {
      published = target.substr(0, colon);
      target = target.substr(colon + 1);
    }
    if (const std::size_t colon = published.rfind(':'); colon != std::string::npos) {
      address = published.substr(0, colon);
      published = published.substr(colon + 1);
    }
    add_ports(address, published, target, protocol, ports);
  }
  return ports;
}

void read_service_networks(const Value& service, const Value& composed, const std::string& project,
                           Settings& settings) {
  if (const std::string mode = service.string_or("network_mode", ""); !mode.empty()) {
    if (mode.find(':') == std::string::npos) settings.networks.insert(mode);
    return;
  }
  const auto name = [&](const std::string& key) { return name_of(composed, "networks", project, key); };
  const Value* networks = member(service, "networks");
  if (networks == nullptr) {
    settings.networks.insert(name("default"));
  } else if (networks->is_array()) {
    for (const Value& key : networks->array()) settings.networks.insert(name(plain_text(key)));
  } else if (networks->is_table()) {
    for (const auto& [key, endpoint] : networks->table()) {
      settings.networks.insert(name(key));
      if (const Value* aliases = member(endpoint, "aliases"); aliases != nullptr && aliases->is_array()) {
        for (const Value& alias : aliases->array()) {
          settings.aliases.insert(fmt::format("{} in {}", plain_text(alias), name(key)));
        }
      }
      for (const std::string_view version : {"ipv4_address", "ipv6_address"}) {
        if (const Value* address = member(endpoint, version)) {
          settings.addresses.insert(fmt::format("{} in {}", plain_text(*address), name(key)));
        }
      }
    }
  }
}

// An entrypoint of its own makes an engine forget the image's command. Compose splits a line into words by itself.
void read_service_words(const Value& service, Settings& settings) {
  for (const auto& [name, key] : word_keys) {
    const Value* given = member(service, name);
    if (given == nullptr) continue;
    const bool is_list = std::string_view(key) == "Entrypoint" || std::string_view(key) == "Cmd";
    if (is_list && (!given->is_array() || given->array().empty())) {
      settings.untold.insert({name, "command"});
    } else {
      settings.words[name] = with_single_dollars(as_json(given));
    }
  }
  if (settings.words.contains("entrypoint")) settings.words.emplace("command", "");
  settings.labels = read_environment(member(service, "labels"));
  for (auto& [label, value] : settings.labels) value = with_single_dollars(std::move(value));
}

void compare_words(const Settings& has, const Settings& gets, SettingChanges& changes) {
  for (const auto& [name, word] : has.words) {
    const auto given = gets.words.find(name);
    const std::string& now = given == gets.words.end() ? has.inherited_words.at(name) : given->second;
    if (now != word && !gets.untold.contains(name)) changes.other.push_back(fmt::format("the {} changes", name));
  }
}

void compare_labels(const Settings& has, const Settings& gets, SettingChanges& changes) {
  for (const auto& [name, value] : has.labels) {
    const auto now = gets.labels.find(name);
    if (now == gets.labels.end()) {
      changes.other.push_back(fmt::format("the label {} goes", name));
    } else if (now->second != value) {
      changes.other.push_back(fmt::format("the label {} changes", name));
    }
  }
  for (const auto& [name, value] : gets.labels) {
    const auto there = has.inherited_labels.find(name);
    const bool is_as_in_the_image = there != has.inherited_labels.end() && there->second == value;
    if (!has.labels.contains(name) && !is_as_in_the_image) {
      changes.other.push_back(fmt::format("the label {} is new", name));
    }
  }
}

// Compose gives these from the account's own configuration of the client.
bool is_of_a_proxy(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name.ends_with("_proxy");
}

void compare_sets(const char* what, const std::set<std::string>& has, const std::set<std::string>& gets,
                  SettingChanges& changes) {
  for (const std::string& one : has) {
    if (!gets.contains(one)) changes.lost.push_back(fmt::format("the {} {} goes", what, one));
  }
  for (const std::string& one : gets) {
    if (!has.contains(one)) changes.other.push_back(fmt::format("the {} {} is new", what, one));
  }
}

void compare_environments(const Settings& has, const Settings& gets, SettingChanges& changes) {
  for (const auto& [name, value] : has.environment) {
    const auto now = gets.environment.find(name);
    if (now == gets.environment.end()) {
      if (!is_of_a_proxy(name)) changes.lost.push_back(fmt::format("the variable {} goes", name));
    } else if (now->second.empty() && !value.empty()) {
      changes.lost.push_back(fmt::format("the variable {} becomes empty", name));
    } else if (now->second != value) {
      changes.other.push_back(fmt::format("the variable {} changes", name));
    }
  }
  for (const auto& [name, value] : gets.environment) {
    if (has.environment.contains(name)) continue;
    const auto there = has.inherited.find(name);
    if (there == has.inherited.end()) {
      changes.other.push_back(fmt::format("the variable {} is new", name));
    } else if (there->second != value) {
      auto& list = value.empty() ? changes.lost : changes.other;
      list.push_back(fmt::format("the variable {} {}", name, value.empty() ? "becomes empty" : "changes"));
    }
  }
}

void compare_allowances(const Allowances& has, const Allowances& gets, SettingChanges& changes) {
  for (const auto& [name, value] : has.given) {
    auto now = gets.given.find(name);
    if (now == gets.given.end()) {
      now = gets.possible.find(name);
      if (now == gets.possible.end()) {
        (may_be_the_engines(name) ? changes.other : changes.lost).push_back(fmt::format("the {} goes", name));
        continue;
      }
    }
    if (now->second != value) changes.other.push_back(fmt::format("the {} changes", name));
  }
  for (const auto& [name, value] : gets.given) {
    if (has.given.contains(name)) continue;
    const auto usual = has.possible.find(name);
    if (usual == has.possible.end()) {
      changes.other.push_back(fmt::format("the {} is new", name));
    } else if (usual->second != value) {
      changes.other.push_back(fmt::format("the {} changes", name));
    }
  }
}

void compare_volumes(const std::map<std::string, std::string>& has, const std::map<std::string, std::string>& gets,
                     SettingChanges& changes) {
  for (const auto& [path, source] : has) {
    const auto now = gets.find(path);
    if (now == gets.end()) {
      changes.lost.push_back(fmt::format("the volume at {} goes", path));
    } else if (!source.empty() && !now->second.empty() && now->second != source) {
      changes.lost.push_back(fmt::format("another volume is at {}", path));
    }
  }
  for (const auto& [path, source] : gets) {
    if (!has.contains(path)) changes.other.push_back(fmt::format("the volume at {} is new", path));
  }
}

}  // namespace

Settings settings_of_container(const Value& container, const Value& image_config, std::string_view usual_logging) {
  Settings settings;
  settings.inherited = read_environment(member(image_config, "Env"));
  for (const auto& [name, value] : read_environment(member(container, "Config", "Env"))) {
    const auto there = settings.inherited.find(name);
    if (there == settings.inherited.end() || there->second != value) settings.environment[name] = value;
  }
  settings.volumes = volumes_of(container, image_config);
  settings.ports = ports_of(container);
  settings.allowances = allowances_of_container(container, usual_logging);
  read_words(container, image_config, settings);
  read_networks(container, settings);
  return settings;
}

std::optional<Settings> settings_of_service(const Value& composed, const std::string& project,
                                            const std::string& name) {
  const Value* service = member(composed, "services", name);
  if (service == nullptr || !service->is_table()) return std::nullopt;
  Settings settings;
  settings.environment = read_environment(member(*service, "environment"));
  for (auto& [variable, value] : settings.environment) value = with_single_dollars(std::move(value));
  if (member(*service, "volumes_from") == nullptr) {
    settings.volumes.emplace();
    if (const Value* volumes = member(*service, "volumes"); volumes != nullptr && volumes->is_array()) {
      for (const Value& volume : volumes->array()) add_volume(volume, composed, project, *settings.volumes);
    }
    add_others(*service, *settings.volumes);
  }
  settings.ports = read_ports(member(*service, "ports"));
  settings.allowances = allowances_of_service(*service);
  read_service_words(*service, settings);
  if (const auto test = health_test_of_service(composed, name); test && !test->empty()) {
    settings.words[health_check] = to_json(Value(Value::Array(test->begin(), test->end())));
  }
  read_service_networks(*service, composed, project, settings);
  return settings;
}

std::optional<std::vector<std::string>> health_test_of_service(const Value& composed, const std::string& service) {
  const Value* check = member(member(composed, "services", service), "healthcheck");
  if (check == nullptr) return std::nullopt;
  if (const Value* off = member(*check, "disable"); off != nullptr && off->is_boolean() && off->boolean()) {
    return std::vector<std::string>{"NONE"};
  }
  const Value* test = member(*check, "test");
  if (test == nullptr) return std::nullopt;
  if (test->is_string()) return std::vector<std::string>{"CMD-SHELL", with_single_dollars(test->string())};
  std::vector<std::string> words;
  if (test->is_array()) {
    for (const Value& word : test->array()) words.push_back(with_single_dollars(plain_text(word)));
  }
  return words;
}

SettingChanges compare_settings(const Settings& has, const Settings& gets) {
  SettingChanges changes;
  compare_environments(has, gets, changes);
  compare_words(has, gets, changes);
  compare_labels(has, gets, changes);
  if (has.volumes && gets.volumes) compare_volumes(*has.volumes, *gets.volumes, changes);
  compare_sets("port", has.ports, gets.ports, changes);
  compare_sets("network", has.networks, gets.networks, changes);
  compare_sets("alias", has.aliases, gets.aliases, changes);
  compare_sets("address", has.addresses, gets.addresses, changes);
  compare_allowances(has.allowances, gets.allowances, changes);
  return changes;
}

}  // namespace veneer::deliver
