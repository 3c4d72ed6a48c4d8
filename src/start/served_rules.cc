#include "start/code_rules.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"

#include "start/modules.hh"

namespace veneer::start {

using Words = std::vector<std::string>;

std::string CodeRules::server_advice(Interface interface) {
  return interface == Interface::asgi ? "the lock has no server for it (uv add uvicorn)"
                                      : "the lock has no server for it (uv add gunicorn)";
}

std::uint16_t CodeRules::usual_port(Interface interface, const Words& words) {
  if (!words.empty() && words[0] == "flask") return 5000;
  if (!words.empty() && words[0] == "waitress-serve") return 8080;
  return interface == Interface::dash ? 8050 : 8000;
}

std::optional<Words> CodeRules::served(const ModuleFacts& module, const std::string& object, bool is_factory,
                                       Interface interface, std::uint16_t& port) const {
  auto words = code_.serve(module, object, is_factory, interface, 1);
  if (!words) return std::nullopt;
  port = port_or(usual_port(interface, *words));
  return code_.serve(module, object, is_factory, interface, port);
}

void CodeRules::by_fastapi_table() {
  const std::string& entry = inputs_.project.fastapi_entrypoint;
  const std::size_t colon = entry.find(':');
  if (entry.empty()) return;
  const ModuleFacts* module = code_.module(entry.substr(0, colon));
  if (module == nullptr)
    return note(fmt::format("[tool.fastapi] entrypoint names {}, which is no module of the project", printable(entry)));
  std::uint16_t port = 8000;
  const std::string object = colon == std::string::npos ? "app" : entry.substr(colon + 1);
  if (auto words = served(*module, object, false, Interface::asgi, port)) {
    take(std::move(*words), "[tool.fastapi] entrypoint", "pyproject.toml", port);
    decision_.needs_files = code_.is_missing(module->path);
  } else {
    note("[tool.fastapi] entrypoint: " + server_advice(Interface::asgi));
    stop();
  }
}

void CodeRules::by_django() {
  if (!code_.has("django")) return;
  const ModuleFacts* manage = nullptr;
  for (const ModuleFacts& module : code_.modules()) {
    if (stem_of(module.path) == "manage" && (manage == nullptr || depth_of(module.path) < depth_of(manage->path)))
      manage = &module;
  }
  if (manage == nullptr) return;
  const auto& direct = inputs_.project.dependencies;
  if (manage->path != "manage.py" && std::find(direct.begin(), direct.end(), "django") == direct.end()) return;
  const std::string folder = folder_of(manage->path);
  std::string settings;
  for (const ModuleCall& call : manage->calls) {
    if (call.last() == "setdefault" && call.arguments.size() > 1 && call.arguments[0] == "DJANGO_SETTINGS_MODULE")
      settings = call.arguments[1];
  }
  const std::string package = settings.substr(0, settings.rfind(".settings"));
  const auto application = [&](const char* key, const char* file) -> std::string {
    for (const ModuleFacts& module : code_.modules()) {
      const auto found = module.strings.find(key);
      if (found == module.strings.end()) continue;
      const std::string name = module_name(module.path, folder);
      if (module.path.starts_with(folder) &&
          (name == settings || name.starts_with(settings.substr(0, settings.rfind('.')))))
        return found->second;
    }
    const std::string name = package + "." + file;
    return !package.empty() && find_module(inputs_, {folder}, name) ? name + ".application" : "";
  };
  const std::string wsgi = application("WSGI_APPLICATION", "wsgi");
  const std::string asgi = application("ASGI_APPLICATION", "asgi");
  const auto serve = [&](const std::string& name, Interface interface) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) return false;
    const auto file = find_module(inputs_, {folder}, name.substr(0, dot));
    const ModuleFacts* module = file ? code_.file(*file) : nullptr;
    std::uint16_t port = 8000;
    const bool has_server =
        interface == Interface::asgi
            ? code_.has("uvicorn") || code_.has("daphne") || code_.has("granian") || code_.has("hypercorn")
            : code_.has("gunicorn") || code_.has("waitress") || code_.has("granian");
    if (module == nullptr || !has_server) return false;
    auto words = served(*module, name.substr(dot + 1), false, interface, port);
    if (!words) return false;
    take(std::move(*words), interface == Interface::wsgi ? "Django's WSGI_APPLICATION" : "Django's ASGI_APPLICATION",
         place_in(*file, 1), port);
    decision_.needs_files = code_.is_missing(*file);
    // What it says itself may be other settings than those that are for development.
    const auto text = inputs_.read(*file);
    const bool says_settings = text && text->find("DJANGO_SETTINGS_MODULE") != std::string::npos;
    if (!settings.empty() && !says_settings && !places_.environment.contains("DJANGO_SETTINGS_MODULE"))
      decision_.environment["DJANGO_SETTINGS_MODULE"] = settings;
    return true;
  };
  if (serve(wsgi, Interface::wsgi) || serve(asgi, Interface::asgi)) return;
  offer({"python", code_.in_image(manage->path), "runserver", "0.0.0.0:8000"},
        fmt::format("{} is Django's, and {}", manage->path, server_advice(Interface::wsgi)));
  // A FastAPI application that has Django inside says more; a Django project that has no server does not.
  if (!std::any_of(code_.modules().begin(), code_.modules().end(),
                   [&](const ModuleFacts& module) { return module.imports_package("fastapi"); }))
    stop();
}

