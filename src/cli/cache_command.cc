#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "image/cache/prune.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t usual_age = 30;  // days
constexpr std::uint64_t longest_age = 36'500;

Value to_value(const image::CacheUsage& usage) {
  Value value;
  value.set("name", usage.name);
  value.set("files", usage.files);
  value.set("bytes", usage.bytes);
  return value;
}

int show(bool is_json, Context& context) {
  const auto rows = image::cache_usage(context.cache_folder());
  if (is_json) {
    Value::Array parts;
    for (const image::CacheUsage& row : rows) parts.push_back(to_value(row));
    Value value;
    value.set("folder", context.cache_folder().native());
    value.set("parts", std::move(parts));
    context.print(to_pretty_json(value));
    return 0;
  }
  Table table({"part", "files", "size"}, {1, 2});
  image::CacheUsage total{"total", 0, 0};
  for (const image::CacheUsage& row : rows) {
    if (row.files == 0) continue;  // a folder that is there and holds nothing is no news
    table.add({row.name, fmt::format("{}", row.files), human_size(row.bytes)});
    total.files += row.files;
    total.bytes += row.bytes;
  }
  table.add({total.name, fmt::format("{}", total.files), human_size(total.bytes)});
  context.print(fmt::format("{}\n{}", printable(context.cache_folder().native()), table.text()));
  return 0;
}

int prune(std::uint64_t days, bool is_json, Context& context) {
  const auto age = std::chrono::hours(24) * static_cast<std::int64_t>(days);
  const image::CacheUsage freed =
      image::prune_cache(context.cache_folder(), std::filesystem::file_time_type::clock::now() - age);
  if (is_json) {
    context.print(to_pretty_json(to_value(freed)));
  } else {
    context.print(fmt::format("removed {} files, {}\n", freed.files, human_size(freed.bytes)));
  }
  return 0;
}

Action parse_cache(const Arguments& arguments) {
  const std::string action = arguments.value_or("ACTION", "show");
  const bool is_json = arguments.has("--json");
  const std::uint64_t days = arguments.number("--days", 0, longest_age).value_or(usual_age);
  if (action == "prune") return [=](Context& context) { return prune(days, is_json, context); };
  if (action != "show") {
    throw Error(ErrorKind::usage, fmt::format("'{}' is neither show nor prune", printable(action)));
  }
  if (arguments.has("--days")) throw Error(ErrorKind::usage, "--days is for prune");
  return [=](Context& context) { return show(is_json, context); };
}

}  // namespace

Command cache_command() {
  return {.name = "cache",
          .summary = "show or prune what earlier builds left for later ones",
          .description =
              "Shows how much the cache holds, or removes what was not used for some time, what is damaged, and what "
              "killed "
              "builds left. Everything in it can be made again; removing it costs time only. A prune waits for running "
              "builds.",
          .positionals = {{"ACTION", "show (default) or prune", Positional::Need::optional}},
          .options = {{"--days", "N", "prune: remove what was not used for N days (default 30; 0: everything)"},
                      {"--json", "", "print JSON"}},
          .examples = {{"veneer cache", "what is there"}, {"veneer cache prune --days 7", "keep what this week used"}},
          .parse = parse_cache};
}

}  // namespace veneer::cli
