// What a container of a service was given, what the compose file would give the one after it, and what of it would be
// lost. Documents of the Docker Engine API and of `compose config`. Pure; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/rollout/allowances.hh"
#include "foundation/value.hh"

namespace veneer::deliver {

struct Settings {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> inherited;               // variables that the image gave
  std::optional<std::map<std::string, std::string>> volumes;  // what is mounted, by where; none: it cannot be told
  std::set<std::string> ports;                                // "8080:80/tcp", ":80/tcp" for any, "127.0.0.1:80:80/tcp"
  std::map<std::string, std::string> words;            // user, folder, entrypoint, command, health check: as JSON
  std::map<std::string, std::string> inherited_words;  // of the image
  std::set<std::string> untold;                        // of these words, those that cannot be told
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> inherited_labels;
  std::set<std::string> networks;
  std::set<std::string> aliases;    // "shop in plant_front"
  std::set<std::string> addresses;  // "10.0.0.7 in plant_front"
  Allowances allowances;
};

/// What the container has, less what the configuration of its image gave it, and what compose gives by itself.
/// `usual_logging`: as for allowances_of_container().
Settings settings_of_container(const Value& container, const Value& image_config, std::string_view usual_logging = {});

/// What a service gets by `compose config`; nothing when it is not in it.
std::optional<Settings> settings_of_service(const Value& composed, const std::string& project,
                                            const std::string& service);

/// The words of the health check that a service gets by `compose config`, as an engine keeps them ("CMD", "NONE", …);
/// nothing when the file has none, and the image's counts.
std::optional<std::vector<std::string>> health_test_of_service(const Value& composed, const std::string& service);

/// In words, which never hold a value of a variable.
struct SettingChanges {
  std::vector<std::string> lost;   // goes, or becomes empty
  std::vector<std::string> other;  // is added or changes
};
SettingChanges compare_settings(const Settings& has, const Settings& gets);

}  // namespace veneer::deliver
