// What the cache folder holds, and removing of it what nobody needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace veneer::image {

/// What `veneer cache` shows of one part of the cache folder.
struct CacheUsage {
  std::string name;  // "layers", "blobs", "wheels", ...
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Sizes of the folders in the cache, by name; those that take no room are left out.
std::vector<CacheUsage> cache_usage(const std::filesystem::path& folder);

/// Removes what was not used since `before`, what is damaged, blobs that no remaining entry names, and whatever else
/// lies in the cache's own folders: leftovers of killed processes. Waits for running builds. Returns what was freed.
/// A folder that is no cache loses nothing.
CacheUsage prune_cache(const std::filesystem::path& folder, std::filesystem::file_time_type before);

}  // namespace veneer::image
