#include "app/open_image.hh"

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/platform.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace fs = std::filesystem;

fs::path project_store(const fs::path& folder) {
  for (fs::path place = folder;; place = place.parent_path()) {
    if (fs::exists(place / "pyproject.toml")) return place / ".veneer";
    if (place == place.root_path() || place.empty()) return folder / ".veneer";
  }
}

std::shared_ptr<registry::Registries> open_registries(const fs::path& folder, Surroundings& surroundings,
                                                      std::optional<std::chrono::seconds> patience) {
  registry::RegistriesOptions options;
  options.environment = [&surroundings](const std::string& name) { return surroundings.environment(name); };
  options.insecure = surroundings.insecure_registries();
  options.authority = surroundings.registry_authority();
  options.patience = patience;
  const auto settings = [folder] { return python::read_registry_settings(project_store(folder).parent_path()); };
  options.authorities = [settings] {
    std::map<std::string, fs::path> authorities;
    for (const auto& [name, registry] : settings()) {
      if (!registry.ca.empty()) authorities[name] = registry.ca;
    }
    return authorities;
  };
  options.note = [&surroundings](const std::string& text) { surroundings.messages().note(text); };
  options.rules = [settings] {
    registry::Rules rules;
    for (const auto& [name, registry] : settings()) {
      if (registry.mirrors.empty()) continue;
      registry::Rule& rule = rules.emplace_back();
      rule.prefix = name;
      for (const std::string& mirror : registry.mirrors) rule.mirrors.push_back(registry::read_location(mirror));
    }
    return rules;
  };
  return std::make_shared<registry::Registries>(std::move(options));
}

image::PlaceContext place_context(const fs::path& folder, Surroundings& surroundings) {
  image::PlaceContext context;
  context.store = project_store(folder);
  context.cache = surroundings.cache_folder();
  context.environment = [&surroundings](const std::string& name) { return surroundings.environment(name); };
  context.registries = open_registries(folder, surroundings);
  context.progress = [&surroundings](const std::string& text) { surroundings.messages().progress(text); };
  context.note = [&surroundings](const std::string& text) { surroundings.messages().note(text); };
  return context;
}

std::optional<OpenedImage> open_last(const fs::path& folder, image::PlaceContext context) {
  context.store = project_store(folder);
  const auto last = read_text_file_if_exists(context.store / "last", 4096);
  if (!last) return std::nullopt;
  return image::open_image({*last, nullptr, image::parse_reference(*last)}, context, {});
}

WantedImage parse_wanted_image(const std::string& text, const std::optional<std::string>& platform) {
  if (text.empty() && platform) throw Error(ErrorKind::usage, "--platform is for an image that is named");
  if (text.empty()) return std::nullopt;
  image::ImageName name = image::read_image_name(text);
  if (platform) name.platform = image::parse_platform(*platform);
  return name;
}

bool has_a_name(const WantedImage& wanted) { return !wanted || wanted->place == nullptr || wanted->place->reference(); }

OpenedImage open_image(const WantedImage& wanted, Surroundings& surroundings) {
  if (!wanted) {
    auto last = open_last(surroundings.current_folder(), place_context(surroundings.current_folder(), surroundings));
    if (!last) throw Error(ErrorKind::not_found, "nothing was built here yet", "run 'veneer build', or name an image");
    return std::move(*last);
  }
  OpenedImage opened = image::open_image(*wanted, place_context(surroundings.current_folder(), surroundings));
  surroundings.messages().clear_progress();
  return opened;
}

}  // namespace veneer::app
