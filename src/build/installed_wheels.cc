#include "build/installed_wheels.hh"

#include <fmt/format.h>

#include "foundation/digest.hh"
#include "foundation/error.hh"

namespace veneer::build {

namespace {

using python::SelectedPackage;

constexpr std::string_view verified_note = "verified";
constexpr std::string_view verified_text = "RECORD";
/// Each holds an open file.
constexpr std::size_t most_kept = 200;

/// Hides the deflated form: a wheel that was built here was compressed by whatever library was at hand, so its stream
/// must not get into a layer that is to be the same on every machine.
class Recompressed : public archive::Content {
 public:
  explicit Recompressed(std::shared_ptr<const archive::Content> content) : content_(std::move(content)) {}
  std::uint64_t size() const override { return content_->size(); }
  std::unique_ptr<ByteSource> open() const override { return content_->open(); }

 private:
  std::shared_ptr<const archive::Content> content_;
};

tree::FileTree without_deflated_forms(const tree::FileTree& tree) {
  tree::FileTree result;
  for (const auto& [path, entry] : tree.entries()) {
    if (!entry.inode->content) {
      result.put(path, entry.inode);
      continue;
    }
    auto inode = std::make_shared<tree::Inode>(*entry.inode);
    inode->content = std::make_shared<Recompressed>(inode->content);
    result.put(path, std::move(inode));
  }
  return result;
}

}  // namespace

InstalledWheels::InstalledWheels(python::WheelSupply& supply, const image::LayerCache& cache,
                                 python::InstallPlace place)
    : supply_(supply), cache_(cache), place_(std::move(place)) {}

tree::FileTree InstalledWheels::make(const SelectedPackage& package) {
  return in_context([&] { return fmt::format("installing {}", printable(package.display_name())); },
                    [&] {
                      python::Wheel wheel = supply_.open(package);
                      if (python::WheelSupply::is_built(package)) {
                        return without_deflated_forms(python::install(wheel, place_));
                      }
                      if (cache_.note(verified_note, verified_key(package)) == verified_text) {
                        wheel = python::with_verified_contents(std::move(wheel));
                      }
                      return python::install(wheel, place_);
                    });
}

void InstalledWheels::keep(const SelectedPackage& package, tree::FileTree tree) {
  const std::lock_guard guard(mutex_);
  if (kept_.size() < most_kept) kept_.emplace(&package, std::move(tree));
}

tree::FileTree InstalledWheels::take(const SelectedPackage& package) {
  {
    const std::lock_guard guard(mutex_);
    if (auto kept = kept_.extract(&package)) return std::move(kept.mapped());
  }
  return make(package);
}

// The key is the wheel file's own, so it does not matter where the wheel is installed.
LayerKey InstalledWheels::verified_key(const SelectedPackage& package) {
  return {sha256("veneer verified the contents of\n" + supply_.identity(package))};
}

void InstalledWheels::note_verified(const SelectedPackage& package) {
  if (!python::WheelSupply::is_built(package)) cache_.set_note(verified_note, verified_key(package), verified_text);
}

}  // namespace veneer::build
