#include "deliver/rollout/allowances.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "deliver/rollout/described.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

using Named = std::map<std::string, std::string>;

constexpr std::int64_t usual_shared_memory = 64 << 20;
constexpr double billion = 1e9;
constexpr double most = 9e18;

std::string text_of(const Value* value) {
  if (value == nullptr) return "";
  if (value->is_string()) return value->string();
  if (value->is_integer()) return std::to_string(value->integer());
  if (value->is_real()) return fmt::format("{}", value->real());
  if (value->is_boolean()) return value->boolean() ? "true" : "false";
  return "";
}

std::optional<std::int64_t> rounded(double number) {
  if (!(std::abs(number) < most)) return std::nullopt;
  return std::llround(number);
}

// "0.5", "200m" (binary units, as engines and compose count), "64 kb", "1GiB".
std::optional<double> read_amount(std::string_view text) {
  text = trimmed(text);
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.' || (end == 0 && text[end] == '-'))) ++end;
  const auto number = read_number<double>(text.substr(0, end));
  if (!number) return std::nullopt;
  std::string unit;
  for (const char c : trimmed(text.substr(end))) unit += is_upper(c) ? static_cast<char>(c + 32) : c;
  for (const std::string_view tail : {"ib", "b"}) {
    if (!unit.ends_with(tail)) continue;
    unit.resize(unit.size() - tail.size());
    break;
  }
  if (unit.empty()) return number;
  const std::size_t power = std::string_view("kmgtp").find(unit);
  if (unit.size() != 1 || power == std::string_view::npos) return std::nullopt;
  return *number * std::pow(1024.0, static_cast<double>(power + 1));
}

// A number as it is kept; what is no number stays as it is. 0 and less are no limit.
void add_amount(Named& named, const std::string& name, const Value* value, double factor = 1) {
  const std::string text = text_of(value);
  if (text.empty()) return;
  const auto amount = read_amount(text);
  const auto number = amount ? rounded(*amount * factor) : std::nullopt;
  if (number && *number <= 0) return;
  named[name] = number ? std::to_string(*number) : text;
}

void add_word(Named& named, const std::string& name, const Value* value) {
  if (const std::string text = text_of(value); !text.empty()) named[name] = text;
}

void add_truth(Named& named, const std::string& name, const Value* value) {
  if (text_of(value) == "true") named[name] = "true";
}

template <typename Add>
void for_each(const Value* list, const Add& add) {
  if (list == nullptr) return;
  if (!list->is_array()) return add(*list);
  for (const Value& value : list->array()) add(value);
}

// "CAP_NET_ADMIN" and "net_admin" are the same.
void add_capabilities(Named& named, const Value* list, const char* kind) {
  for_each(list, [&](const Value& value) {
    std::string name;
    for (const char c : text_of(&value)) name += is_lower(c) ? static_cast<char>(c - 32) : c;
    if (name.starts_with("CAP_")) name.erase(0, 4);
    if (!name.empty()) named[fmt::format("{} capability {}", kind, name)] = "yes";
  });
}

void add_each(Named& named, const Value* list, const char* kind) {
  for_each(list, [&](const Value& value) {
    if (const std::string text = text_of(&value); !text.empty()) named[fmt::format("{} {}", kind, text)] = "yes";
  });
}

// "seccomp:unconfined" and "seccomp=…"; compose replaces the name of a profile by what is in it.
void add_security(Named& named, const Value* list) {
  for_each(list, [&](const Value& value) {
    const std::string text = text_of(&value);
    const std::size_t cut = std::min(text.find_first_of(":="), text.size());
    const std::string kind = text.substr(0, cut);
    std::string rest = text.substr(std::min(cut + 1, text.size()));
    if (kind == "seccomp" || (kind == "no-new-privileges" && rest != "false")) rest.clear();
    if (kind.empty() || rest == "false") return;
    named[fmt::format("security option {}{}{}", kind, rest.empty() ? "" : " ", rest)] = "yes";
  });
}

// "NAME:ADDRESS", "NAME=ADDRESS", or a table whose values may be list_rows.
void add_hosts(Named& named, const Value* given) {
  const auto add = [&](const std::string& name, std::string address) {
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    std::string& all = named[fmt::format("extra host {}", name)];
    all += (all.empty() ? "" : " ") + address;
  };
  if (given != nullptr && given->is_table()) {
    for (const auto& entry : given->table()) {
      for_each(&entry.second, [&](const Value& address) { add(entry.first, text_of(&address)); });
    }
    return;
  }
  for_each(given, [&](const Value& value) {
    const std::string text = text_of(&value);
    const std::size_t cut = std::min(text.find_first_of(":="), text.size());
    if (cut != text.size()) add(text.substr(0, cut), text.substr(cut + 1));
  });
}

