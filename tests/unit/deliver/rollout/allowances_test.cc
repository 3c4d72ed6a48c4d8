#include "deliver/rollout/allowances.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deliver/rollout/settings.hh"
#include "foundation/json.hh"

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SettingChanges changes(const std::string& host_config, const std::string& service) {
  const Value container = parse_json(R"({"HostConfig": )" + host_config + "}");
  const Value composed = parse_json(R"({"services": {"web": )" + service + "}}");
  Settings gets = settings_of_service(composed, "plant", "web").value();
  gets.networks.clear();
  return compare_settings(settings_of_container(container, Value()), gets);
}

// What engines say of a container for which nobody asked for anything.
TEST(Allowances, DefaultsAreNothing) {
  for (const char* host : {R"({"Memory": 0, "NanoCpus": 0, "CpuShares": 0, "CpuQuota": 0, "CpusetCpus": "",
        "PidsLimit": null, "MemoryReservation": 0, "Ulimits": null, "ShmSize": 67108864, "Devices": [],
        "DeviceRequests": null, "CapAdd": null, "CapDrop": null, "Dns": [], "DnsSearch": [], "DnsOptions": [],
        "ExtraHosts": null, "GroupAdd": null, "Privileged": false, "ReadonlyRootfs": false, "SecurityOpt": null,
        "PidMode": "", "IpcMode": "private", "MemorySwap": 0, "MemorySwappiness": null, "OomKillDisable": false,
        "OomScoreAdj": 0, "CpuPeriod": 0, "CpusetMems": "", "CgroupParent": "", "DeviceCgroupRules": null,
        "UTSMode": "", "UsernsMode": "", "Runtime": "runc", "LogConfig": {"Type": "json-file", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}})",
                           R"({"PidsLimit": 0, "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "Devices": null,
        "Dns": null, "ExtraHosts": [], "Sysctls": {}, "Init": null,
        "MemorySwappiness": -1, "MemorySwap": -1, "IpcMode": "shareable", "SecurityOpt": []})"}) {
    EXPECT_THAT(allowances_of_container(parse_json(R"({"HostConfig": )" + std::string(host) + "}")).given, IsEmpty());
    for (const char* service : {"{}", R"({"restart": "no", "mem_limit": "0", "pids_limit": -1, "shm_size": "64m",
        "privileged": false, "cap_add": [], "deploy": {"resources": {"limits": {"cpus": 0.5}}}})"}) {
      EXPECT_THAT(changes(host, service).lost, IsEmpty()) << service;
      EXPECT_THAT(changes(host, service).other, IsEmpty()) << service;
    }
  }
}

