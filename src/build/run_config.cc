#include <fmt/format.h>

#include <chrono>
#include <map>

#include "build/image_builder.hh"
#include "build/image_labels.hh"
#include "foundation/error.hh"
#include "foundation/standard_path.hh"
#include "image/history.hh"

namespace veneer::build {

namespace {

/// RFC 3339, UTC, to the second; years 1970 to 9999.
std::string timestamp(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

Value strings(const std::vector<std::string>& items) {
  Value::Array array;
  for (const std::string& item : items) array.emplace_back(item);
  return Value(std::move(array));
}

/// The base's variables with ours, sorted by name: the order means nothing to a process.
Value environment(const Value& base_run, const BuildInputs& inputs, const std::string& home) {
  std::map<std::string, std::string> variables;
  for (const std::string& entry : base_run.strings_or_empty("Env")) {
    const std::size_t equals = entry.find('=');
    variables[entry.substr(0, equals)] = equals == std::string::npos ? "" : entry.substr(equals + 1);
  }
  const auto path = variables.find("PATH");
  variables["PATH"] = inputs.prefix + "/bin:" + (path == variables.end() ? std::string(standard_path) : path->second);
  variables["VIRTUAL_ENV"] = inputs.prefix;
  variables.emplace("PYTHONUNBUFFERED", "1");  // what is printed is seen at once, also when the program is killed
  for (const auto& [name, value] : inputs.project.image.environment) variables[name] = value;
  variables["HOME"] = home;  // engines look it up, not all of them and not for every number
  std::vector<std::string> list;
  for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
  return strings(list);
}

Value exposed_ports(const Value& base_run, const std::vector<std::string>& expose) {
  std::map<std::string, Value> ports;
  for (const auto& [port, value] : base_run.table_or_empty("ExposedPorts").table()) ports.emplace(port, value);
  for (const std::string& port : expose) {
    ports.emplace(port.find('/') == std::string::npos ? port + "/tcp" : port, Value::Table{});
  }
  Value table{Value::Table{}};
  for (const auto& [port, value] : ports) table.set(port, value);
  return table;
}

}  // namespace

image::RunConfig run_config(const BuildInputs& inputs, const std::string& home, const std::string& version) {
  const python::ImageOptions& options = inputs.project.image;
  image::RunConfig config = inputs.base.config;
  image::make_history_consistent(config.history, inputs.base.layers.size());
  config.created = timestamp(inputs.created);
  const Value base_run = config.run.is_table() ? config.run : Value(Value::Table{});
  Value& run = config.run;
  if (!run.is_table()) run = Value(Value::Table{});
  run.set("Env", environment(base_run, inputs, home));
  run.set("User", fmt::format("{}:{}", options.user, options.group));
  run.set("WorkingDir", options.workdir);
  // What the base would run by itself has no meaning for the project.
  run.set("Entrypoint", options.entrypoint.empty() ? Value() : strings(options.entrypoint));
  run.set("Cmd", options.cmd.empty() ? Value() : strings(options.cmd));
  if (!options.health.is_null()) run.set("Healthcheck", options.health);
  if (const Value ports = exposed_ports(base_run, options.expose); !ports.table().empty())
    run.set("ExposedPorts", ports);
  run.set("Labels", image_labels(base_run, inputs, {version, config.created}));
  return config;
}

}  // namespace veneer::build
