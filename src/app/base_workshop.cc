#include "app/base_workshop.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/unpack.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/sandbox.hh"

namespace veneer::app {

namespace fs = std::filesystem;

std::shared_ptr<BaseWorkshop> BaseWorkshop::find(const base::Base& base, const python::Target& target,
                                                 base::PackagesRequest request,
                                                 std::shared_ptr<image::LayerCache> cache, Messages& messages) {
  if (target.machine != native_machine() || !base::takes_packages(base)) return nullptr;
  try {
    base::detect_privilege();
  } catch (const Error&) {
    return nullptr;
  }
  const auto words = find_open_sandbox();
  if (!words) return nullptr;
  for (const char* package : {"gcc", "g++", "libc6-dev"}) request.packages.emplace_back(package);
  // Another Python than Debian's brings its headers.
  if (target.interpreter.starts_with("/usr/bin/")) request.packages.emplace_back("python3-dev");
  return std::shared_ptr<BaseWorkshop>(new BaseWorkshop(base, std::move(request), std::move(cache), *words, messages));
}

BaseWorkshop::BaseWorkshop(const base::Base& base, base::PackagesRequest request,
                           std::shared_ptr<image::LayerCache> cache, std::vector<std::string> words, Messages& messages)
    : base_(base),
      request_(std::move(request)),
      cache_(std::move(cache)),
      words_(std::move(words)),
      messages_(messages) {}

LayerKey BaseWorkshop::key() const {
  const std::lock_guard lock(mutex_);
  if (!key_) key_ = base::packages_key(base_, request_);
  return *key_;
}

std::string BaseWorkshop::request_key() const { return "base " + key().hex(); }

std::string BaseWorkshop::content_key() const {
  const LayerKey request = key();
  const std::lock_guard lock(mutex_);
  const auto layer = base::cached_packages(base_, request_, *cache_);
  return layer ? "base " + layer->layer.diff_id.text() + " " + request.hex() : "base " + request.hex();
}

bool BaseWorkshop::is_compiled(const std::string& name) const {
  return fs::exists(cache_->folder() / "workshops" / "compiled" / name);
}

void BaseWorkshop::note_compiled(const std::string& name) {
  const fs::path folder = cache_->folder() / "workshops" / "compiled";
  make_folders(folder);
  write_text_file(folder / name, "");
}

std::vector<base::LockedPackage> BaseWorkshop::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

python::Workshop::Place BaseWorkshop::open() {
  const std::lock_guard lock(mutex_);
  if (!base::has_packages(base_, request_, *cache_)) {
    messages_.note(fmt::format("adding to {}, for builds only (once; they are kept, and in no image): {}",
                               printable(base_.name), fmt::join(base::packages_to_add(base_, request_), " ")));
  }
  const base::Base whole = base::add_packages(
      base_, request_, cache_, [&](const std::string& line) { messages_.progress("packages for builds: " + line); });
  request_.refresh = base::Refresh::no;  // it is new now
  taken_.clear();
  for (const base::InstalledPackage& package :
       base::packages_added(base::read_packages(base_, *cache_), whole.packages)) {
    taken_.push_back({package.name, package.version, package.architecture, package.sha256});
  }
  messages_.progress("unpacking the base with packages for builds");
  const fs::path root = base::unpacked_root(whole, cache_->folder(), *cache_->files());
  messages_.clear_progress();
  const fs::path kept = cache_->folder() / "workshops" / root.filename();
  make_folders(kept);
  std::error_code error;
  fs::last_write_time(kept, fs::file_time_type::clock::now(), error);  // says that it is in use
  return {root, words_, kept};
}

}  // namespace veneer::app