bool CodeRules::is_direct(const char* name) const {
  const auto& direct = inputs_.project.dependencies;
  return code_.has(name) && std::find(direct.begin(), direct.end(), name) != direct.end();
}

void CodeRules::by_streamlit() {
  if (!is_direct("streamlit")) return;
  std::vector<const ModuleFacts*> pages;
  for (const ModuleFacts& module : code_.modules()) {
    const std::string folder = folder_of(module.path);
    if (module.imports.contains("streamlit") && folder != "pages" && !folder.ends_with("/pages"))
      pages.push_back(&module);
  }
  const auto rank = [](const ModuleFacts& module) {
    const bool sets = std::any_of(module.calls.begin(), module.calls.end(),
                                  [](const ModuleCall& call) { return call.last() == "set_page_config"; });
    return std::tuple(!sets, depth_of(module.path),
                      rank_in(stem_of(module.path), {"main", "app", "streamlit_app", "Home"}));
  };
  choose_one(
      pages, rank,
      [&](const ModuleFacts& module) {
        const std::uint16_t port = port_or(8501);
        return std::pair(Words{"streamlit", "run", code_.in_image(module.path), "--server.address", "0.0.0.0",
                               "--server.port", std::to_string(port), "--server.headless", "true"},
                         port);
      },
      "streamlit", [](const ModuleFacts&) { return std::size_t{1}; });
}

std::size_t CodeRules::line_of_call(const ModuleFacts& module, std::string_view last) {
  for (const ModuleCall& call : module.calls) {
    if (call.last() == last) return call.line;
  }
  return 1;
}

void CodeRules::by_gradio() {
  if (!is_direct("gradio")) return;
  std::vector<const ModuleFacts*> files;
  for (const ModuleFacts& module : code_.modules()) {
    const bool launches = std::any_of(module.calls.begin(), module.calls.end(), [](const ModuleCall& call) {
      return call.last() == "launch" && !call.reached.empty();
    });
    if (module.imports_package("gradio") && launches) files.push_back(&module);
  }
  const auto rank = [](const ModuleFacts& module) {
    return std::tuple(depth_of(module.path), rank_in(stem_of(module.path), {"app", "main"}));
  };
  choose_one(
      files, rank, [&](const ModuleFacts& module) { return std::pair(code_.run_file(module).first, port_or(7860)); },
      "gradio", [](const ModuleFacts& module) { return line_of_call(module, "launch"); });
  if (!decision_.start) return;
  set_path();
  decision_.environment["GRADIO_SERVER_NAME"] = "0.0.0.0";
  decision_.environment["GRADIO_SERVER_PORT"] = std::to_string(*decision_.start->port);
}

