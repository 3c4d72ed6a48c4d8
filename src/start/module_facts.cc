#include "start/module_facts.hh"

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"
#include "foundation/value.hh"

namespace veneer::start {

namespace {

constexpr std::string_view program =
#include <python_facts.inc>
    ;

std::size_t line_in(const Value& value) {
  const std::int64_t line = value.at("line").integer();
  return line < 0 ? 0 : static_cast<std::size_t>(line);
}

std::map<std::string, std::string> texts_in(const Value& table) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : table.table()) texts[key] = value.string();
  return texts;
}

std::set<std::string> set_in(const Value& value) {
  std::set<std::string> texts;
  for (const Value& item : value.array()) texts.insert(item.string());
  return texts;
}

ModuleFunction function_in(const Value& value) {
  ModuleFunction function;
  function.name = value.at("name").string();
  function.line = line_in(value);
  function.required = static_cast<std::size_t>(std::max<std::int64_t>(0, value.at("required").integer()));
  function.makes = value.at("makes").string();
  function.loops = value.at("loops").boolean();
  for (const Value& decorator : value.at("decorators").array()) {
    function.decorators.push_back(
        {decorator.at("call").string(), decorator.at("name").string(), texts_in(decorator.at("keywords"))});
  }
  return function;
}

ModuleCall call_in(const Value& value) {
  ModuleCall call;
  call.call = value.at("call").string();
  call.line = line_in(value);
  call.where = value.at("where").string();
  call.reached = value.at("reached").string();
  for (const Value& argument : value.at("arguments").array()) call.arguments.push_back(argument.string());
  call.keywords = texts_in(value.at("keywords"));
  return call;
}

ModuleFacts facts_in(const Value& value) {
  ModuleFacts facts;
  facts.path = value.at("path").string();
  facts.error = value.string_or("error", "");
  if (!facts.error.empty()) return facts;
  facts.imports = set_in(value.at("imports"));
  facts.names = texts_in(value.at("names"));
  for (const Value& object : value.at("objects").array()) {
    facts.objects.push_back({object.at("name").string(), line_in(object), object.at("call").string(),
                             object.at("is").string(), object.at("guarded").boolean(), set_in(object.at("keywords"))});
  }
  for (const Value& function : value.at("functions").array()) facts.functions.push_back(function_in(function));
  for (const Value& call : value.at("calls").array()) facts.calls.push_back(call_in(call));
  for (const auto& [from, to] : value.at("edges").table()) facts.edges[from] = set_in(to);
  facts.strings = texts_in(value.at("strings"));
  facts.variables = set_in(value.at("variables"));
  facts.guard = static_cast<std::size_t>(std::max<std::int64_t>(0, value.at("guard").integer()));
  facts.is_stub = value.at("stub").boolean();
  return facts;
}

}  // namespace

std::string_view python_facts_program() { return program; }

std::string_view ModuleCall::last() const {
  const std::string_view all = call;
  return all.substr(all.rfind('.') + 1);
}

const ModuleFunction* ModuleFacts::function(std::string_view name) const {
  const auto found =
      std::find_if(functions.begin(), functions.end(), [&](const auto& item) { return item.name == name; });
  return found == functions.end() ? nullptr : &*found;
}

const ModuleObject* ModuleFacts::object(std::string_view name) const {
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const auto& item) { return item.name == name; });
  return found == objects.end() ? nullptr : &*found;
}

bool ModuleFacts::imports_package(std::string_view package) const {
  return std::any_of(imports.begin(), imports.end(), [&](const std::string& name) {
    return name == package || (name.starts_with(package) && name[package.size()] == '.');
  });
}

std::vector<ModuleFacts> module_facts_from_text(std::string_view text) {
  std::vector<ModuleFacts> all;
  for (const std::string& line : split_words(text, "\n")) all.push_back(facts_in(parse_json(line)));
  return all;
}

}  // namespace veneer::start
