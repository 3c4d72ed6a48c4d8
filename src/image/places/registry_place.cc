#include "image/places/registry_place.hh"

#include "foundation/error.hh"

namespace veneer::image {

PlaceKind registry_kind() {
  PlaceKind kind{"registry", {}, {}, {}, {}};  // without a form no hint names it
  kind.find = [](std::string_view rest, Use, const std::filesystem::path&) -> std::shared_ptr<const ImagePlace> {
    static_cast<void>(parse_reference(rest));
    throw Error(ErrorKind::usage, "registries are not supported yet",
                "let an engine pull it and name it as docker:" + printable(rest) +
                    ", or save it to a file: docker-archive:FILE");
  };
  return kind;
}

}  // namespace veneer::image
