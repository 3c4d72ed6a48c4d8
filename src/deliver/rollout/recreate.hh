// A container with the settings of another one and a newer image: what `docker run` was given survives, what came from
// the old image gives way to the new one. Documents of the Docker Engine API. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "foundation/value.hh"

namespace veneer::deliver {

struct Recreation {
  Value create{Value::Table{}};  // the body of POST /containers/create
  struct Connection {
    std::string network;
    Value connect;  // the body of POST /networks/NETWORK/connect
  };
  std::vector<Connection> networks;  // others that it is to be connected to
};

/// `container`: the answer to GET /containers/NAME/json; `image_config`: the "Config" of its image; `image`: the name
/// of the new one. Volumes without a name are kept. Throws Error (refused) when the answer lacks what a container has.
Recreation recreate(const Value& container, const Value& image_config, const std::string& image);

/// Throws Error (refused), naming them, when the container and others share a network, processes or volumes in a way
/// that does not survive a new one under the same name, or when the engine would remove it as it stops. `others`:
/// tables with "Name", "Id", "NetworkMode", "PidMode", "IpcMode", "VolumesFrom" of all containers.
void check_stands_alone(const Value& container, const std::vector<Value>& others);

}  // namespace veneer::deliver
