#include "base/layer_variants.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/base.hh"
#include "base/root_files.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::base {

namespace {

constexpr std::string_view variants_note = "package-variants";  // under a request: keys, the newest first
constexpr std::string_view came_note = "packages-came";         // under a request with pins: the key of what came
constexpr std::size_t most_variants = 32;

const LockedPackage* pin_of(const std::vector<LockedPackage>& pins, const InstalledPackage& package) {
  const auto found = std::find_if(pins.begin(), pins.end(), [&](const LockedPackage& pin) {
    return pin.name == package.name &&
           (pin.architecture == package.architecture || pin.architecture == "all" || package.architecture == "all");
  });
  return found == pins.end() ? nullptr : &*found;
}

bool has_other_hash(const LockedPackage& pin, const InstalledPackage& package) {
  return pin.version == package.version && pin.sha256 && package.sha256 && pin.sha256 != package.sha256;
}

}  // namespace

bool contradicts(const std::vector<LockedPackage>& pins, const std::vector<InstalledPackage>& packages) {
  return std::any_of(packages.begin(), packages.end(), [&](const InstalledPackage& package) {
    const LockedPackage* pin = pin_of(pins, package);
    return pin != nullptr && (pin->version != package.version || has_other_hash(*pin, package));
  });
}

void check_hashes(const std::vector<LockedPackage>& pins, const std::vector<InstalledPackage>& packages) {
  for (const InstalledPackage& package : packages) {
    const LockedPackage* pin = pin_of(pins, package);
    if (pin == nullptr || !has_other_hash(*pin, package)) continue;
    throw Error(ErrorKind::verification,
                fmt::format("line {} of veneer.lock: {} {} has SHA-256 {}, in the archive {}", pin->line, pin->name,
                            pin->version, pin->sha256->hex(), package.sha256->hex()),
                "somebody replaced the package or the line; 'veneer base update' takes what the archive has");
  }
}

std::optional<LayerVariant> LayerVariants::read(const LayerKey& key) const {
  const auto layer = cache_.find(key);
  if (!layer) return std::nullopt;
  if (const auto note = cache_.note(packages_note, key)) {
    if (auto packages = packages_from_text(*note)) return LayerVariant{*layer, std::move(*packages)};
  }
  // dpkg's status is in each of these layers, since each of them has changed it.
  const std::shared_ptr<const image::Blobs> blobs(std::shared_ptr<void>(), &cache_);
  LayerVariant variant{*layer, installed_packages(read_tree({layer->layer}, blobs, nullptr))};
  cache_.set_note(packages_note, key, packages_to_text(variant.packages));
  return variant;
}

std::vector<LayerKey> LayerVariants::known() const {
  std::vector<LayerKey> keys;
  const std::string note = cache_.note(variants_note, request_).value_or("");
  for (const std::string& word : split_words(note, "\n")) {
    if (const auto hash = Hash::from_hex(word)) keys.push_back({*hash});
  }
  return keys;
}

LayerKey LayerVariants::key_of(const std::vector<LockedPackage>& pins) const {
  std::string text = request_.hex();
  for (const LockedPackage& pin : pins) {
    text += fmt::format("\n{} {} {} {}", pin.name, pin.version, pin.architecture, pin.sha256 ? pin.sha256->hex() : "-");
  }
  return {sha256(text)};
}

std::optional<LayerVariant> LayerVariants::find(const std::vector<LockedPackage>& pins) const {
  std::optional<LayerVariant> taken = read(request_);
  if (pins.empty() || (taken && !contradicts(pins, taken->packages))) return taken;
  for (const LayerKey& key : known()) {
    std::optional<LayerVariant> variant = read(key);
    if (variant && !contradicts(pins, variant->packages)) return variant;
  }
  const auto came = cache_.note(came_note, key_of(pins));
  const auto key = came ? Hash::from_hex(*came) : std::nullopt;
  return key ? read({*key}) : std::nullopt;
}

LayerVariant LayerVariants::store(const std::vector<LockedPackage>& pins, std::vector<InstalledPackage> packages,
                                  const std::function<archive::WrittenLayer(ByteSink& blob)>& make,
                                  Replace replace) const {
  const std::string text = packages_to_text(packages);
  const LayerKey key{sha256(fmt::format("{}\n{}", request_.hex(), text))};
  const auto keep = [&](const LayerKey& name) { cache_.set_note(packages_note, name, text); };
  keep(key);
  LayerVariant variant{cache_.store(key, make), std::move(packages)};
  std::vector<LayerKey> keys = known();
  std::erase(keys, key);
  keys.insert(keys.begin(), key);
  keys.resize(std::min(keys.size(), most_variants));
  std::string list;
  for (const LayerKey& each : keys) list += each.hex() + "\n";
  cache_.set_note(variants_note, request_, list);
  if (contradicts(pins, variant.packages)) cache_.set_note(came_note, key_of(pins), key.hex());
  if (replace == Replace::yes || !cache_.find(request_)) {
    keep(request_);
    cache_.add_key(request_, variant.layer);
  }
  return variant;
}

}  // namespace veneer::base
