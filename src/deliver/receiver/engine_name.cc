#include "deliver/receiver/engine_name.hh"

#include <fmt/format.h>

#include "foundation/error.hh"

namespace veneer::deliver {

EngineName parse_engine_name(std::string_view text) {
  try {
    image::Reference reference = image::with_default_tag(image::parse_reference(text));
    if (reference.digest) throw Error(ErrorKind::usage, "a digest is not a name that can be given");
    return {std::move(reference.registry), std::move(reference.repository), *std::move(reference.tag)};
  } catch (const Error& error) {
    throw Error(
        ErrorKind::usage,
        fmt::format("'{}' is no name that an engine can give to an image: {}", printable(text), error.message()),
        "a name looks like demo:1 or registry.example/team/demo:1, in lower case");
  }
}

std::optional<EngineName> read_engine_name(std::string_view text) {
  try {
    return parse_engine_name(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace veneer::deliver
