#include "start/code.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/text.hh"
#include "start/modules.hh"

namespace veneer::start {

namespace {

constexpr std::size_t most_files = 1500;

bool counts(const std::string& path) {
  if (!path.ends_with(".py")) return false;
  constexpr std::array<std::string_view, 18> others = {
      "tests",         "test",       "testing", "docs", "doc",          "examples",
      "example",       "migrations", "alembic", "venv", "node_modules", "benchmarks",
      "site-packages", "notebooks",  "build",   "dist", "__pycache__",  "e2e"};
  const std::vector<std::string> parts = split_words(path, "/");
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].starts_with('.') || std::find(others.begin(), others.end(), parts[i]) != others.end()) return false;
  }
  const std::string& name = parts.back();
  return !name.starts_with("test_") && !name.ends_with("_test.py") && name != "conftest.py" && name != "setup.py" &&
         name != "noxfile.py" && name != "tasks.py";
}

struct Framework {
  std::string_view call;
  Interface interface;
};

constexpr std::array frameworks = {
    Framework{"fastapi.FastAPI", Interface::asgi},
    Framework{"fastapi.applications.FastAPI", Interface::asgi},
    Framework{"starlette.applications.Starlette", Interface::asgi},
    Framework{"quart.Quart", Interface::asgi},
    Framework{"litestar.Litestar", Interface::asgi},
    Framework{"litestar.app.Litestar", Interface::asgi},
    Framework{"blacksheep.Application", Interface::asgi},
    Framework{"falcon.asgi.App", Interface::asgi},
    Framework{"socketio.ASGIApp", Interface::asgi},
    Framework{"faststream.asgi.AsgiFastStream", Interface::asgi},
    Framework{"connexion.AsyncApp", Interface::asgi},
    Framework{"django.core.asgi.get_asgi_application", Interface::asgi},
    Framework{"flask.Flask", Interface::wsgi},
    Framework{"flask.app.Flask", Interface::wsgi},
    Framework{"apiflask.APIFlask", Interface::wsgi},
    Framework{"falcon.App", Interface::wsgi},
    Framework{"bottle.Bottle", Interface::wsgi},
    Framework{"django.core.wsgi.get_wsgi_application", Interface::wsgi},
    Framework{"sanic.Sanic", Interface::sanic},
    Framework{"dash.Dash", Interface::dash},
};

}  // namespace

std::size_t depth_of(std::string_view path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) - (path.starts_with("src/") ? 1 : 0);
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

std::string stem_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

bool is_loopback(std::string_view host) { return host == "127.0.0.1" || host == "localhost" || host == "::1"; }

Code::Code(const Inputs& inputs, const Places& places) : inputs_(inputs), places_(places) {
  std::vector<std::string> paths;
  for (const std::string& path : inputs.files) {
    // A file that will not be in the image is no program of it; of a package all can be brought.
    const bool is_fixed = inputs.project.image.has_files || !inputs.project.is_package;
    if (counts(path) && !(is_fixed && is_missing(path))) paths.push_back(path);
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const std::string& left, const std::string& right) { return depth_of(left) < depth_of(right); });
  if (paths.size() > most_files) paths.resize(most_files);
  if (paths.empty()) return;
  auto parsed = inputs.parse(paths);
  is_readable_ = parsed.has_value();
  if (!parsed) return;
  modules_ = std::move(*parsed);
  std::stable_sort(modules_.begin(), modules_.end(), [](const ModuleFacts& left, const ModuleFacts& right) {
    return std::pair(depth_of(left.path), left.path) < std::pair(depth_of(right.path), right.path);
  });
}

const ModuleFacts* Code::file(std::string_view path) const {
  const auto found =
      std::find_if(modules_.begin(), modules_.end(), [&](const ModuleFacts& item) { return item.path == path; });
  return found == modules_.end() ? nullptr : &*found;
}

const ModuleFacts* Code::module(std::string_view name) const {
  std::string path(name);
  std::replace(path.begin(), path.end(), '.', '/');
  for (const std::string& end : {path + ".py", path + "/__init__.py"}) {
    for (const ModuleFacts& item : modules_) {
      if (item.path == end || item.path.ends_with("/" + end)) return &item;
    }
  }
  return nullptr;
}

