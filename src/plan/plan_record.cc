#include "plan/plan_record.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/layer_limit.hh"
#include "foundation/text.hh"

namespace veneer::plan {

namespace {

constexpr std::int64_t version = 1;
constexpr std::int64_t version_with_places = 2;  // members are told by their places in a list of names
constexpr std::size_t longest_record = 1 << 20;
constexpr std::size_t most_members = 10'000;
constexpr std::int64_t most_sets = 1'000'000;
constexpr std::size_t key_digits = 16;
constexpr std::size_t longest_target_text = 300;
constexpr std::size_t text_of_200 = 16 << 10;  // bytes for 200 members

[[noreturn]] void refuse_record(const std::string& why) {
  throw Error(ErrorKind::refused, fmt::format("the plan that the image carries {}", why));
}

std::string text_of(std::uint64_t key) { return fmt::format("{:016x}", key); }

/// Exactly 16 hexadecimal digits, lower case only.
std::optional<std::uint64_t> read_key(std::string_view digits) {
  std::uint64_t key = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), key, 16);
  const bool is_lower = digits.find_first_of("ABCDEF") == std::string_view::npos;
  const bool is_whole = error == std::errc() && end == digits.data() + digits.size();
  return digits.size() == key_digits && is_lower && is_whole ? std::optional(key) : std::nullopt;
}

/// "numpy:0123456789abcdef", and behind another colon its facts, if they are known.
RecordedMember read_member(std::string_view text, PlanRecord& record) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::size_t end_of_key = std::min(colon + 1 + key_digits, text.size());
  const std::optional<std::uint64_t> key = read_key(text.substr(std::min(colon + 1, text.size()), key_digits));
  if (colon == 0 || !key) refuse_record(fmt::format("names a member '{}', which is not NAME:KEY", printable(text)));
  RecordedMember member{.name = std::string(text.substr(0, colon)), .key = *key};
  if (end_of_key == text.size()) return member;
  auto facts = text[end_of_key] == ':' ? read_member_facts(text.substr(end_of_key + 1)) : std::nullopt;
  if (!facts) refuse_record(fmt::format("says of {} what nobody writes", printable(member.name)));
  record.facts[member] = std::move(*facts);
  return member;
}

std::string read_target_text(const Value& target, std::string_view key) {
  const std::string text = target.string_or(key, "");
  if (text.size() > longest_target_text) refuse_record(fmt::format("is for a target with a {} too long", key));
  return text;
}

Value target_value(const PlanRecord& record) {
  Value target;
  target.set("base", record.target.base);
  target.set("machine", record.target.machine);
  target.set("libc", record.target.libc);
  target.set("python", record.target.python);
  target.set("interpreter", record.target.interpreter);
  return target;
}

enum class Extent { all, layers };

std::string text_of(const PlanRecord& record, Extent extent) {
  Value::Array layers;
  for (const auto& layer : record.layers) {
    Value::Array members;
    for (const RecordedMember& member : layer) {
      const auto facts = record.facts.find(member);
      const bool has_facts = extent == Extent::all && facts != record.facts.end();
      members.emplace_back(member.name + ":" + text_of(member.key) + (has_facts ? ":" + to_text(facts->second) : ""));
    }
    layers.emplace_back(std::move(members));
  }
  Value value;
  value.set("version", version);
  value.set("target", target_value(record));
  value.set("below", std::uint64_t{record.below});
  value.set("layers", std::move(layers));
  if (extent == Extent::layers) return to_json(value);
  Value::Array above;
  for (const std::uint64_t key : record.above) above.emplace_back(text_of(key));
  if (!above.empty()) value.set("above", std::move(above));
  Value changed{Value::Table{}};
  for (const auto& [name, count] : record.learned.changed) changed.set(name, std::int64_t{count});
  value.set("seen", std::int64_t{record.learned.sets_seen});
  value.set("changed", std::move(changed));
  return to_json(value);
}

/// "3:0123456789abcdef 0:...,1:...": layers from the bottom up, members by their places in `names`. Nothing when a name
/// is not there.
std::optional<std::string> places_text(const PlanRecord& record, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& layer : record.layers) {
    text += text.empty() ? "" : " ";
    for (const RecordedMember& member : layer) {
      const auto found = std::ranges::lower_bound(names, member.name);
      if (found == names.end() || *found != member.name) return std::nullopt;
      text += fmt::format("{}{}:{}", &member == &layer.front() ? "" : ",", found - names.begin(), text_of(member.key));
    }
  }
  return text;
}