// As docker-compose 1 says it, and versions of 2.
TEST(Allowances, TheSameIsSilence) {
  const struct {
    const char* host;
    const char* service;
  } rows[] = {
      {R"({"Memory": 209715200})", R"({"mem_limit": "200m"})"},
      {R"({"Memory": 209715200})", R"({"mem_limit": "209715200"})"},
      {R"({"Memory": 209715200})", R"({"mem_limit": 209715200})"},
      {R"({"Memory": 1610612736})", R"({"deploy": {"resources": {"limits": {"memory": "1.5GiB"}}}})"},
      {R"({"NanoCpus": 500000000})", R"({"cpus": 0.5})"},
      {R"({"NanoCpus": 500000000})", R"({"cpus": "0.50"})"},
      {R"({"NanoCpus": 1500000000})", R"({"deploy": {"resources": {"limits": {"cpus": "1.5"}}}})"},
      {R"({"PidsLimit": 100, "CpuShares": 512, "CpusetCpus": "0-1"})",
       R"({"pids_limit": 100, "cpu_shares": 512, "cpuset": "0-1"})"},
      {R"({"Ulimits": [{"Name": "nofile", "Hard": 2000, "Soft": 1000}, {"Name": "nproc", "Hard": 9, "Soft": 9}]})",
       R"({"ulimits": {"nofile": {"soft": 1000, "hard": 2000}, "nproc": 9}})"},
      {R"({"ShmSize": 134217728})", R"({"shm_size": "128mb"})"},
      {R"({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}})", R"({"restart": "on-failure:3"})"},
      {R"({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 0}})", R"({"restart": "on-failure"})"},
      {R"({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}})",
       R"({"deploy": {"restart_policy": {"condition": "any", "max_attempts": 3}}})"},
      {R"({"CapAdd": ["CAP_NET_ADMIN"], "CapDrop": ["ALL"]})", R"({"cap_add": ["net_admin"], "cap_drop": ["ALL"]})"},
      {R"({"Devices": [{"PathOnHost": "/dev/ttyUSB0", "PathInContainer": "/dev/modem", "CgroupPermissions": "rw"}]})",
       R"({"devices": ["/dev/ttyUSB0:/dev/modem:rw"]})"},
      {R"({"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}]})",
       R"({"devices": [{"source": "/dev/fuse", "target": "/dev/fuse", "permissions": "rwm"}]})"},
      {R"({"DeviceRequests": [{"Driver": "nvidia", "Count": 1}]})", R"({"gpus": [{"count": 1}]})"},
      {R"({"Dns": ["10.0.0.1"], "DnsSearch": ["site"]})", R"({"dns": "10.0.0.1", "dns_search": ["site"]})"},
      {R"({"ExtraHosts": ["db:10.0.0.1", "six:::1"]})", R"({"extra_hosts": ["db=10.0.0.1", "six=[::1]"]})"},
      {R"({"ExtraHosts": ["db:10.0.0.1"]})", R"({"extra_hosts": {"db": ["10.0.0.1"]}})"},
      {R"({"SecurityOpt": ["no-new-privileges:true", "seccomp={}"]})",
       R"({"security_opt": ["no-new-privileges", "seccomp:unconfined"]})"},
      {R"({"Privileged": true, "SecurityOpt": ["label=disable"]})", R"({"privileged": true})"},
      {R"({"Sysctls": {"net.core.somaxconn": "1024"}})", R"({"sysctls": {"net.core.somaxconn": 1024}})"},
      {R"({"Sysctls": {"net.core.somaxconn": "1024"}})", R"({"sysctls": ["net.core.somaxconn=1024"]})"},
      {R"({"PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}})", R"({"ports": ["8080:80"]})"},
      {R"({"PortBindings": {"80/tcp": [{"HostIp": "::1", "HostPort": "8080"}]}})", R"({"ports": ["[::1]:8080:80"]})"},
      {R"({"PortBindings": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": [{"HostPort": "8081"}]}})",
       R"({"ports": ["8080-8081:80-81/tcp"]})"},
      {R"({"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000-8009"}]}})",
       R"({"ports": [{"target": 80, "published": "8000-8009", "host_ip": "127.0.0.1", "protocol": "tcp"}]})"},
  };
  for (const auto& row : rows) {
    const SettingChanges found = changes(row.host, row.service);
    EXPECT_THAT(found.lost, IsEmpty()) << row.host << row.service;
    EXPECT_THAT(found.other, IsEmpty()) << row.host << row.service;
  }
}

struct Told {
  const char* container;
  const char* service;
  std::vector<std::string> lost;
  std::vector<std::string> other;
};

