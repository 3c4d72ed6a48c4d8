#include "replay/records.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::replay {

namespace {

constexpr std::size_t most_wheels = 100'000;
constexpr std::size_t most_sets = 20'000;
constexpr std::size_t most_members = 5'000'000;
constexpr std::size_t most_deploys = 100'000;
constexpr std::int64_t most_bytes = std::int64_t{1} << 40;

Wheel read_wheel(const Value& value) {
  const Value::Array& fields = value.array();
  constexpr std::size_t name = 0;
  constexpr std::size_t hash = 3;
  constexpr std::size_t bytes = 4;
  if (fields.size() <= bytes) refuse("a wheel has fewer than five fields");
  const std::int64_t size = fields[bytes].integer();
  if (size < 0 || size > most_bytes) refuse(fmt::format("a wheel has {} bytes", size));
  return {.name = fields[name].string(), .hash = fields[hash].string(), .bytes = static_cast<std::uint64_t>(size)};
}

std::size_t read_place(const Value& value, std::size_t count, std::string_view what) {
  const std::int64_t place = value.integer();
  if (place < 0 || static_cast<std::uint64_t>(place) >= count) refuse(fmt::format("there is no {} {}", what, place));
  return static_cast<std::size_t>(place);
}

std::string text_or_nothing(const Value& line, std::string_view key) {
  const Value* value = line.find(key);
  return value == nullptr || value->is_null() ? std::string() : value->string();
}

class Reader {
 public:
  /// The lines of a file come in this order.
  void take(std::size_t number, const Value& line) {
    constexpr std::size_t project = 1;
    constexpr std::size_t wheels = 2;
    constexpr std::size_t sets = 3;
    constexpr std::size_t dependents = 4;
    switch (number) {
      case project: history_.project = line.at("project").string(); break;
      case wheels: take_wheels(line.at("wheels").array()); break;
      case sets: take_sets(line.at("sets").array()); break;
      case dependents: line.at("dependents"); break;
      default: take_deploy(line); break;
    }
  }

  History finish(std::size_t lines) {
    if (lines < 4) refuse("the file ends before its first deploy");
    return std::move(history_);
  }

 private:
  void take_wheels(const Value::Array& wheels) {
    if (wheels.size() > most_wheels) refuse(fmt::format("more than {} wheels", most_wheels));
    for (const Value& wheel : wheels) history_.wheels.push_back(read_wheel(wheel));
  }

  void take_sets(const Value::Array& sets) {
    if (sets.size() > most_sets) refuse(fmt::format("more than {} sets", most_sets));
    std::size_t members = 0;
    for (const Value& set : sets) {
      auto& read = history_.sets.emplace_back();
      members += set.array().size();
      if (members > most_members) refuse(fmt::format("more than {} members of sets", most_members));
      for (const Value& wheel : set.array()) read.push_back(read_place(wheel, history_.wheels.size(), "wheel"));
      std::vector<std::size_t> sorted = read;
      std::sort(sorted.begin(), sorted.end());
      if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) refuse("a set has a wheel twice");
    }
  }

  void take_deploy(const Value& line) {
    if (history_.deploys.size() == most_deploys) refuse(fmt::format("more than {} deploys", most_deploys));
    Deploy deploy;
    if (const Value& set = line.at("set"); !set.is_null()) deploy.set = read_place(set, history_.sets.size(), "set");
    deploy.lock = text_or_nothing(line, "lock");
    deploy.pyproject = text_or_nothing(line, "pyproject");
    deploy.dockerfile = text_or_nothing(line, "docker");
    history_.deploys.push_back(std::move(deploy));
  }

  History history_;
};

}  // namespace

History read_records(std::string_view lines) {
  Reader reader;
  std::size_t number = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    ++number;
    try {
      reader.take(number, parse_json(line));
    } catch (Error& error) {
      error.add_context(fmt::format("line {} of the records", number));
      throw;
    }
  }
  return reader.finish(number);
}

}  // namespace veneer::replay
