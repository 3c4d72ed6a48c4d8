// What a container may use beside volumes, ports and networks, and what a service may: limits, rights, devices, names
// of others. A part of Settings (settings.hh). Documents of the Docker Engine API and of `compose config`. Pure;
// thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "foundation/value.hh"

namespace veneer::deliver {

/// By what it is called in words ("memory limit", "device /dev/ttyS0"), its value in one form: bytes, billionths of a
/// processor. Nothing of what is a default.
struct Allowances {
  std::map<std::string, std::string> given;
  /// Of a service: what may not be in force: by its "deploy", which not every compose obeys, or by what not every
  /// kernel has. Of a container: what an engine gives by itself where nothing else was asked for.
  std::map<std::string, std::string> possible;
};

/// `usual_logging`: the engine's own logging driver; empty where that is not known.
Allowances allowances_of_container(const Value& container, std::string_view usual_logging = {});
Allowances allowances_of_service(const Value& service);

/// Whether an engine's own settings may have given it, so that nobody would lose it.
bool may_be_the_engines(const std::string& limit);

}  // namespace veneer::deliver