std::string Code::root_of(const ModuleFacts& module) const {
  // All folders above it; what imports of the project are found below each.
  std::vector<std::string> roots;
  for (std::string folder = folder_of(module.path);; folder = folder_of(folder)) {
    roots.push_back(folder);
    if (folder.empty()) break;
  }
  std::string usual = folder_of(module.path);
  while (!usual.empty() && inputs_.has_file(usual + "/__init__.py")) usual = folder_of(usual);
  std::string best = usual;
  std::size_t most = 0;
  for (const std::string& root : roots) {
    std::size_t count = 0;
    for (const ModuleFacts& other : modules_) {
      if (folder_of(other.path) != folder_of(module.path)) continue;
      for (const std::string& name : other.imports) {
        const auto found = find_module(inputs_, {root}, name);
        if (found && *found != module.path && found->ends_with(".py")) count += &other == &module ? 3 : 1;
      }
    }
    if (count > most || (count == most && count > 0 && root == usual)) {
      most = count;
      best = root;
    }
  }
  return best;
}

std::string Code::in_image(const std::string& path) const {
  std::string found;
  for (const python::FileRule& rule : places_.files) {
    if (rule.from == "." || path == rule.from || path.starts_with(rule.from + "/")) {
      const std::string rest =
          rule.from == "." ? (path.empty() || path == "." ? "" : "/" + path) : path.substr(rule.from.size());
      found = (rule.to == "/" && !rest.empty() ? "" : rule.to) + rest;
    }
  }
  if (found.empty() && (path.empty() || path == ".")) return ".";
  if (found.empty()) return path;
  if (found == places_.workdir) return ".";
  const std::string above = places_.workdir == "/" ? "/" : places_.workdir + "/";
  return found.starts_with(above) ? found.substr(above.size()) : found;
}

std::pair<std::string, std::string> Code::module_in_image(const ModuleFacts& module, const std::string& root) const {
  const std::string there = in_image(module.path);
  std::string below = root.empty() ? module.path : module.path.substr(root.size() + 1);
  const bool is_copied = there != module.path;
  for (;;) {
    if (there == below) return {".", module_name(below, "")};
    if (there.ends_with("/" + below)) return {there.substr(0, there.size() - below.size() - 1), module_name(below, "")};
    const std::size_t slash = below.find('/');
    if (!is_copied || slash == std::string::npos) return {in_image(root), module_name(module.path, root)};
    below.erase(0, slash + 1);
  }
}

bool Code::is_missing(const std::string& path) const {
  std::string own = inputs_.project.name;
  std::replace(own.begin(), own.end(), '-', '_');
  if (inputs_.project.is_package && (path.starts_with("src/") || path.starts_with(own + "/"))) return false;
  return std::none_of(places_.files.begin(), places_.files.end(), [&](const python::FileRule& rule) {
    return rule.from == "." || path == rule.from || path.starts_with(rule.from + "/");
  });
}

std::pair<std::vector<std::string>, std::string> Code::run_file(const ModuleFacts& module) const {
  const std::string root = root_of(module);
  const bool is_installed = inputs_.project.is_package && !module.path.starts_with("src/")
                                ? !is_missing(module.path) && depth_of(module.path) > 0
                                : inputs_.project.is_package;
  if (root == folder_of(module.path) && !(is_installed && !root.empty() && root != "src"))
    return {{"python", in_image(module.path)}, ""};
  auto [start, name] = module_in_image(module, root);
  if (is_installed) name = module_name(module.path, root);
  if (name.ends_with(".__main__")) name.resize(name.size() - 9);
  std::string path;
  if (!is_installed && start != ".")
    path = start.starts_with('/') ? start : (places_.workdir == "/" ? "" : places_.workdir) + "/" + start;
  return {{"python", "-m", name}, path};
}

