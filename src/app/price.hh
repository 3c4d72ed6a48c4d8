// What a deploy will cost hosts, told from two locks before anything is built: a value made of values.
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "foundation/digest.hh"
#include "foundation/value.hh"
#include "plan/component.hh"

namespace veneer::app {

/// How well the bytes of something are known.
enum class Certainty {
  known,      // by its lock or its files: a layer comes out within 3 % or 20 kB
  estimated,  // no lock says its size, or it has to be built first
};

/// A distribution that a lock has installed.
struct PricedDistribution {
  plan::Component component;  // its size is that of its file
  std::string version;
  Certainty certainty = Certainty::known;
};

/// A layer of the application.
struct PricedPart {
  std::string title;
  LayerKey key;
  std::uint64_t bytes = 0;  // of the blob
  Certainty certainty = Certainty::known;
};

/// An image as far as it is known without a base.
struct PricedImage {
  std::string name;      // "v1.2.0", or the lock's file
  std::string revision;  // a commit, or another text that is another one for another image
  std::string platform = "linux/amd64";
  std::vector<PricedDistribution> distributions;
  std::string environment;              // what decides the bytes of the environment's own layer
  std::vector<PricedPart> application;  // bottom to top
};

struct PricedHost {
  std::string receiver;  // "podman", "docker pull on overlay2"
  std::uint64_t bytes = 0;
  std::size_t layers = 0;
  double seconds = 0;  // on the line that was given
};

/// A layer that a host which reuses any layer has to fetch.
struct PricedLayer {
  std::string title;
  std::uint64_t bytes = 0;
  Certainty certainty = Certainty::known;
};

/// A distribution that is another one, new or gone: then one of the versions is empty.
struct PricedChange {
  std::string name;
  std::string from;
  std::string to;
  std::uint64_t bytes = 0;  // of its file
};

struct Price {
  std::string from;
  std::string to;
  std::vector<PricedHost> hosts;    // one for each kind, as deliver::forecast() lists them, then those that pull
  std::vector<PricedLayer> layers;  // largest first
  std::vector<PricedChange> changes;
  std::vector<std::string> notes;

  const PricedHost& dearest() const;
};

struct PriceOptions {
  std::optional<std::size_t> dependency_layers;  // at most so many of distributions; none: as is usual
  deliver::Line line;
};

/// Bytes of a distribution of `file_bytes` in a layer, without what a layer has once. Measured (docs/formats.md): a
/// wheel's compressed data is copied, the rest of it is about as large as headers and RECORD here.
std::uint64_t bytes_in_layer(std::uint64_t file_bytes);

/// For hosts that have `from` and nothing else. `to` is laid out with a view to `from`, and that one as a first build
/// does it. Both stand on the same base, whose layers are not in it. Throws Error
/// as plan::layout() and deliver::deliver() do.
Price price(const PricedImage& from, const PricedImage& to, const PriceOptions& options);

/// {"from","to","deploy":[{"receiver","bytes","layers","seconds"}…],"layers":[{"title","bytes","estimated"}…],
/// "changes":[{"name","from","to","bytes"}…],"notes":[…]}
Value to_value(const Price& price);

}  // namespace veneer::app