std::vector<CodeRules::Application> CodeRules::applications() const {
  std::set<std::pair<const ModuleFacts*, std::string>> mounted;
  for (const ModuleFacts& module : code_.modules()) {
    for (const ModuleCall& call : module.calls) {
      if (call.last() != "mount" || call.arguments.size() < 2) continue;
      const std::string& name = call.arguments[1];
      const std::size_t dot = name.rfind('.');
      mounted.emplace(dot == std::string::npos ? &module : code_.module(name.substr(0, dot)),
                      name.substr(dot == std::string::npos ? 0 : dot + 1));
    }
  }
  std::vector<Application> objects;
  std::vector<Application> factories;
  for (const ModuleFacts& module : code_.modules()) {
    for (const ModuleObject& object : module.objects) {
      const auto interface =
          object.is_guarded || object.call.empty() ? std::nullopt : code_.interface_of(made_by(module, object.name));
      // A dash application in a server of the project's own is part of that.
      if (!interface || mounted.contains({&module, object.name}) ||
          (*interface == Interface::dash && object.keywords.contains("server")))
        continue;
      objects.push_back({&module, object.name, object.line, false, *interface});
    }
    for (const ModuleFunction& function : module.functions) {
      if (function.required > 0 || !function.decorators.empty() || function.makes.empty()) continue;
      const std::string made = module.function(function.makes) == nullptr
                                   ? function.makes
                                   : module_name(module.path, "") + "." + function.makes;
      if (const auto interface = code_.interface_of(made))
        factories.push_back({&module, function.name, function.line, true, *interface});
    }
  }
  return objects.empty() ? factories : objects;
}

void CodeRules::by_application() {
  const std::vector<Application> all = applications();
  if (all.empty()) return;
  const auto rank = [](const Application& item) {
    return std::tuple(depth_of(item.module->path),
                      rank_in(stem_of(item.module->path), {"main", "app", "server", "asgi", "wsgi", "api"}),
                      rank_in(item.object, {"app", "application", "api", "create_app", "get_app", "make_app"}));
  };
  const Application& best = *std::min_element(
      all.begin(), all.end(), [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
  std::vector<Application> equal;
  for (const Application& item : all) {
    if (rank(item) == rank(best)) equal.push_back(item);
  }
  for (const Application& item : equal) {
    std::uint16_t port = 8000;
    auto words = served(*item.module, item.object, item.is_factory, item.interface, port);
    const std::string place = place_in(item.module->path, item.line);
    const std::string what =
        fmt::format("{} {}", item.is_factory ? "the factory" : "the application", printable(item.object));
    if (!words) {
      if (item.module->guard != 0)
        offer(code_.run_file(*item.module).first,
              fmt::format("{}: {}; {}", place, what, server_advice(item.interface)));
      else
        note(fmt::format("{}: {}; {}", place, what, server_advice(item.interface)));
      stop();
      continue;
    }
    if (equal.size() > 1) {
      offer(std::move(*words), fmt::format("{}: {}", place, what));
      stop();
      continue;
    }
    if (words->front() == "flask")
      note("flask's own server is for development; a server for production: uv add gunicorn");
    take(std::move(*words), what, place, port);
    decision_.needs_files = code_.is_missing(item.module->path);
  }
}

/// What reads messages of a broker: its own program runs it, which comes with the extra `cli`, as typer does.
void CodeRules::by_faststream() {
  const auto object_of = [](const ModuleFacts& module) -> const ModuleObject* {
    for (const ModuleObject& object : module.objects) {
      if ((object.call == "faststream.FastStream" || object.call == "faststream.app.FastStream") && !object.is_guarded)
        return &object;
    }
    return nullptr;
  };
  std::vector<const ModuleFacts*> files;
  for (const ModuleFacts& module : code_.modules()) {
    if (object_of(module) != nullptr) files.push_back(&module);
  }
  const auto rank = [](const ModuleFacts& module) {
    return std::tuple(depth_of(module.path), rank_in(stem_of(module.path), {"main", "app", "worker", "serve"}));
  };
  choose_one(
      files, rank,
      [&](const ModuleFacts& module) {
        auto [folder, name] = code_.importable(module);
        Words words = {"faststream", "run", name + ":" + object_of(module)->name};
        if (folder != ".") words.insert(words.end(), {"--app-dir", folder});
        return std::pair(std::move(words), std::optional<std::uint16_t>());
      },
      "FastStream", [&](const ModuleFacts& module) { return object_of(module)->line; });
  if (!decision_.start || code_.has("typer")) return;
  offer(decision_.start->cmd, "the lock has FastStream without its program (uv add 'faststream[cli]')");
  decision_.start.reset();
  stop();
}

}  // namespace veneer::start