std::pair<std::string, std::string> Code::importable(const ModuleFacts& module) const {
  const std::string root = root_of(module);
  const bool is_installed = inputs_.project.is_package && !is_missing(module.path);
  return is_installed ? std::pair<std::string, std::string>(".", module_name(module.path, root))
                      : module_in_image(module, root);
}

std::optional<std::vector<std::string>> Code::serve(const ModuleFacts& module, const std::string& object,
                                                    bool is_factory, Interface interface, std::uint16_t port) const {
  const auto [folder, name] = importable(module);
  const bool is_elsewhere = folder != ".";
  const std::string target = name + ":" + object;
  const std::string called = is_factory ? target + "()" : target;
  const std::string number = std::to_string(port);
  std::vector<std::string> words;
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (interface == Interface::sanic) {
    words = {"sanic", target, "--host", "0.0.0.0", "--port", number};
    if (is_factory) words.emplace_back("--factory");
    return words;
  }
  if (interface == Interface::asgi) {
    if (has("uvicorn")) {
      words = {"uvicorn", target};
      if (is_factory) add({"--factory"});
      if (is_elsewhere) add({"--app-dir", folder});
      add({"--host", "0.0.0.0", "--port", number});
    } else if (has("granian")) {
      words = {"granian", "--interface", "asgi", target};
      if (is_factory) add({"--factory"});
      if (is_elsewhere) add({"--working-dir", folder});
      add({"--host", "0.0.0.0", "--port", number});
    } else if (has("hypercorn") && !is_elsewhere) {
      words = {"hypercorn", called, "--bind", "0.0.0.0:" + number};
    } else if (has("daphne") && !is_elsewhere && !is_factory) {
      words = {"daphne", "-b", "0.0.0.0", "-p", number, target};
    }
  } else {
    std::string served = called;
    if (interface == Interface::dash) {
      const auto made = std::find_if(module.objects.begin(), module.objects.end(),
                                     [&](const ModuleObject& item) { return item.is == object + ".server"; });
      served = name + ":" + (made != module.objects.end() ? made->name : object + ".server");
    }
    if (has("gunicorn")) {
      words = {"gunicorn", served, "--bind", "0.0.0.0:" + number};
      if (is_elsewhere) add({"--chdir", folder});
    } else if (has("waitress") && !is_elsewhere &&
               (interface != Interface::dash || served.find(".server") == std::string::npos)) {
      words = {"waitress-serve", "--listen=0.0.0.0:" + number};
      if (is_factory) add({"--call"});
      add({interface == Interface::dash ? served : target});
    } else if (has("granian") && interface == Interface::wsgi) {
      words = {"granian", "--interface", "wsgi", target};
      if (is_factory) add({"--factory"});
      if (is_elsewhere) add({"--working-dir", folder});
      add({"--host", "0.0.0.0", "--port", number});
    } else if (interface == Interface::wsgi && has("flask")) {
      const std::string place = is_elsewhere ? folder + "/" + name : name;  // flask takes a path of a module, too
      words = {"flask",  "--app", place + ":" + called.substr(name.size() + 1), "run", "--host", "0.0.0.0",
               "--port", number};
    }
  }
  if (words.empty()) return std::nullopt;
  return words;
}

std::optional<Interface> Code::interface_of(const std::string& call, int depth) const {
  const auto known =
      std::find_if(frameworks.begin(), frameworks.end(), [&](const Framework& item) { return item.call == call; });
  if (known != frameworks.end()) return known->interface;
  const std::size_t dot = call.rfind('.');
  if (depth > 3 || dot == std::string::npos) return std::nullopt;
  const ModuleFacts* from = module(call.substr(0, dot));
  if (from == nullptr) return std::nullopt;
  const std::string name = call.substr(dot + 1);
  if (const ModuleFunction* function = from->function(name)) {
    // A function of that module goes by its bare name there.
    if (from->function(function->makes) != nullptr)
      return interface_of(call.substr(0, dot + 1) + function->makes, depth + 1);
    return interface_of(function->makes, depth + 1);
  }
  if (const auto other = from->names.find(name); other != from->names.end())
    return interface_of(other->second, depth + 1);
  return std::nullopt;
}

}  // namespace veneer::start
