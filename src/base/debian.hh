// A Debian base: one layer with the minimal system, one with the packages on top. Thread-safe; several processes may
// share the cache.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/base.hh"
#include "base/mmdebstrap.hh"
#include "image/cache/layer_cache.hh"

namespace veneer::base {

struct DebianRequest {
  DebianArchive archive;
  enum class Python { included, left_out };
  Python python = Python::included;    // Debian's own python3; left out where another interpreter comes on top
  std::string architecture = "amd64";  // as Go names it: amd64, arm64, arm (armhf), 386 (i386), ...
  std::vector<LockedPackage> pins;     // which versions to take of those that the archive still has
  Refresh refresh = Refresh::no;       // yes: make it anew, even if the cache has it
  std::filesystem::path temporary;     // an existing folder with room for the unpacked system, twice
};

/// What is installed beside what Debian calls required: python3 unless it is left out, certificates for TLS, names of
/// services and protocols, time zones. More are added by add_packages(). Sorted.
std::vector<std::string> debian_packages(const DebianRequest& request);

/// The keys under which the two layers are cached: suite, snapshot, architecture, format, and for the second the
/// packages and the first layer's diff ID. The mirror and the machine that builds do not belong to them. Without a
/// snapshot the cached layers stay as they are until refreshed; for pins the cache has layers of their own.
LayerKey debian_root_key(const DebianRequest& request);
LayerKey debian_packages_key(const DebianRequest& request, const DiffId& root);

/// Whether both layers are in the cache, so that make_debian_base() has nothing to do.
bool has_debian_base(const DebianRequest& request, const image::LayerCache& cache);

/// Takes the layers from `cache` or makes them with mmdebstrap (detect_privilege() says how); equal archives give equal
/// bytes on every machine. `on_line` gets what is being done.
Base make_debian_base(const DebianRequest& request, const std::shared_ptr<image::LayerCache>& cache,
                      const OnLine& on_line = {});

}  // namespace veneer::base
