// pylock.toml as one of the formats.
#include "python/lock/pylock.hh"
#include "python/lock/read_lock.hh"

namespace veneer::python {

namespace {

class PylockFile : public AnyLock {
 public:
  PylockFile(std::string_view text, const std::filesystem::path& path) : AnyLock(path), lock_(parse_pylock(text)) {}

  Selection select(const SelectRequest& request) const override {
    SelectOptions options = request.options;
    // Beside its own ones, those that uv takes without being told.
    if (request.default_groups == DefaultGroups::taken) options.default_groups = {"dev"};
    return python::select(lock_, request.target, options);
  }

 private:
  Pylock lock_;
};

}  // namespace

extern const LockFormat pylock_format = {
    is_pylock_name,
    [](std::string_view text, const std::filesystem::path& path, const Variables&,
       KnownPackages*) -> std::unique_ptr<const AnyLock> { return std::make_unique<PylockFile>(text, path); }};

}  // namespace veneer::python
