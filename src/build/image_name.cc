#include "build/image_name.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "image/places/image_names.hh"
#include "image/reference.hh"

namespace veneer::build {

std::string image_name(const python::Project& project) {
  const bool is_given = !project.image.name.empty();
  const std::string& name = is_given ? project.image.name : project.name;
  image::Reference reference;
  try {
    reference = image::parse_reference(name);
    if (reference.tag || reference.digest) {
      throw Error(ErrorKind::refused, fmt::format("'{}' is more than a name", printable(name)));
    }
  } catch (Error& error) {
    error.add_context(is_given ? "[tool.veneer.image] name" : "the project's name");
    error.set_hint(
        "a name has lower-case letters and digits, joined by '.', '_' or '-', such as "
        "name = \"registry.example/team/demo\" in [tool.veneer.image]; the tag is a key of its own");
    throw;
  }
  return image::names_a_place(reference.familiar() + ":tag") ? reference.full() : reference.familiar();
}

std::string image_tag(const python::Project& project, std::string_view version) {
  const bool is_given = !project.image.tag.empty();
  std::string tag(is_given ? std::string_view(project.image.tag) : version);
  if (!is_given)
    std::ranges::replace_if(
        tag, [](char c) { return c == '+' || c == '!'; }, '-');
  if (tag.empty()) return "latest";
  if (image::is_tag(tag)) return tag;
  throw Error(ErrorKind::refused,
              fmt::format("{} '{}' makes no tag of an image", is_given ? "[tool.veneer.image] tag" : "the version",
                          printable(is_given ? project.image.tag : version)),
              "a tag has up to 128 letters, digits, '_', '.' and '-', such as tag = \"1.2\" in [tool.veneer.image]");
}

}  // namespace veneer::build
