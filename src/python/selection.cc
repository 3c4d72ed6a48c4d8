#include "python/selection.hh"

#include <algorithm>
#include <array>

namespace veneer::python {

void sort_by_name(std::vector<SelectedPackage>& packages) {
  std::sort(packages.begin(), packages.end(),
            [](const SelectedPackage& left, const SelectedPackage& right) { return left.name < right.name; });
}

std::string_view package_kind_name(PackageKind kind) {
  constexpr std::array<std::string_view, 6> names = {"wheel", "sdist", "archive", "tree", "git", "release"};
  return names[static_cast<std::size_t>(kind)];
}

Value selection_to_json(const Selection& selection) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Value() : Value(text); };
  Value::Array packages;
  for (const SelectedPackage& package : selection.packages) {
    Value one;
    one.set("name", package.name);
    one.set("version", text_or_null(package.version));
    one.set("kind", package.kind == PackageKind::release ? Value() : Value(package_kind_name(package.kind)));
    one.set("file", text_or_null(package.file));
    one.set("sha256", package.hash ? Value(package.hash->hex()) : Value());
    one.set("size", package.size ? Value(*package.size) : Value());
    packages.push_back(std::move(one));
  }
  Value::Array unusable;
  for (const std::string& name : selection.unusable) unusable.emplace_back(name);
  Value result;
  result.set("packages", std::move(packages));
  result.set("unusable", std::move(unusable));
  return result;
}

}  // namespace veneer::python
