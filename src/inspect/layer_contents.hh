// What is in each layer of an image, for people and for programs. Pure but for summarize_layers with blobs;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/image.hh"
#include "inspect/merged_tree.hh"

namespace veneer::inspect {

struct LayerSummary {
  image::Layer layer;
  ChainId chain_id;
  std::string kind;     // "distribution", "environment", "application"; "base" for all that veneer's builds did not add
  std::string title;    // "numpy 2.1.0"; of a base what its history says
  std::string made_by;  // history's created_by, else its comment; empty when it says nothing
  bool made_by_is_certain = false;  // whether the history fits the layers
  std::optional<LayerFacts> facts;  // when the layers were read
};

/// One summary a layer, bottom to top. `merged` is of the same image, or null when layers were not read.
std::vector<LayerSummary> summarize_layers(const image::Image& image, const MergedTree* merged);

/// A table for people, two lines of which may belong to one layer; ends with a line break.
std::string summary_to_text(const std::vector<LayerSummary>& layers);

/// {"layers": [...]} as docs/formats.md ("Layers of an image") says; ends with a line break.
std::string summary_to_json(const image::SealedImage& image, const std::vector<LayerSummary>& layers);

}  // namespace veneer::inspect
