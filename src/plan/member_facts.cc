#include "plan/member_facts.hh"

#include <algorithm>
#include <array>

#include "foundation/text.hh"

namespace veneer::plan {

namespace {

constexpr std::size_t longest_key = 100;
constexpr std::size_t most = 200;

using List = std::vector<std::string> MemberFacts::*;
constexpr std::array<List, 4> lists = {&MemberFacts::places, &MemberFacts::libraries, &MemberFacts::brings,
                                       &MemberFacts::asks_for};

}  // namespace

bool is_plain_fact(std::string_view text) {
  return !text.empty() && text.size() <= longest_key && std::ranges::all_of(text, [](char letter) {
    return letter > ' ' && letter <= '~' && std::string_view(",:\"\\").find(letter) == std::string_view::npos;
  });
}

std::string to_text(const MemberFacts& facts) {
  std::string text = facts.wheel + ":";
  for (const List list : lists) {
    for (const std::string& entry : facts.*list) text += entry + ",";
    if (!(facts.*list).empty()) text.pop_back();
    text += ':';
  }
  if (facts.size) return text + std::to_string(*facts.size);
  text.erase(text.find_last_not_of(':') + 1);
  return text;
}

std::optional<MemberFacts> read_member_facts(std::string_view text) {
  const std::vector<std::string> fields = split_fields(text, ':');
  if (fields.size() > lists.size() + 2 || (!fields[0].empty() && !is_plain_fact(fields[0]))) return std::nullopt;
  MemberFacts facts{.wheel = fields[0]};
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i].empty()) continue;
    if (i > lists.size()) {
      facts.size = read_number<std::uint64_t>(fields[i]);
      if (!facts.size) return std::nullopt;
      continue;
    }
    const List member = lists.at(i - 1);
    facts.*member = split_fields(fields[i], ',');
    const std::vector<std::string>& list = facts.*member;
    if (list.size() > most || !std::ranges::all_of(list, is_plain_fact)) return std::nullopt;
  }
  return to_text(facts) == text ? std::optional(facts) : std::nullopt;
}

}  // namespace veneer::plan
