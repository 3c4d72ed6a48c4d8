#include "start/modules.hh"

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::start {

bool is_dotted_name(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 128;
  });
}

std::string top_of(std::string_view module) { return std::string(module.substr(0, module.find('.'))); }

std::optional<std::string> find_module(const Inputs& inputs, const std::vector<std::string>& roots,
                                       std::string_view module) {
  std::string path(module);
  std::replace(path.begin(), path.end(), '.', '/');
  for (const std::string& root : roots) {
    const std::string full = root.empty() ? path : root + "/" + path;
    if (inputs.has_file(full + ".py")) return full + ".py";
    if (inputs.has_file(full + "/__init__.py")) return full + "/__init__.py";
    if (inputs.has_folder(full)) return full;
  }
  return std::nullopt;
}

std::string module_name(const std::string& file, const std::string& root) {
  std::string name = root.empty() ? file : file.substr(root.size() + 1);
  if (name.ends_with(".py")) name.resize(name.size() - 3);
  if (name.ends_with("/__init__")) name.resize(name.size() - 9);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

bool Inputs::has_file(const std::string& name) const { return std::binary_search(files.begin(), files.end(), name); }

bool Inputs::has_folder(const std::string& name) const {
  const auto after = std::lower_bound(files.begin(), files.end(), name + "/");
  return after != files.end() && after->starts_with(name + "/");
}

}  // namespace veneer::start
