#include "base/ingredients.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::base {

namespace {

constexpr std::size_t most_ingredients = 10000;
constexpr std::size_t fingerprint_digits = 16;

void add(Ingredients& ingredients, std::string what, std::string value) {
  if (!value.empty()) ingredients.emplace(std::move(what), std::move(value));
}

}  // namespace

std::string fingerprint(const Ingredients& ingredients) {
  return sha256("veneer base 1\n" + write_ingredients(ingredients)).hex().substr(0, fingerprint_digits);
}

Ingredients ingredients_of(const LockedBase& base, const std::vector<std::string>& asked) {
  Ingredients all;
  add(all, "base", base.name);
  add(all, "platform", base.platform);
  add(all, "snapshot", base.snapshot);
  if (base.image.manifest || base.image.config) {
    add(all, "image", base.image.manifest ? base.image.manifest->text() : base.image.config->text());
  }
  if (base.interpreter) {
    add(all, "Python", fmt::format("{} of uv's, {}", base.interpreter->version, base.interpreter->archive.hex()));
  } else {
    add(all, "Python", base.target.python);
  }
  add(all, "C library", base.target.libc);
  add(all, "packages", fmt::format("{}", fmt::join(asked, " ")));
  for (const LockedPackage& package : base.packages) {
    add(all, fmt::format("package {}:{}", package.name, package.architecture), package.version);
  }
  return all;
}

std::string IngredientChange::text() const {
  if (from.empty()) return fmt::format("{} {} is new", what, to);
  if (to.empty()) return fmt::format("{} {} is gone", what, from);
  return fmt::format("{} {} -> {}", what, from, to);
}

std::vector<IngredientChange> changes(const Ingredients& before, const Ingredients& now) {
  Ingredients names = before;
  names.insert(now.begin(), now.end());
  const auto value = [](const Ingredients& of, const std::string& name) {
    const auto found = of.find(name);
    return found == of.end() ? std::string() : found->second;
  };
  std::vector<IngredientChange> all;
  for (const auto& [name, unused] : names) {
    IngredientChange change{name, value(before, name), value(now, name)};
    if (change.from != change.to) all.push_back(std::move(change));
  }
  return all;
}

std::string write_ingredients(const Ingredients& ingredients) {
  Value table{Value::Table{}};
  for (const auto& [name, value] : ingredients) table.set(name, value);
  return to_json(table);
}

Ingredients read_ingredients(std::string_view text) {
  const Value document = parse_json(text);
  if (document.table().size() > most_ingredients) {
    throw Error(ErrorKind::refused, fmt::format("{} ingredients are too many", document.table().size()));
  }
  Ingredients ingredients;
  for (const auto& [name, value] : document.table()) add(ingredients, name, value.string());
  return ingredients;
}

}  // namespace veneer::base
