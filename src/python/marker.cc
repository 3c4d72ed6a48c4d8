#include "python/marker.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "python/marker_reader.hh"
#include "python/name.hh"
#include "python/specifier.hh"
#include "python/target.hh"

namespace veneer::python {

namespace {

struct Spelling {
  std::string_view name;
  MarkerVariable variable;
};
// The first spelling of each is the one of PEP 508.
constexpr std::array spellings = {
    Spelling{"os_name", MarkerVariable::os_name},
    Spelling{"sys_platform", MarkerVariable::sys_platform},
    Spelling{"platform_machine", MarkerVariable::platform_machine},
    Spelling{"platform_python_implementation", MarkerVariable::platform_python_implementation},
    Spelling{"platform_release", MarkerVariable::platform_release},
    Spelling{"platform_system", MarkerVariable::platform_system},
    Spelling{"platform_version", MarkerVariable::platform_version},
    Spelling{"python_version", MarkerVariable::python_version},
    Spelling{"python_full_version", MarkerVariable::python_full_version},
    Spelling{"implementation_name", MarkerVariable::implementation_name},
    Spelling{"implementation_version", MarkerVariable::implementation_version},
    Spelling{"extra", MarkerVariable::extra},
    Spelling{"extras", MarkerVariable::extras},
    Spelling{"dependency_groups", MarkerVariable::dependency_groups},
    Spelling{"os.name", MarkerVariable::os_name},
    Spelling{"sys.platform", MarkerVariable::sys_platform},
    Spelling{"platform.version", MarkerVariable::platform_version},
    Spelling{"platform.machine", MarkerVariable::platform_machine},
    Spelling{"platform.python_implementation", MarkerVariable::platform_python_implementation},
    Spelling{"python_implementation", MarkerVariable::platform_python_implementation},
};

bool holds_version(MarkerVariable variable) {
  return variable == MarkerVariable::implementation_version || variable == MarkerVariable::platform_release ||
         variable == MarkerVariable::python_full_version || variable == MarkerVariable::python_version;
}

Truth truth(bool value) { return value ? Truth::yes : Truth::no; }

}  // namespace

std::string_view marker_variable_name(MarkerVariable variable) {
  return spellings[static_cast<std::size_t>(variable)].name;
}

std::optional<MarkerVariable> find_marker_variable(std::string_view name) {
  for (const Spelling& spelling : spellings) {
    if (spelling.name == name) return spelling.variable;
  }
  return std::nullopt;
}

MarkerEnvironment environment_of(const Target& target) {
  MarkerEnvironment environment;
  environment[MarkerVariable::os_name] = "posix";
  environment[MarkerVariable::sys_platform] = "linux";
  environment[MarkerVariable::platform_machine] = target.machine;
  environment[MarkerVariable::platform_python_implementation] = "CPython";
  environment[MarkerVariable::platform_system] = "Linux";
  environment[MarkerVariable::python_version] = fmt::format("{}.{}", target.major, target.minor);
  environment[MarkerVariable::python_full_version] = target.full_version;
  environment[MarkerVariable::implementation_name] = "cpython";
  environment[MarkerVariable::implementation_version] = target.full_version;
  return environment;
}

Marker Marker::parse(std::string_view text) { return Marker(read_marker(text)); }

namespace {

bool compare_texts(std::string_view left, const std::string& comparison, std::string_view right) {
  if (comparison == "==" || comparison == "<=" || comparison == ">=" || comparison == "===") return left == right;
  if (comparison == "!=") return left != right;
  if (comparison == "in") return right.find(left) != std::string_view::npos;
  if (comparison == "not in") return right.find(left) == std::string_view::npos;
  return false;
}

/// A comparison with one of the variables that are sets of names.
Truth compare_names(const MarkerNode& node, const MarkerEnvironment& environment) {
  const MarkerOperand& set =
      node.left.variable && *node.left.variable >= MarkerVariable::extra ? node.left : node.right;
  const MarkerOperand& other = &set == &node.left ? node.right : node.left;
  const auto& names = *set.variable == MarkerVariable::dependency_groups ? environment.groups : environment.extras;
  const bool found = names.contains(normalised_name(other.text));
  return truth(node.comparison == "!=" || node.comparison == "not in" ? !found : found);
}

Truth compare(const MarkerNode& node, const MarkerEnvironment& environment) {
  for (const MarkerOperand* operand : {&node.left, &node.right}) {
    if (operand->variable && *operand->variable >= MarkerVariable::extra) return compare_names(node, environment);
  }
  const auto value = [&](const MarkerOperand& operand) -> std::optional<std::string> {
    if (!operand.variable) return operand.text;
    std::optional<std::string> found = environment[*operand.variable];
    // A Python built from its repository calls itself "3.12.0+".
    if (found && *operand.variable == MarkerVariable::python_full_version && found->ends_with('+')) *found += "local";
    return found;
  };
  const auto left = value(node.left);
  const auto right = value(node.right);
  if (!left || !right) return Truth::unknown;
  const auto variable = node.left.variable ? node.left.variable : node.right.variable;
  if (variable && holds_version(*variable)) {
    if (node.specifier) return truth(node.specifier->matches(std::string_view(*left)));
    if (!node.left.variable || node.right.variable) {
      if (const auto specifier = Specifier::parse(node.comparison + *right)) {
        return truth(specifier->matches(std::string_view(*left)));
      }
    }
  }
  return truth(compare_texts(*left, node.comparison, *right));
}

Truth evaluate_node(const MarkerNode& node, const MarkerEnvironment& environment) {
  if (node.kind == MarkerNode::Kind::comparison) return compare(node, environment);
  // Kleene's three-valued logic: "and" is decided by the first no, "or" by the first yes.
  const Truth decisive = node.kind == MarkerNode::Kind::all ? Truth::no : Truth::yes;
  Truth result = node.kind == MarkerNode::Kind::all ? Truth::yes : Truth::no;
  for (const auto& part : node.parts) {
    const Truth one = evaluate_node(*part, environment);
    if (one == decisive) return decisive;
    if (one == Truth::unknown) result = Truth::unknown;
  }
  return result;
}

std::string operand_text(const MarkerOperand& operand) {
  if (operand.variable) return std::string(marker_variable_name(*operand.variable));
  const char quote = operand.text.find('"') == std::string::npos ? '"' : '\'';
  return quote + operand.text + quote;
}

std::string node_text(const MarkerNode& node) {
  if (node.kind == MarkerNode::Kind::comparison) {
    return operand_text(node.left) + " " + node.comparison + " " + operand_text(node.right);
  }
  std::string result;
  for (const auto& part : node.parts) {
    const bool needs_parentheses = node.kind == MarkerNode::Kind::all && part->kind == MarkerNode::Kind::any;
    if (!result.empty()) result += node.kind == MarkerNode::Kind::all ? " and " : " or ";
    result += needs_parentheses ? "(" + node_text(*part) + ")" : node_text(*part);
  }
  return result;
}

void collect(const MarkerNode& node, MarkerVariable variable, std::vector<std::string>& texts) {
  if (node.left.variable == variable && !node.right.variable) texts.push_back(node.right.text);
  if (node.right.variable == variable && !node.left.variable) texts.push_back(node.left.text);
  for (const auto& part : node.parts) collect(*part, variable, texts);
}

}  // namespace

Truth Marker::evaluate(const MarkerEnvironment& environment) const {
  return root_ ? evaluate_node(*root_, environment) : Truth::yes;
}

std::string Marker::text() const { return root_ ? node_text(*root_) : std::string(); }

std::vector<std::string> Marker::texts_compared_with(MarkerVariable variable) const {
  std::vector<std::string> texts;
  if (root_) collect(*root_, variable, texts);
  return texts;
}

}  // namespace veneer::python
