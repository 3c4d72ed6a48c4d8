#include "registry/mirrors.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/toml.hh"
#include "foundation/value.hh"

namespace veneer::registry {

namespace {

constexpr std::size_t most_rules = 10'000;

bool is_location_character(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("-._:/[]").find(c) != std::string_view::npos;
}

Location location_of(const Value& table) {
  Location location = read_location(table.at("location").string());
  if (table.boolean_or("insecure", false)) location.transport = Location::Transport::plain_allowed;
  const std::string pulls = table.string_or("pull-from-mirror", "all");
  if (pulls == "digest-only") location.serves = Location::Serves::digests_only;
  if (pulls == "tag-only") location.serves = Location::Serves::tags_only;
  return location;
}

Rule rule_of(const Value& table) {
  Rule rule;
  rule.prefix = table.string_or("prefix", "");
  const std::string place = table.string_or("location", "");
  if (rule.prefix.empty()) rule.prefix = place;
  if (rule.prefix.empty()) throw Error(ErrorKind::refused, "a [[registry]] has neither a prefix nor a location");
  if (!place.empty()) rule.location = location_of(table);
  rule.location.serves = Location::Serves::all;
  if (table.boolean_or("blocked", false)) rule.access = Rule::Access::blocked;
  const bool by_digest = table.boolean_or("mirror-by-digest-only", false);
  for (const Value& mirror : table.array_or_empty("mirror")) {
    rule.mirrors.push_back(location_of(mirror));
    if (by_digest) rule.mirrors.back().serves = Location::Serves::digests_only;
  }
  return rule;
}

/// How much of "registry/repository" a prefix is; nothing when it is not how that begins.
std::optional<std::size_t> matched(std::string_view prefix, std::string_view name) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = name.substr(0, name.find('/'));
    const std::string_view end = prefix.substr(1);
    if (host.size() > end.size() && host.ends_with(end)) return host.size();
    return std::nullopt;
  }
  if (!name.starts_with(prefix)) return std::nullopt;
  if (name.size() != prefix.size() && name[prefix.size()] != '/') return std::nullopt;
  return prefix.size();
}

std::string joined(std::string_view registry, std::string_view repository) {
  return fmt::format("{}/{}", registry, repository);
}

}  // namespace

Location read_location(std::string_view text) {
  Location location;
  std::string_view rest = text;
  if (rest.starts_with("http://")) location.transport = Location::Transport::plain_allowed;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  location.registry = rest.substr(0, rest.find('/'));
  if (location.registry.size() < rest.size()) location.prefix = rest.substr(location.registry.size() + 1);
  const bool is_plain = !location.registry.empty() && std::ranges::all_of(rest, is_location_character) &&
                        rest.find("//") == std::string_view::npos && rest.find("..") == std::string_view::npos;
  if (!is_plain) {
    throw Error(ErrorKind::refused, fmt::format("'{}' is no place of a registry", printable(text)),
                "it looks like mirror.example, mirror.example:5000/prefix or http://127.0.0.1:5000");
  }
  return location;
}

Rules read_registries_conf(std::string_view text) {
  Rules rules;
  const Value document = parse_toml(text);
  const Value* tables = document.find("registry");
  if (tables == nullptr) tables = document.find("registries");
  if (tables == nullptr || !tables->is_array()) return rules;  // version 1 had search lists only
  for (const Value& table : tables->array()) {
    if (rules.size() == most_rules) throw Error(ErrorKind::refused, "it has too many registries");
    rules.push_back(rule_of(table));
  }
  return rules;
}

const Rule* rule_for(const Rules& rules, std::string_view registry, std::string_view repository) {
  const std::string name = joined(registry, repository);
  const Rule* best = nullptr;
  std::size_t longest = 0;
  for (const Rule& rule : rules) {
    const auto length = matched(rule.prefix, name);
    if (!length || (best != nullptr && *length <= longest)) continue;
    best = &rule;
    longest = *length;
  }
  return best;
}

std::string name_at(const Location& location, std::string_view prefix, std::string_view registry,
                    std::string_view repository) {
  const std::string name = joined(registry, repository);
  std::string_view rest = std::string_view(name).substr(matched(prefix, name).value_or(registry.size()));
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (location.prefix.empty()) return std::string(rest);
  return rest.empty() ? location.prefix : joined(location.prefix, rest);
}

}  // namespace veneer::registry
