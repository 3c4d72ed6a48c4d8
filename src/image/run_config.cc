#include "image/run_config.hh"

#include "foundation/standard_path.hh"

namespace veneer::image {

std::string environment_variable(const RunConfig& config, std::string_view name) {
  for (const std::string& entry : config.run.strings_or_empty("Env")) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

std::string label_of(const RunConfig& config, std::string_view name) {
  const Value* labels = config.run.is_table() ? config.run.find("Labels") : nullptr;
  const Value* label = labels != nullptr && labels->is_table() ? labels->find(name) : nullptr;
  return label != nullptr && label->is_string() ? label->string() : "";
}

std::string search_path(const RunConfig& config) {
  const std::string path = environment_variable(config, "PATH");
  return path.empty() ? std::string(standard_path) : path;
}

}  // namespace veneer::image
