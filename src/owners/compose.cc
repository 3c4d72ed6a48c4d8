#include "owners/compose.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "owners/expand.hh"
#include "owners/shell.hh"
#include "owners/yaml.hh"

namespace veneer::owners {

namespace {

/// Compose knows no quotes, and "$$" is a dollar. Nothing for what a variable without a default is part of.
std::optional<std::string> interpolated(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t dollar = std::min(text.find('$', at), text.size());
    result += text.substr(at, dollar - at);
    if (dollar == text.size()) return result;
    if (text.compare(dollar, 2, "$$") == 0) {
      result += '$';
      at = dollar + 2;
      continue;
    }
    const std::size_t end = text.compare(dollar, 2, "${") == 0 ? text.find('}', dollar) : std::string::npos;
    if (end == std::string::npos) return std::nullopt;
    try {
      const Expanded value = expand_word(std::string_view(text).substr(dollar, end + 1 - dollar), '\0',
                                         [](const std::string&) { return std::nullopt; });
      if (!value.unset.empty()) return std::nullopt;
      result += value.text;
    } catch (const Error&) {
      return std::nullopt;
    }
    at = end + 1;
  }
  return result;
}

const std::string& scalar(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlNode::Kind::scalar) {
    throw Error(ErrorKind::refused, fmt::format("line {}: {} is no text", node.line, what));
  }
  return node.text;
}

std::string text_member(const YamlNode& table, std::string_view key) {
  const YamlNode* member = table.find(key);
  if (member == nullptr || member->is_null()) return "";
  return interpolated(scalar(*member, key)).value_or("");
}

/// A text is split as a shell splits words; a list is taken as it is.
std::optional<Located<Invocation>> command_of(const YamlNode& service, std::string_view key, BuiltService& built) {
  const YamlNode* node = service.find(key);
  if (node == nullptr || node->is_null()) return std::nullopt;
  Located<Invocation> command{{}, node->line};
  const auto leave = [&](const std::string& why) -> std::optional<Located<Invocation>> {
    built.unread.push_back({fmt::format("{} of {}: {}", key, printable(built.name), why), node->line});
    return std::nullopt;
  };
  if (node->kind == YamlNode::Kind::list) {
    for (const YamlNode& item : node->items) {
      auto word = interpolated(scalar(item, key));
      if (!word) return leave("a variable of it has no default");
      command.value.words.push_back(std::move(*word));
    }
    return command;
  }
  const auto text = interpolated(scalar(*node, key));
  if (!text) return leave("a variable of it has no default");
  // No shell reads it, so what would be an operator is a word: only quotes and blanks matter.
  try {
    for (Expanded& word :
         expand_words(*text, '\\', [](const std::string& name) { return std::optional("$" + name); })) {
      command.value.words.push_back(std::move(word.text));
    }
  } catch (const Error& error) {
    return leave(error.message());
  }
  return command;
}

BuiltService read_service(const std::string& name, const YamlNode& service, const YamlNode& build) {
  BuiltService built;
  built.name = name;
  built.line = service.line;
  if (build.kind == YamlNode::Kind::table) {
    built.context = text_member(build, "context");
    built.dockerfile = text_member(build, "dockerfile");
    built.target = text_member(build, "target");
    if (built.context.empty()) built.context = ".";
  } else {
    built.context = interpolated(scalar(build, "build")).value_or("");
  }
  built.command = command_of(service, "command", built);
  built.entrypoint = command_of(service, "entrypoint", built);
  return built;
}

/// Nothing where a variable without a default is more than its tag.
std::optional<ServiceImage> image_of(const std::string& name, const YamlNode& service) {
  const YamlNode* image = service.find("image");
  if (image == nullptr || image->is_null()) return std::nullopt;
  const std::string& text = scalar(*image, "image");
  auto whole = interpolated(text);
  // What stands behind the first colon of the last part, outside of a variable, is the tag.
  std::size_t colon = std::string::npos;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && depth > 0) --depth;
    if (depth == 0 && text[i] == '/') colon = std::string::npos;
    if (depth == 0 && text[i] == ':' && colon == std::string::npos) colon = i;
  }
  if (!whole && colon != std::string::npos) whole = interpolated(text.substr(0, colon));
  if (!whole || whole->empty()) return std::nullopt;
  return ServiceImage{name, std::move(*whole), image->line};
}

}  // namespace

ComposeFile parse_compose(std::string_view text, std::string file) {
  return in_context([&] { return printable(file); },
                    [&] {
                      const YamlNode document = parse_yaml(text);
                      ComposeFile result{file, {}, {}};
                      const YamlNode* services = document.find("services");
                      if (services == nullptr) return result;
                      for (std::size_t i = 0; i < services->keys.size(); ++i) {
                        const YamlNode& service = services->items[i];
                        if (auto image = image_of(services->keys[i], service))
                          result.images.push_back(std::move(*image));
                        const YamlNode* build = service.find("build");
                        if (build != nullptr)
                          result.services.push_back(read_service(services->keys[i], service, *build));
                      }
                      return result;
                    });
}

}  // namespace veneer::owners
