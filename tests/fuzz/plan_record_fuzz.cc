// The plan that an image carries: any text is refused or is read as it is written again, and any set can be laid out
// upon it within the cap.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "plan/grouping.hh"
#include "plan/plan_record.hh"
#include "tests/fuzz/tolerate.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer::plan;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    const PlanRecord record = read_plan_record(text);
    if (read_plan_record(to_text(record)) != record) std::abort();
    static_cast<void>(read_plan_record(text, {"a", "b", "numpy"}));
    std::vector<Component> set;
    std::size_t number = 0;
    for (const auto& layer : record.layers) {
      for (const RecordedMember& member : layer) {
        Component component{.id = std::to_string(number), .name = member.name, .size = (number * 7919) % 100'000};
        for (std::size_t i = 0; i < sizeof member.key; ++i) {
          component.key.hash.bytes.at(i) = static_cast<std::byte>(member.key >> (56 - 8 * i));
        }
        if (number++ % 5 != 0) set.push_back(component);
        if (set.size() == 200) break;
      }
    }
    const std::size_t cap = 1 + size % 20;
    const auto layers = group_distributions(set, {}, record, cap);
    std::size_t members = 0;
    for (const LayerGroup& layer : layers) members += layer.members.size();
    if (layers.size() > cap || members != set.size()) std::abort();
  });
  return 0;
}