// Beside the limits: names, logging, how it is started and ended.
TEST(Allowances, WhatAContainerIsCalledAndHowItLogs) {
  const std::vector<Told> rows{
      {R"({"Id": "0123456789abcdef", "Config": {"Hostname": "0123456789ab"}})", "{}", {}, {}},
      {R"({"Id": "0123456789abcdef", "Config": {"Hostname": "shop"}})", R"({"hostname": "shop"})", {}, {}},
      {R"({"Id": "0123456789abcdef", "Config": {"Hostname": "shop"}})", "{}", {"the host name goes"}, {}},
      {R"({"Id": "0123456789abcdef", "Config": {"Hostname": "shop"}})",
       R"({"hostname": "b"})",
       {},
       {"the host name changes"}},
      {R"({"Config": {"Hostname": "machine", "Domainname": "lan"}, "HostConfig": {"NetworkMode": "host"}})",
       "{}",
       {},
       {}},
      {R"({"Config": {"Domainname": "lan"}})", "{}", {"the domain name goes"}, {}},
      {R"({"Config": {"Tty": true, "OpenStdin": true}})", R"({"tty": true, "stdin_open": true})", {}, {}},
      {R"({"Config": {"Tty": true}})", "{}", {"the terminal goes"}, {}},
      {R"({"HostConfig": {"Init": true}})", R"({"init": true})", {}, {}},
      {R"({"HostConfig": {"Init": true}})", "{}", {"the init process goes"}, {}},
      {"{}", R"({"init": true})", {}, {"the init process is new"}},
      {R"({"HostConfig": {"Memory": 100, "MemorySwap": 200}})", R"({"mem_limit": 100})", {}, {}},
      {R"({"HostConfig": {"Memory": 100, "MemorySwap": 300}})", R"({"mem_limit": 100, "memswap_limit": 300})", {}, {}},
      {R"({"HostConfig": {"Memory": 100, "MemorySwap": 300}})",
       R"({"mem_limit": 100})",
       {"the memory with swap goes"},
       {}},
      {R"({"HostConfig": {"Memory": 100, "MemorySwap": -1}})", R"({"mem_limit": 100, "memswap_limit": 300})", {}, {}},
      {R"({"HostConfig": {"OomScoreAdj": -500}})", R"({"oom_score_adj": -500})", {}, {}},
      {R"({"HostConfig": {"OomScoreAdj": -500}})", "{}", {"the score for the out-of-memory killer goes"}, {}},
      {R"({"HostConfig": {"OomKillDisable": true}})", "{}", {"the sparing by the out-of-memory killer goes"}, {}},
      {"{}", R"({"oom_kill_disable": true, "mem_swappiness": 10})", {}, {}},  // kernels without them
      {R"({"HostConfig": {"Runtime": "runsc"}})", R"({"runtime": "runsc"})", {}, {}},
      {R"({"HostConfig": {"Runtime": "runsc"}})", R"({"runtime": "runc"})", {}, {"the runtime changes"}},
      {R"({"HostConfig": {"LogConfig": {"Type": "syslog", "Config": {"tag": "a"}}}})",
       R"({"logging": {"driver": "syslog", "options": {"tag": "a"}}})",
       {},
       {}},
      {R"({"HostConfig": {"LogConfig": {"Type": "syslog", "Config": {}}}})", "{}", {"the logging driver goes"}, {}},
      {R"({"HostConfig": {"LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}}})",
       "{}",
       {},
       {}},  // the engine's
      {R"({"HostConfig": {"LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}}})",
       R"({"logging": {"driver": "json-file", "options": {"max-size": "2m", "max-file": 3}}})",
       {},
       {"the logging driver changes", "the logging option max-file is new", "the logging option max-size changes"}},
      {R"({"Config": {"StopTimeout": 90, "StopSignal": "SIGINT"}})",
       R"({"stop_grace_period": "1m30s", "stop_signal": "SIGINT"})",
       {},
       {}},
      {R"({"Config": {"StopTimeout": 90}})", R"({"stop_grace_period": "500ms"})", {}, {"the grace time changes"}},
      {R"({"Config": {"StopTimeout": 90}})", "{}", {}, {"the grace time goes"}},
      {"{}", R"({"stop_grace_period": "1s"})", {}, {}},  // an earlier docker-compose did not say it to the engine
      {R"({"Config": {"StopSignal": "SIGTERM"}})", "{}", {}, {}},
      {R"({"Config": {"StopSignal": "SIGINT"}})", "{}", {}, {"the stop_signal changes"}},
  };
  for (const Told& row : rows) {
    const Value composed = parse_json(R"({"services": {"web": )" + std::string(row.service) + "}}");
    Settings gets = settings_of_service(composed, "plant", "web").value();
    gets.networks.clear();
    const SettingChanges found =
        compare_settings(settings_of_container(parse_json(row.container), Value(), "local"), gets);
    EXPECT_EQ(found.lost, row.lost) << row.container << row.service;
    EXPECT_EQ(found.other, row.other) << row.container << row.service;
  }
}

