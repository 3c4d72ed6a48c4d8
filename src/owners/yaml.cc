#include "owners/yaml.hh"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <map>

#include "foundation/error.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t largest_text = 1 << 20;
constexpr int deepest = 32;
constexpr std::size_t most_nodes = 50000;

std::string text_of(const yaml_char_t* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

class Event {
 public:
  explicit Event(yaml_parser_t& parser) {
    if (yaml_parser_parse(&parser, &event_) == 0) {
      throw Error(ErrorKind::refused, fmt::format("line {}: {}", parser.problem_mark.line + 1,
                                                  parser.problem == nullptr ? "it is no YAML" : parser.problem));
    }
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }

  yaml_event_type_t type() const { return event_.type; }
  const yaml_event_t& operator*() const { return event_; }
  std::size_t line() const { return event_.start_mark.line + 1; }

 private:
  yaml_event_t event_{};
};

class YamlReader {
 public:
  explicit YamlReader(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw Error(ErrorKind::failed, "YAML cannot be read: out of memory");
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  ~YamlReader() { yaml_parser_delete(&parser_); }

  YamlNode document() {
    for (;;) {
      const Event event(parser_);
      if (event.type() == YAML_STREAM_END_EVENT) return null();
      if (event.type() != YAML_STREAM_START_EVENT && event.type() != YAML_DOCUMENT_START_EVENT) return node(event, 0);
    }
  }

 private:
  static YamlNode null() {
    YamlNode node;
    node.is_plain = true;
    return node;
  }

  YamlNode node(const Event& event, int depth) {
    if (depth > deepest) throw Error(ErrorKind::refused, fmt::format("line {}: nested too deeply", event.line()));
    count(1);
    YamlNode result;
    result.line = event.line();
    std::string anchor;
    switch (event.type()) {
      case YAML_SCALAR_EVENT: {
        const auto& scalar = (*event).data.scalar;
        anchor = text_of(scalar.anchor);
        result.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        result.is_plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
        break;
      }
      case YAML_SEQUENCE_START_EVENT:
        anchor = text_of((*event).data.sequence_start.anchor);
        result.kind = YamlNode::Kind::list;
        for (;;) {
          const Event next(parser_);
          if (next.type() == YAML_SEQUENCE_END_EVENT) break;
          result.items.push_back(node(next, depth + 1));
        }
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = text_of((*event).data.mapping_start.anchor);
        read_members(result, depth);
        break;
      case YAML_ALIAS_EVENT: return copied(text_of((*event).data.alias.anchor), event.line(), depth);
      default: throw Error(ErrorKind::refused, fmt::format("line {}: something is missing", event.line()));
    }
    if (!anchor.empty()) {
      count(size_of(result));
      anchors_[anchor] = result;
    }
    return result;
  }

  void read_members(YamlNode& table, int depth) {
    table.kind = YamlNode::Kind::table;
    std::vector<YamlNode> merged;
    for (;;) {
      const Event event(parser_);
      if (event.type() == YAML_MAPPING_END_EVENT) break;
      const YamlNode key = node(event, depth + 1);
      if (key.kind != YamlNode::Kind::scalar) {
        throw Error(ErrorKind::refused, fmt::format("line {}: the key is no text", key.line));
      }
      const Event next(parser_);
      YamlNode value = node(next, depth + 1);
      if (key.text == "<<" && key.is_plain) {
        merged.push_back(std::move(value));
      } else {
        table.keys.push_back(key.text);
        table.items.push_back(std::move(value));
      }
    }
    for (const YamlNode& other : merged) merge(table, other);
  }

  /// What stands in the table itself goes before what is merged into it.
  static void merge(YamlNode& table, const YamlNode& other) {
    for (std::size_t i = 0; i < other.items.size(); ++i) {
      if (other.kind == YamlNode::Kind::list) {
        merge(table, other.items[i]);
      } else if (table.find(other.keys[i]) == nullptr) {
        table.keys.push_back(other.keys[i]);
        table.items.push_back(other.items[i]);
      }
    }
  }

  YamlNode copied(const std::string& anchor, std::size_t line, int depth) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Error(ErrorKind::refused, fmt::format("line {}: *{} is not known", line, printable(anchor)));
    }
    count(size_of(found->second));
    if (depth + depth_of(found->second) > deepest) {
      throw Error(ErrorKind::refused, fmt::format("line {}: nested too deeply", line));
    }
    return found->second;
  }

  static std::size_t size_of(const YamlNode& node) {
    std::size_t size = 1;
    for (const YamlNode& item : node.items) size += size_of(item);
    return size + node.keys.size() + node.text.size() / 256;
  }

  static int depth_of(const YamlNode& node) {
    int depth = 0;
    for (const YamlNode& item : node.items) depth = std::max(depth, 1 + depth_of(item));
    return depth;
  }

  void count(std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > most_nodes) throw Error(ErrorKind::refused, "the YAML has too many nodes");
  }

  yaml_parser_t parser_{};
  std::map<std::string, YamlNode> anchors_;
  std::size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

YamlNode parse_yaml(std::string_view text) {
  if (text.size() > largest_text) throw Error(ErrorKind::refused, "the YAML has more than 1 MiB");
  return YamlReader(text).document();
}

}  // namespace veneer::owners