// "NAME=VALUE", or a table.
void add_options(Named& named, const Value* given, const std::string& kind) {
  if (given != nullptr && given->is_table()) {
    for (const auto& [name, value] : given->table()) named[kind + " " + name] = text_of(&value);
    return;
  }
  for_each(given, [&](const Value& value) {
    const std::string text = text_of(&value);
    const std::size_t cut = std::min(text.find('='), text.size());
    if (cut != text.size()) named[kind + " " + text.substr(0, cut)] = text.substr(cut + 1);
  });
}

// "1m30s", "500ms", in whole seconds, as compose gives them to engines, which cuts.
std::optional<std::int64_t> read_seconds(std::string_view text) {
  constexpr std::array units{std::pair{"ms", 0.001}, std::pair{"us", 1e-6}, std::pair{"h", 3600.0},
                             std::pair{"m", 60.0}, std::pair{"s", 1.0}};
  double seconds = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = read_number<double>(text.substr(0, end));
    text.remove_prefix(end);
    const auto unit = std::ranges::find_if(units, [&](const auto& each) { return text.starts_with(each.first); });
    if (!number || (unit == units.end() && !text.empty())) return std::nullopt;
    seconds += *number * (text.empty() ? 1 : unit->second);
    if (!text.empty()) text.remove_prefix(std::string_view(unit->first).size());
  }
  return rounded(std::floor(seconds));
}

void add_device(Named& named, const std::string& source, const std::string& target, const std::string& permissions) {
  if (!source.starts_with('/')) {
    named["devices of a driver"] = "yes";
    return;
  }
  named[fmt::format("device {}", target.empty() ? source : target)] =
      fmt::format("{} {}", source, permissions.empty() ? "rwm" : permissions);
}

std::string policy_of(const std::string& name, const Value* tries) {
  if (name.empty() || name == "no" || name == "none") return "";
  const std::string count = text_of(tries);
  return name == "on-failure" && !count.empty() && count != "0" ? fmt::format("{}:{}", name, count) : name;
}

// By the words for it and its names in the engine's document and in a compose file, and what one unit of these is.
struct Row {
  const char* name;
  const char* key;
  const char* composed;
  double factor = 1;
};
constexpr std::array amounts{Row{"memory limit", "Memory", "mem_limit"},
                             Row{"memory reservation", "MemoryReservation", "mem_reservation"},
                             Row{"limit of processes", "PidsLimit", "pids_limit"},
                             Row{"share of processors", "CpuShares", "cpu_shares"},
                             Row{"quota of processors", "CpuQuota", "cpu_quota"},
                             Row{"period of processors", "CpuPeriod", "cpu_period"}};
// That some kernels have not, so that an engine forgets them.
constexpr std::array rare_amounts{Row{"memory with swap", "MemorySwap", "memswap_limit"},
                                  Row{"swappiness", "MemorySwappiness", "mem_swappiness"}};
constexpr Row rare_truth{"sparing by the out-of-memory killer", "OomKillDisable", "oom_kill_disable"};
constexpr Row rank{"score for the out-of-memory killer", "OomScoreAdj", "oom_score_adj"};
constexpr std::array words{Row{"set of processors", "CpusetCpus", "cpuset"},
                           Row{"set of memory nodes", "CpusetMems", "cpuset_mems"},
                           Row{"parent cgroup", "CgroupParent", "cgroup_parent"}};
constexpr std::array truths{Row{"privileged mode", "Privileged", "privileged"},
                            Row{"read-only root", "ReadonlyRootfs", "read_only"}, Row{"init process", "Init", "init"}};
constexpr std::array own_truths{Row{"terminal", "Tty", "tty"}, Row{"open input", "OpenStdin", "stdin_open"}};
constexpr std::array list_rows{Row{"name server", "Dns", "dns"}, Row{"search domain", "DnsSearch", "dns_search"},
                               Row{"resolver option", "DnsOptions", "dns_opt"}, Row{"group", "GroupAdd", "group_add"},
                               Row{"device rule", "DeviceCgroupRules", "device_cgroup_rules"}};
constexpr std::array modes{Row{"process space", "PidMode", "pid"}, Row{"shared memory with", "IpcMode", "ipc"},
                           Row{"user namespace", "UsernsMode", "userns_mode"},
                           Row{"space of host names", "UTSMode", "uts"}};
const std::string processors = "limit of processors";
const std::string shared_memory = "size of shared memory";
const std::string restart_policy = "restart policy";
const std::string host_name = "host name";
const std::string domain_name = "domain name";
const std::string runtime = "runtime";
const std::string logging_driver = "logging driver";
const std::string logging_option = "logging option";
const std::string grace_time = "grace time";

