// Environment markers (PEP 508, the dependency specifiers of packaging.python.org; PEP 751's extras and
// dependency_groups). Values, pure, thread-safe.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

enum class MarkerVariable {
  os_name,
  sys_platform,
  platform_machine,
  platform_python_implementation,
  platform_release,
  platform_system,
  platform_version,
  python_version,
  python_full_version,
  implementation_name,
  implementation_version,
  extra,
  extras,
  dependency_groups,
};
inline constexpr std::size_t marker_text_variables = 11;  // those above that hold one text; the last three are sets

/// The name as PEP 508 writes it.
std::string_view marker_variable_name(MarkerVariable variable);
/// By its name or one of its old spellings ("os.name", "python_implementation").
std::optional<MarkerVariable> find_marker_variable(std::string_view name);

struct MarkerEnvironment {
  /// By variable; nothing where the value is not known.
  std::array<std::optional<std::string>, marker_text_variables> values;
  std::set<std::string, std::less<>> extras;  // normalised; what `extra == "x"` and `"x" in extras` look in
  std::set<std::string, std::less<>> groups;  // normalised

  std::optional<std::string>& operator[](MarkerVariable variable) { return values[static_cast<std::size_t>(variable)]; }
  const std::optional<std::string>& operator[](MarkerVariable variable) const {
    return values[static_cast<std::size_t>(variable)];
  }
};

struct Target;

/// What markers see of `target`. platform_release and platform_version have no value: they tell of the host's kernel,
/// which is not known before the container runs.
MarkerEnvironment environment_of(const Target& target);

/// What a marker says of an environment of which not everything is known.
enum class Truth { no, yes, unknown };

struct MarkerNode;

class Marker {
 public:
  /// The marker that always holds.
  Marker() = default;
  /// Throws Error (refused) that names `text` and what is wrong with it.
  static Marker parse(std::string_view text);

  /// Version variables compare as versions when the other side is a version specifier's, everything else as text, for
  /// which "<" and ">" never hold. unknown only when the answer hangs on a variable without a value.
  Truth evaluate(const MarkerEnvironment& environment) const;
  /// The same without superfluous parentheses and spaces; empty when it always holds.
  std::string text() const;
  /// Every text that is compared with `variable`.
  std::vector<std::string> texts_compared_with(MarkerVariable variable) const;

 private:
  explicit Marker(std::shared_ptr<const MarkerNode> root) : root_(std::move(root)) {}

  std::shared_ptr<const MarkerNode> root_;  // null: always
};

}  // namespace veneer::python
