// The markers of one lock: each text is parsed once. Pure; one thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "foundation/value.hh"
#include "python/marker.hh"

namespace veneer::python {

class LockMarkers {
 public:
  /// Throws Error (refused) for what is malformed; extras in it are encoded conflict items.
  Marker get(const std::string& text);
  /// Of the key "marker"; the marker that always holds when there is none.
  Marker of(const Value& table);
  /// Of the key `key`, which is a list.
  std::vector<Marker> list(const Value& table, std::string_view key);

 private:
  std::unordered_map<std::string, Marker> known_;
};

}  // namespace veneer::python
