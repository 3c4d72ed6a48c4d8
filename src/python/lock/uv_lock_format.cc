// uv.lock as one of the formats.
#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/read_lock.hh"
#include "python/lock/uv_lock.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

class UvLock : public AnyLock {
 public:
  UvLock(std::string_view text, const std::filesystem::path& path) : AnyLock(path), lock_(parse_uv_lock(text)) {}

  Selection select(const SelectRequest& request) const override {
    SelectOptions options = request.options;
    if (request.default_groups == DefaultGroups::taken) {
      auto groups = read_default_groups(folder());
      if (!groups) options.group_choice = GroupChoice::all;
      options.default_groups = std::move(groups).value_or(std::vector<std::string>());
    }
    if (options.packages.empty() && !request.project.empty()) options.packages = {request.project};
    return python::select(lock_, request.target, options);
  }

  std::string member_folder(const std::string& name) const override {
    const auto found = lock_.find(name);
    const auto member =
        std::find_if(found.begin(), found.end(), [&](std::size_t index) { return is_workspace_member(lock_, index); });
    if (member == found.end()) {
      throw Error(ErrorKind::not_found, fmt::format("the workspace has no member {}", printable(name)));
    }
    return lock_.packages[*member].source.location;
  }

 private:
  Lock lock_;
};

}  // namespace

extern const LockFormat uv_lock_format = {
    [](std::string_view) { return true; },
    [](std::string_view text, const std::filesystem::path& path, const Variables&) -> std::unique_ptr<const AnyLock> {
      return std::make_unique<UvLock>(text, path);
    }};

}  // namespace veneer::python
