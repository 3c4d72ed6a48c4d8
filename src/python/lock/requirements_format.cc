// requirements.txt as one of the formats.
#include "python/lock/read_lock.hh"
#include "python/lock/requirements.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

class RequirementsLock : public AnyLock {
 public:
  RequirementsLock(std::string_view text, const std::filesystem::path& path, const Variables& variables)
      : AnyLock(path), file_(parse_requirements(text, variables)) {}

  Selection select(const SelectRequest& request) const override {
    SelectOptions options = request.options;
    if (request.default_groups == DefaultGroups::taken) options.default_groups = {"dev"};  // is refused
    return python::select(file_, request.target, options,
                          [&](const std::string& path) { return read_project(folder() / path).name; });
  }

  std::vector<std::string> index_options() const override { return file_.index_options; }

 private:
  RequirementsFile file_;
};

}  // namespace

extern const LockFormat requirements_format = {
    is_requirements_name,
    [](std::string_view text, const std::filesystem::path& path, const Variables& variables, KnownPackages*)
        -> std::unique_ptr<const AnyLock> { return std::make_unique<RequirementsLock>(text, path, variables); }};

}  // namespace veneer::python
