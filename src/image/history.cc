#include "image/history.hh"

#include <algorithm>

namespace veneer::image {

namespace {

bool has_layer(const Value& entry) { return !entry.boolean_or("empty_layer", false); }

std::size_t count_layers(const std::vector<Value>& history) {
  return static_cast<std::size_t>(std::count_if(history.begin(), history.end(), has_layer));
}

std::string text_of(const Value& entry, std::string_view key) {
  const Value* value = entry.find(key);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

}  // namespace

bool history_fits(const std::vector<Value>& history, std::size_t layer_count) {
  return count_layers(history) == layer_count;
}

std::vector<LayerHistory> history_of_layers(const std::vector<Value>& history, std::size_t layer_count) {
  std::vector<LayerHistory> layers;
  const bool is_certain = history_fits(history, layer_count);
  for (const Value& entry : history) {
    if (!has_layer(entry)) continue;
    if (layers.size() == layer_count) break;
    layers.push_back({text_of(entry, "created_by"), text_of(entry, "comment"), is_certain});
  }
  layers.resize(layer_count);
  return layers;
}

void make_history_consistent(std::vector<Value>& history, std::size_t layer_count) {
  std::size_t count = count_layers(history);
  for (; count < layer_count; ++count) {
    Value entry{Value::Table{}};
    entry.set("comment", "the history did not tell of this layer");
    history.push_back(std::move(entry));
  }
  for (auto entry = history.rbegin(); entry != history.rend() && count > layer_count; ++entry) {
    if (!has_layer(*entry)) continue;
    entry->set("empty_layer", true);
    --count;
  }
}

}  // namespace veneer::image
