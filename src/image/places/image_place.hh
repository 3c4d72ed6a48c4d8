// A place where an image can be: one interface for all kinds of place, which a command reads from and writes to without
// knowing what it is. image_names.hh finds the place by its name; places.cc lists the kinds. A place may be used by
// several threads to read.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/kept_files.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/reference.hh"

namespace veneer::registry {
class Registries;
}

namespace veneer::image {

struct PlaceContext;

struct OpenedImage {
  SealedImage sealed;
  std::shared_ptr<const Blobs> blobs;
  std::string name;                       // what may be written to mean this image again
  std::optional<Reference> reference;     // the name that it has by itself and that an engine can give to it, if any
  std::optional<ManifestDigest> named{};  // of a registry: what its name stands for, an index or the image's manifest
  bool is_from_registry = false;          // asked of the registry itself just now, neither of a mirror nor of the cache
};

class ImagePlace {
 public:
  virtual ~ImagePlace() = default;
  /// Reads the image that is named, made for `platform` when that is given. Throws Error: not_found, network, refused
  /// or verification.
  virtual OpenedImage read(const std::optional<Platform>& platform, const PlaceContext& context) const = 0;
  /// Why the image is not there, in words that follow a colon; nothing when it is. Where that cannot be told without
  /// reading, nothing.
  virtual std::optional<std::string> absence(const PlaceContext& /*context*/) const { return std::nullopt; }
  /// The name that the image has there and that an engine can give to it, if any; known without looking.
  virtual std::optional<Reference> reference() const { return std::nullopt; }
  /// The same image, whatever its name stands for now, by its manifest; nullptr where that cannot be asked for.
  virtual std::shared_ptr<const ImagePlace> pinned(const ManifestDigest& /*manifest*/) const { return nullptr; }
  /// Writes `image` under the name of this place, else under `name` ("shop:1.0"), and returns where it is, for people.
  /// `files` knows which files there are whole. Kinds that only read throw Error (usage).
  virtual std::string write(const SealedImage& image, const Blobs& blobs, const std::string& name,
                            const KeptFiles& files) const;
};

/// What a name is for: an image to be read, one to be built on, or where a new one goes.
enum class Use { image, base, output };

/// A kind of place. A new one is a folder or file beside the others and a line in places.cc.
struct PlaceKind {
  std::string prefix;  // "oci", written before a colon
  std::string form;    // "oci:DIR[:TAG]", for help and hints
  enum class Access { reads, reads_and_writes } access = Access::reads;
  /// Whether a name without any prefix is looked for here too, when the project's store lacks it.
  enum class PlainNames {
    not_meant,
    looked_for,     // unless the name spells out a registry
    of_registries,  // those that do
  } plain_names = PlainNames::not_meant;
  /// Reads what stands behind the prefix; relative paths begin at `folder`, which is empty for the current one.
  /// Contacts nothing but the disk. Throws Error (usage).
  std::function<std::shared_ptr<const ImagePlace>(std::string_view rest, Use use, const std::filesystem::path& folder)>
      find;
};

/// The kinds that veneer knows, in the order in which hints name them.
const std::vector<PlaceKind>& place_kinds();

/// What places need from outside when they are used.
struct PlaceContext {
  std::filesystem::path store;  // the project's own layout
  std::filesystem::path cache;  // for what is costly to bring
  std::function<std::optional<std::string>(const std::string&)> environment = [](const auto&) { return std::nullopt; };
  std::shared_ptr<registry::Registries> registries;  // null: as environment says
  std::function<void(const std::string&)> progress = [](const auto&) {};
  std::function<void(const std::string&)> note = [](const auto&) {};
};

}  // namespace veneer::image
