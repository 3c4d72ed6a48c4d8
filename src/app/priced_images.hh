// Reads what a price is made of: a lock in a file, or a commit of the project's repository with its lock and the
// application's files. Runs git; builds, fetches and asks nothing else. One thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/past_lock.hh"
#include "app/price.hh"
#include "app/surroundings.hh"

namespace veneer::app {

struct PriceRequest {
  PastTarget target;
  std::vector<std::string> extras;  // beside those that [tool.veneer] names; normalised
  std::vector<std::string> groups;
  std::optional<std::string> package;            // a member of the workspace, normalised
  std::optional<std::size_t> dependency_layers;  // none: what the project says
  deliver::Line line;
};

/// The price of a deploy of commit `to` to hosts that have that of commit `from`, of the project in
/// surroundings.current_folder(). The application is estimated where it is a package, whose wheel has to be built.
/// Throws Error: not_found for revisions, and commits without project or lock; refused for what they hold.
Price price_of_commits(const std::string& from, const std::string& to, const PriceRequest& request,
                       Surroundings& surroundings);

/// The same of what two locks install, without the application. A file that is called neither pylock.toml nor *.txt is
/// a uv.lock.
Price price_of_locks(const std::filesystem::path& from, const std::filesystem::path& to, const PriceRequest& request,
                     Surroundings& surroundings);

}  // namespace veneer::app
