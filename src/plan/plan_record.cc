#include "plan/plan_record.hh"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::plan {

namespace {

constexpr std::int64_t version = 1;
constexpr std::size_t longest = 1 << 20;
constexpr std::size_t most_members = 10'000;
constexpr std::int64_t most_sets = 1'000'000;
constexpr std::size_t key_digits = 16;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorKind::refused, fmt::format("the plan that the image carries {}", why));
}

/// "numpy:0123456789abcdef"
RecordedMember read_member(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = std::string_view(text).substr(colon == std::string::npos ? text.size() : colon + 1);
  RecordedMember member;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), member.key, 16);
  const bool is_lower = digits.find_first_of("ABCDEF") == std::string_view::npos;
  if (colon == 0 || digits.size() != key_digits || error != std::errc() || end != digits.data() + digits.size() ||
      !is_lower) {
    refuse(fmt::format("names a member '{}', which is not NAME:KEY", printable(text)));
  }
  member.name = text.substr(0, colon);
  return member;
}

std::uint32_t read_count(const Value& value, std::int64_t most) {
  const std::int64_t number = value.integer();
  if (number < 0 || number > most) refuse(fmt::format("counts {} changes", number));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

RecordedMember recorded(const Component& component) {
  RecordedMember member{.name = component.name};
  for (std::size_t i = 0; i < sizeof member.key; ++i) {
    member.key = member.key << 8 | std::to_integer<std::uint64_t>(component.key.hash.bytes.at(i));
  }
  return member;
}

Learned learn(const PlanRecord& previous, const std::vector<Component>& distributions) {
  std::set<RecordedMember> before;
  std::set<std::string> names_before;
  for (const auto& layer : previous.layers) {
    for (const RecordedMember& member : layer) {
      before.insert(member);
      names_before.insert(member.name);
    }
  }
  std::set<RecordedMember> now;
  for (const Component& component : distributions) now.insert(recorded(component));
  if (before == now) return previous.learned;

  Learned learned{.sets_seen = previous.learned.sets_seen + 1};
  for (const RecordedMember& member : now) {
    const auto known = previous.learned.changed.find(member.name);
    std::uint32_t& changed = learned.changed[member.name];
    if (changed == 0 && known != previous.learned.changed.end()) changed = known->second;
    if (names_before.contains(member.name) && !before.contains(member)) ++changed;
  }
  std::erase_if(learned.changed, [](const auto& entry) { return entry.second == 0; });
  return learned;
}

std::string to_text(const PlanRecord& record) {
  Value::Array layers;
  for (const auto& layer : record.layers) {
    Value::Array members;
    for (const RecordedMember& member : layer) members.emplace_back(fmt::format("{}:{:016x}", member.name, member.key));
    layers.emplace_back(std::move(members));
  }
  Value changed{Value::Table{}};
  for (const auto& [name, count] : record.learned.changed) changed.set(name, std::int64_t{count});
  Value value;
  value.set("version", version);
  value.set("layers", std::move(layers));
  value.set("seen", std::int64_t{record.learned.sets_seen});
  value.set("changed", std::move(changed));
  return to_json(value);
}

PlanRecord read_plan_record(std::string_view text) {
  if (text.size() > longest) refuse("is longer than 1 MiB");
  const Value value = parse_json(text);
  if (const std::int64_t found = value.at("version").integer(); found != version) {
    refuse(fmt::format("is of version {}, and this veneer knows version {}", found, version));
  }
  PlanRecord record;
  std::set<RecordedMember> members;
  for (const Value& layer : value.at("layers").array()) {
    auto& read = record.layers.emplace_back();
    for (const Value& member : layer.array()) {
      read.push_back(read_member(member.string()));
      if (!members.insert(read.back()).second) refuse(fmt::format("names {} twice", printable(read.back().name)));
      if (members.size() > most_members) refuse(fmt::format("has more than {} members", most_members));
    }
    if (read.empty()) refuse("has an empty layer");
  }
  record.learned.sets_seen = read_count(value.at("seen"), most_sets);
  for (const auto& [name, count] : value.at("changed").table()) {
    record.learned.changed[name] = read_count(count, record.learned.sets_seen);
    if (record.learned.changed.size() > most_members) refuse(fmt::format("counts more than {} names", most_members));
  }
  return record;
}

}  // namespace veneer::plan
