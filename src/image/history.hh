// The history of an image configuration: one entry an instruction, of which those that are not "empty_layer" stand for
// layers, bottom to top (image-spec config.md). Many images have too few or too many. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "foundation/value.hh"

namespace veneer::image {

/// Whether `history` has exactly one non-empty entry a layer.
bool history_fits(const std::vector<Value>& history, std::size_t layer_count);

struct LayerHistory {
  std::string created_by;  // empty when there is no entry, or it does not say
  std::string comment;
  bool is_certain = false;  // false: the history does not fit the layers, so this may be another layer's text
};

/// For each layer, bottom to top, the entry at its position.
std::vector<LayerHistory> history_of_layers(const std::vector<Value>& history, std::size_t layer_count);

/// Makes `history` fit by the smallest change that claims nothing: missing entries are added on top, empty but for a
/// comment that says so; of too many, the topmost are marked as empty layers. To be called on a foreign image before
/// layers are put on it, else its gaps would take over the new layers' entries.
void make_history_consistent(std::vector<Value>& history, std::size_t layer_count);

}  // namespace veneer::image
