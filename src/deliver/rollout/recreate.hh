// A container with the settings of another one and a newer image: what `docker run` was given survives, what came from
// the old image gives way to the new one. Documents of the Docker Engine API. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "foundation/value.hh"

namespace veneer::deliver {

struct Recreation {
  Value create{Value::Table{}};       // the body of POST /containers/create
  std::vector<std::string> networks;  // others that it is to be connected to, by name
};

/// `container`: the answer to GET /containers/NAME/json; `image_config`: the "Config" of its image; `image`: the name
/// of the new one. Volumes without a name are kept. Throws Error (refused) when the answer lacks what a container has.
Recreation recreate(const Value& container, const Value& image_config, const std::string& image);

}  // namespace veneer::deliver
