#include "python/project/project_about.hh"

#include "foundation/text.hh"
#include "python/licence.hh"
#include "python/project/source_url.hh"

namespace veneer::python {

ProjectAbout read_about(const Value& metadata) {
  ProjectAbout about;
  const auto text = [](const Value* value) { return value != nullptr && value->is_string() ? value->string() : ""; };
  const std::string description = text(metadata.find("description"));
  about.description = trimmed(std::string_view(description).substr(0, description.find('\n')));
  const Value* licence = metadata.find("license");
  const bool is_table = licence != nullptr && licence->is_table();
  const Value* classifiers = metadata.find("classifiers");
  std::vector<std::string> classified;
  if (classifiers != nullptr && classifiers->is_array()) {
    for (const Value& one : classifiers->array()) classified.push_back(text(&one));
  }
  if (const auto found = licence_of({text(is_table ? licence->find("text") : licence)}, classified)) {
    about.licence = found->expression;
  }
  const Value* urls = metadata.find("urls");
  if (urls == nullptr || !urls->is_table()) return about;
  for (const auto& [label, url] : urls->table()) {
    std::string name;
    for (const char c : label) {
      if (is_letter(c) || is_digit(c)) name += lower(c);
    }
    if (const std::string shown = public_url(text(&url)); !shown.empty()) about.urls[name] = shown;
  }
  return about;
}

}  // namespace veneer::python