void add_host_mode(Named& named, const Row& row, const Value* value) {
  if (text_of(value) == "host") named[row.name] = "host";  // what others mean depends on the engine
}

// With 0 there is none.
void add_rank(Named& named, const Value* value) {
  const std::string text = text_of(value);
  if (!text.empty() && text != "0") named[rank.name] = text;
}

// An engine makes the limit with swap twice the one without, and without a limit it is none.
void drop_usual_swap(Named& named, const Named& limits) {
  const auto swap = named.find(rare_amounts[0].name);
  const auto memory = limits.find(amounts[0].name);
  if (swap == named.end() || memory == limits.end()) return;
  const auto limit = read_number<std::int64_t>(memory->second);
  if (limit && read_number<double>(swap->second) == 2.0 * static_cast<double>(*limit)) named.erase(swap);
}

void add_own(const Value& container, std::string_view usual_logging, Allowances& allowances) {
  Named& named = allowances.given;
  const Value* config = member(container, "Config");
  const Value* host = member(container, "HostConfig");
  for (const Row& row : own_truths) add_truth(named, row.name, member(config, row.key));
  const std::string id = text_of(member(container, "Id"));
  const std::string network = text_of(member(host, "NetworkMode"));
  const bool has_another = network == "host" || network.starts_with("container:");
  if (text_of(member(config, "Hostname")) != id.substr(0, short_id)) {
    add_word(has_another ? allowances.possible : named, host_name, member(config, "Hostname"));
  }
  add_word(has_another ? allowances.possible : named, domain_name, member(config, "Domainname"));
  add_word(allowances.possible, runtime, member(host, "Runtime"));
  const Value* logging = member(host, "LogConfig");
  const std::string driver = text_of(member(logging, "Type"));
  add_word(usual_logging.empty() || driver == usual_logging ? allowances.possible : named, logging_driver,
           member(logging, "Type"));
  add_options(allowances.possible, member(logging, "Config"), logging_option);
  add_word(named, grace_time, member(config, "StopTimeout"));
  add_options(named, member(host, "StorageOpt"), "storage option");
}

void add_own_of_service(const Value& service, Allowances& allowances) {
  Named& named = allowances.given;
  for (const Row& row : own_truths) add_truth(named, row.name, member(service, row.composed));
  add_word(named, host_name, member(service, "hostname"));
  add_word(named, domain_name, member(service, "domainname"));
  add_word(named, runtime, member(service, "runtime"));
  const Value* logging = member(service, "logging");
  add_word(named, logging_driver, member(logging, "driver"));
  add_options(named, member(logging, "options"), logging_option);
  if (const auto seconds = read_seconds(text_of(member(service, "stop_grace_period")));
      seconds && member(service, "stop_grace_period") != nullptr) {
    allowances.possible[grace_time] = std::to_string(*seconds);
  }
  add_options(named, member(service, "storage_opt"), "storage option");
}

}  // namespace

Allowances allowances_of_container(const Value& container, std::string_view usual_logging) {
  Allowances allowances;
  Named& named = allowances.given;
  add_own(container, usual_logging, allowances);
  const Value* host = member(container, "HostConfig");
  for (const Row& row : amounts) add_amount(named, row.name, member(host, row.key));
  for (const Row& row : words) add_word(named, row.name, member(host, row.key));
  for (const Row& row : truths) add_truth(named, row.name, member(host, row.key));
  for (const Row& row : list_rows) add_each(named, member(host, row.key), row.name);
  for (const Row& row : modes) add_host_mode(named, row, member(host, row.key));
  for (const Row& row : rare_amounts) add_amount(named, row.name, member(host, row.key));
  drop_usual_swap(named, named);
  add_truth(named, rare_truth.name, member(host, rare_truth.key));
  add_rank(named, member(host, rank.key));
  add_amount(named, processors, member(host, "NanoCpus"));
  const Value* shared = member(host, "ShmSize");
  if (shared != nullptr && *shared != Value(usual_shared_memory)) add_amount(named, shared_memory, shared);
  const Value* policy = member(host, "RestartPolicy");
  if (const std::string text = policy_of(text_of(member(policy, "Name")), member(policy, "MaximumRetryCount"));
      !text.empty()) {
    named[restart_policy] = text;
  }
  add_capabilities(named, member(host, "CapAdd"), "added");
  add_capabilities(named, member(host, "CapDrop"), "dropped");
  if (!named.contains("privileged mode")) add_security(named, member(host, "SecurityOpt"));
  add_hosts(named, member(host, "ExtraHosts"));
  add_options(named, member(host, "Sysctls"), "sysctl");
  for_each(member(host, "Devices"), [&](const Value& device) {
    add_device(named, text_of(member(device, "PathOnHost")), text_of(member(device, "PathInContainer")),
               text_of(member(device, "CgroupPermissions")));
  });
  if (const Value* requests = member(host, "DeviceRequests");
      requests != nullptr && requests->is_array() && !requests->array().empty()) {
    named["devices of a driver"] = "yes";
  }
  for_each(member(host, "Ulimits"), [&](const Value& limit) {
    if (const std::string name = text_of(member(limit, "Name")); !name.empty()) {
      named["ulimit " + name] = fmt::format("{} {}", text_of(member(limit, "Soft")), text_of(member(limit, "Hard")));
    }
  });
  return allowances;
}

