// What a host says before a rollout, lines "KEY VALUE", and of its history ("release …"): any answer is refused or
// leads to a plan of bounded length, to settings that do not differ from themselves, and to releases in order.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/rollout/history.hh"
#include "deliver/rollout/plan.hh"
#include "deliver/rollout/settings.hh"
#include "tests/fuzz/tolerate.hh"

namespace {

using namespace veneer;

void compare(const deliver::RolloutFacts& facts) {
  for (const Value& container : facts.descriptions) {
    const deliver::Settings has = deliver::settings_of_container(container, Value());
    const deliver::SettingChanges none = deliver::compare_settings(has, has);
    if (!none.lost.empty()) std::abort();
    for (const std::string& service : facts.services) {
      if (!facts.composed) continue;
      deliver::health_test_of_service(*facts.composed, service);
      if (const auto gets = deliver::settings_of_service(*facts.composed, "plant", service)) {
        deliver::compare_settings(has, *gets);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  deliver::RolloutFacts facts;
  std::vector<std::string> releases;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view key = line.substr(0, line.find(' '));
    const std::string value(line.substr(std::min(key.size() + 1, line.size())));
    if (key == "release") releases.push_back(value);
    fuzz::tolerate([&] { deliver::take_fact(facts, key, value); });
  }
  fuzz::tolerate([&] {
    std::uint64_t last = 0;
    for (const deliver::Release& release : deliver::read_releases(releases, false)) {
      if (release.revision <= last) std::abort();
      last = release.revision;
    }
  });
  fuzz::tolerate([&] {
    const deliver::RolloutPlan plan = deliver::make_plan(facts, {.image = "0123"});
    if (plan.forward.services.size() > facts.services.size() + facts.containers.size() + 1) std::abort();
  });
  fuzz::tolerate([&] { compare(facts); });
  return 0;
}