TEST(Allowances, WhatGoesIsLost) {
  const struct {
    const char* host;
    const char* service;
    const char* lost;
  } rows[] = {
      {R"({"Memory": 209715200})", "{}", "the memory limit goes"},
      {R"({"NanoCpus": 500000000})", R"({"cpus": 0})", "the limit of processors goes"},
      {R"({"PidsLimit": 100})", "{}", "the limit of processes goes"},
      {R"({"RestartPolicy": {"Name": "always"}})", R"({"restart": "no"})", "the restart policy goes"},
      {R"({"CapDrop": ["ALL"]})", "{}", "the dropped capability ALL goes"},
      {R"({"CapAdd": ["CAP_SYS_TIME"]})", R"({"cap_add": ["NET_ADMIN"]})", "the added capability SYS_TIME goes"},
      {R"({"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse"}]})", R"({"devices": []})",
       "the device /dev/fuse goes"},
      {R"({"DeviceRequests": [{"Count": 1}]})", "{}", "the devices of a driver goes"},
      {R"({"Dns": ["10.0.0.1"]})", "{}", "the name server 10.0.0.1 goes"},
      {R"({"ExtraHosts": ["db:10.0.0.1"]})", "{}", "the extra host db goes"},
      {R"({"ReadonlyRootfs": true})", "{}", "the read-only root goes"},
      {R"({"SecurityOpt": ["no-new-privileges"]})", "{}", "the security option no-new-privileges goes"},
      {R"({"PidMode": "host"})", "{}", "the process space goes"},
      {R"({"UsernsMode": "host"})", "{}", "the user namespace goes"},
      {R"({"CgroupParent": "plant.slice"})", "{}", "the parent cgroup goes"},
      {R"({"DeviceCgroupRules": ["c 1:3 rw"]})", "{}", "the device rule c 1:3 rw goes"},
      {R"({"StorageOpt": {"size": "10G"}})", "{}", "the storage option size goes"},
      {R"({"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}})", R"({"ports": ["8080:80"]})",
       "the port 127.0.0.1:8080:80/tcp goes"},
      {R"({"PortBindings": {"80/tcp": [{"HostPort": "8080"}], "82/tcp": [{"HostPort": "8082"}]}})",
       R"({"ports": ["8080-8081:80-81"]})", "the port 8082:82/tcp goes"},
  };
  for (const auto& row : rows) EXPECT_THAT(changes(row.host, row.service).lost, ElementsAre(row.lost)) << row.host;
}

TEST(Allowances, WhatChangesOrIsNewIsListed) {
  const struct {
    const char* host;
    const char* service;
    const char* other;
  } rows[] = {
      {R"({"Memory": 209715200})", R"({"mem_limit": "300m"})", "the memory limit changes"},
      {R"({"Memory": 209715200})", R"({"deploy": {"resources": {"limits": {"memory": "1g"}}}})",
       "the memory limit changes"},
      {"{}", R"({"mem_limit": "300m"})", "the memory limit is new"},
      {"{}", R"({"mem_limit": "much"})", "the memory limit is new"},
      {R"({"RestartPolicy": {"Name": "always"}})", R"({"restart": "unless-stopped"})", "the restart policy changes"},
      // An engine's own settings may have given these.
      {R"({"ShmSize": 134217728})", "{}", "the size of shared memory goes"},
      {R"({"Ulimits": [{"Name": "nofile", "Hard": 2, "Soft": 1}]})", "{}", "the ulimit nofile goes"},
      {R"({"Ulimits": [{"Name": "nofile", "Hard": 2, "Soft": 1}]})", R"({"ulimits": {"nofile": 2}})",
       "the ulimit nofile changes"},
      {"{}", R"({"healthcheck": {"test": "true"}})", "the health check changes"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(changes(row.host, row.service).other, ElementsAre(row.other)) << row.service;
    EXPECT_THAT(changes(row.host, row.service).lost, IsEmpty()) << row.service;
  }
}

TEST(Allowances, OddDocumentsAreNothing) {
  for (const char* text : {"7", "[]", R"({"Ulimits": 7, "Devices": [7, null], "ExtraHosts": [[]], "RestartPolicy": 1})",
                           R"({"Memory": [], "Sysctls": [7], "Dns": {}, "CapAdd": {"A": 1}, "NanoCpus": 1e300,
        "LogConfig": [], "MemorySwap": "x"})"}) {
    allowances_of_container(parse_json(R"({"HostConfig": )" + std::string(text) + "}"));
  }
  for (const char* text : {"7", "[]", R"({"ulimits": 7, "devices": ["", 7, {}, ":"], "deploy": {"resources": []},
      "mem_limit": {}, "cpus": "1e400", "extra_hosts": 7, "ports": ["-", "1-0:2-1", "70000:1", {}], "logging": 7,
      "stop_grace_period": "..", "memswap_limit": [],
      "hostname": {}})",
                           R"({"stop_grace_period": "1e999h", "logging": {"options": [7, "a"], "driver": []}})"}) {
    allowances_of_service(parse_json(text));
  }
}

}  // namespace
}  // namespace veneer::deliver