void put_member(std::string_view text, PlanRecord& record, std::set<RecordedMember>& members) {
  record.layers.back().push_back(read_member(text, record));
  const RecordedMember& member = record.layers.back().back();
  if (!members.insert(member).second) refuse_record(fmt::format("names {} twice", printable(member.name)));
  if (members.size() > most_members) refuse_record(fmt::format("has more than {} members", most_members));
}

void read_layers(const Value& layers, PlanRecord& record) {
  std::set<RecordedMember> members;
  for (const Value& layer : layers.array()) {
    record.layers.emplace_back();
    for (const Value& member : layer.array()) put_member(member.string(), record, members);
    if (record.layers.back().empty()) refuse_record("has an empty layer");
  }
}

void read_places(const std::string& text, const std::vector<std::string>& names, PlanRecord& record) {
  if (text.empty()) return;
  std::set<RecordedMember> members;
  for (const std::string& layer : split_fields(text, ' ')) {
    record.layers.emplace_back();
    for (const std::string& member : split_fields(layer, ',')) {
      const std::size_t colon = std::min(member.find(':'), member.size());
      const auto place = read_number<std::size_t>(member.substr(0, colon));
      if (!place || *place >= names.size() || member.size() != colon + 1 + key_digits) {
        refuse_record(fmt::format("names a member '{}', which is not PLACE:KEY", printable(member)));
      }
      put_member(names[*place] + member.substr(colon), record, members);
    }
  }
}

std::uint32_t read_count(const Value& value, std::int64_t most) {
  const std::int64_t number = value.integer();
  if (number < 0 || number > most) refuse_record(fmt::format("counts to {}", number));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

std::uint64_t short_key(const LayerKey& key) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = number << 8 | std::to_integer<std::uint64_t>(key.hash.bytes.at(i));
  }
  return number;
}

RecordedMember recorded(const Component& component) { return {component.name, short_key(component.key)}; }

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

std::string to_text(const PlanRecord& record) { return text_of(record, Extent::all); }

std::string to_label(const PlanRecord& record, const std::vector<std::string>& names) {
  const std::optional<std::string> places = places_text(record, names);
  if (!places) return text_of(record, Extent::layers);
  Value value;
  value.set("version", version_with_places);
  value.set("target", target_value(record));
  value.set("below", std::uint64_t{record.below});
  value.set("layers", *places);
  return to_json(value);
}

void shorten(PlanRecord& record) {
  std::size_t members = 0;
  for (const auto& layer : record.layers) members += layer.size();
  const std::size_t most = text_of_200 * std::max<std::size_t>((members + 199) / 200, 1);
  std::size_t size = to_text(record).size();
  while (size > most && !record.facts.empty()) {
    const auto longest_record =
        std::ranges::max_element(record.facts, {}, [](const auto& entry) { return to_text(entry.second).size(); });
    size -= to_text(longest_record->second).size() + 1;
    record.facts.erase(longest_record);
  }
}

PlanRecord read_plan_record(std::string_view text, const std::vector<std::string>& names) {
  if (text.size() > longest_record) refuse_record("is longer than 1 MiB");
  const Value value = parse_json(text);
  const std::int64_t found = value.at("version").integer();
  if (found != version && found != version_with_places) {
    refuse_record(fmt::format("is of version {}, and this veneer knows versions up to {}", found, version_with_places));
  }
  PlanRecord record;
  const Value& target = value.table_or_empty("target");
  record.target = {read_target_text(target, "base"), read_target_text(target, "machine"),
                   read_target_text(target, "libc"), read_target_text(target, "python"),
                   read_target_text(target, "interpreter")};
  if (const Value* below = value.find("below")) record.below = read_count(*below, mountable_layers);
  if (found == version) {
    read_layers(value.at("layers"), record);
  } else {
    read_places(value.at("layers").string(), names, record);
  }
  if (const Value* above = value.find("above")) {
    for (const Value& layer : above->array()) {
      const std::optional<std::uint64_t> key = read_key(layer.string());
      if (!key) refuse_record(fmt::format("names a layer '{}', which is no key", printable(layer.string())));
      record.above.push_back(*key);
      if (record.above.size() > mountable_layers) refuse_record("has more layers than an engine mounts");
    }
  }
  const Value* seen = value.find("seen");
  record.learned.sets_seen = seen == nullptr ? 0 : read_count(*seen, most_sets);
  for (const auto& [name, count] : value.table_or_empty("changed").table()) {
    record.learned.changed[name] = read_count(count, record.learned.sets_seen);
    if (record.learned.changed.size() > most_members)
      refuse_record(fmt::format("counts more than {} names", most_members));
  }
  return record;
}

}  // namespace veneer::plan