Allowances allowances_of_service(const Value& service) {
  Allowances allowances;
  Named& named = allowances.given;
  add_own_of_service(service, allowances);
  for (const Row& row : amounts) add_amount(named, row.name, member(service, row.composed));
  for (const Row& row : rare_amounts) add_amount(allowances.possible, row.name, member(service, row.composed));
  drop_usual_swap(allowances.possible, named);
  add_truth(allowances.possible, rare_truth.name, member(service, rare_truth.composed));
  add_rank(named, member(service, rank.composed));
  for (const Row& row : words) add_word(named, row.name, member(service, row.composed));
  for (const Row& row : truths) add_truth(named, row.name, member(service, row.composed));
  for (const Row& row : list_rows) add_each(named, member(service, row.composed), row.name);
  for (const Row& row : modes) add_host_mode(named, row, member(service, row.composed));
  add_amount(named, processors, member(service, "cpus"), billion);
  add_amount(named, shared_memory, member(service, "shm_size"));
  if (named.contains(shared_memory) && named[shared_memory] == std::to_string(usual_shared_memory)) {
    named.erase(shared_memory);
  }
  if (const std::string text = policy_of(text_of(member(service, "restart")), nullptr); !text.empty()) {
    named[restart_policy] = text.ends_with(":0") ? text.substr(0, text.size() - 2) : text;
  }
  add_capabilities(named, member(service, "cap_add"), "added");
  add_capabilities(named, member(service, "cap_drop"), "dropped");
  if (!named.contains("privileged mode")) add_security(named, member(service, "security_opt"));
  add_hosts(named, member(service, "extra_hosts"));
  add_options(named, member(service, "sysctls"), "sysctl");
  for_each(member(service, "devices"), [&](const Value& device) {
    if (device.is_table()) {
      return add_device(named, text_of(member(device, "source")), text_of(member(device, "target")),
                        text_of(member(device, "permissions")));
    }
    const std::vector<std::string> parts = split_fields(text_of(&device), ':');
    if (!parts.front().starts_with('/')) return add_device(named, "", "", "");
    add_device(named, parts[0], parts.size() > 1 ? parts[1] : "", parts.size() > 2 ? parts[2] : "");
  });
  if (member(service, "gpus") != nullptr) named["devices of a driver"] = "yes";
  if (const Value* ulimits = member(service, "ulimits"); ulimits != nullptr && ulimits->is_table()) {
    for (const auto& [name, limit] : ulimits->table()) {
      const std::string soft = text_of(limit.is_table() ? member(limit, "soft") : &limit);
      named["ulimit " + name] = fmt::format("{} {}", soft, limit.is_table() ? text_of(member(limit, "hard")) : soft);
    }
  }
  const Value* deploy = member(service, "deploy");
  const Value* resources = member(deploy, "resources");
  const Value* most_of_it = member(resources, "limits");
  add_amount(allowances.possible, "memory limit", member(most_of_it, "memory"));
  add_amount(allowances.possible, "limit of processes", member(most_of_it, "pids"));
  add_amount(allowances.possible, processors, member(most_of_it, "cpus"), billion);
  const Value* least_of_it = member(resources, "reservations");
  add_amount(allowances.possible, "memory reservation", member(least_of_it, "memory"));
  if (member(least_of_it, "devices") != nullptr) allowances.possible["devices of a driver"] = "yes";
  if (const Value* policy = member(deploy, "restart_policy"); policy != nullptr) {
    const std::string condition = text_of(member(policy, "condition"));
    const bool is_any = condition.empty() || condition == "any";
    allowances.possible[restart_policy] = policy_of(is_any ? "always" : condition, member(policy, "max_attempts"));
  }
  return allowances;
}

bool may_be_the_engines(const std::string& limit) {
  return limit == shared_memory || limit == grace_time || limit.starts_with("ulimit ");
}

}  // namespace veneer::deliver
