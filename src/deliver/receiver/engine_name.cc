#include "deliver/receiver/engine_name.hh"

#include "foundation/error.hh"

namespace veneer::deliver {

EngineName parse_engine_name(std::string_view text) {
  image::Reference reference = image::parse_given_name(text);
  return {std::move(reference.registry), std::move(reference.repository), *std::move(reference.tag)};
}

EngineName engine_name_of(const image::Reference& reference) { return parse_engine_name(reference.full()); }

std::optional<EngineName> read_engine_name(std::string_view text) {
  try {
    return parse_engine_name(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace veneer::deliver
