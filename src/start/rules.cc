#include "start/rules.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/compose.hh"
#include "owners/procfile.hh"
#include "owners/shell.hh"
#include "python/name.hh"
#include "start/code.hh"
#include "start/groups.hh"
#include "start/modules.hh"

namespace veneer::start {

namespace {

using Words = std::vector<std::string>;

std::string place_of(const std::string& file, std::size_t line) { return fmt::format("{}:{}", printable(file), line); }

/// A Dockerfile by its name, wherever it lies.
bool is_dockerfile_name(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return (name.starts_with("Dockerfile") || name.starts_with("Containerfile") || name.ends_with(".Dockerfile") ||
          name.ends_with(".dockerfile")) &&
         !name.ends_with(".dockerignore") && !name.ends_with(".py") && !name.ends_with(".md") && !name.ends_with(".j2");
}

std::size_t rank_in(std::string_view name, std::initializer_list<std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<std::size_t>(found - names.begin());
}

bool host_is_open(const std::map<std::string, std::string>& keywords, const char* key = "host") {
  const auto host = keywords.find(key);
  return host != keywords.end() && !is_loopback(host->second) && host->second != "None";
}

class Rules {
 public:
  Rules(const Inputs& inputs, const std::vector<python::FileRule>& own_files)
      : inputs_(inputs), own_files_(own_files) {}

  Decision decide() {
    read_compose();
    read_dockerfile();
    make_places();
    choose();
    if (decision_.start) finish();
    return std::move(decision_);
  }

 private:
  void note(std::string text) { decision_.notes.push_back(std::move(text)); }

  // What the owners wrote.

  void read_compose() {
    for (const char* name : {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}) {
      const auto text = inputs_.read(name);
      if (!text) continue;
      compose_file_ = name;
      try {
        services_ = owners::services_of_this_folder(owners::parse_compose(*text, name));
      } catch (const Error& error) {
        note(fmt::format("{} is not read: {}", name, error.what()));
      }
      return;
    }
  }

  /// The service that counts; nullptr when none or several build here.
  const owners::BuiltService* service() const { return services_.size() == 1 ? services_.data() : nullptr; }

  std::string choose_dockerfile() {
    if (inputs_.project.dockerfile) return *inputs_.project.dockerfile;
    for (const char* name : {"Dockerfile", "Containerfile"}) {
      if (inputs_.read(name)) return name;
    }
    if (service() != nullptr && !service()->dockerfile.empty() && inputs_.read(service()->dockerfile))
      return service()->dockerfile;
    Words others;
    for (const std::string& file : inputs_.files) {
      if (is_dockerfile_name(file) && std::count(file.begin(), file.end(), '/') < 3) others.push_back(file);
    }
    if (others.size() == 1) return others[0];
    other_dockerfiles_ = std::move(others);
    return "";
  }

  void read_dockerfile() {
    const std::string name = choose_dockerfile();
    if (name.empty()) return;
    const auto text = inputs_.read(name);
    if (!text) {
      throw Error(ErrorKind::not_found, fmt::format("[tool.veneer] dockerfile: there is no {}", printable(name)));
    }
    decision_.dockerfile = name;
    try {
      const owners::Dockerfile file = owners::parse_dockerfile(*text, name);
      std::string target = service() == nullptr ? "" : service()->target;
      if (file.find(target) == nullptr) {
        note(fmt::format("{} has no stage {}, which {} names; its last stage counts", printable(name),
                         printable(target), compose_file_));
        target.clear();
      }
      facts_ = owners::evaluate(file, target);
      decision_.taken = taken_from(inputs_, file, target, own_files_);
    } catch (const Error& error) {
      note(fmt::format("{} is not read, so nothing of it counts: {}", printable(name), error.what()));
    }
  }

  void make_places() {
    const python::ImageOptions& image = inputs_.project.image;
    places_.workdir = decision_.taken.workdir.value_or(image.workdir);
    places_.environment = image.environment;
    for (const auto& [name, value] : decision_.taken.environment) places_.environment.emplace(name, value);
    places_.files = image.files;
    if (image.has_files) return;
    places_.files = decision_.taken.files.empty() ? at_workdir(own_files_, places_.workdir) : decision_.taken.files;
  }

  // The order of belief.

  void choose() {
    const python::ImageOptions& image = inputs_.project.image;
    if (!image.entrypoint.empty() || !image.cmd.empty()) {
      decision_.start = StartCommand{image.entrypoint, image.cmd, "[tool.veneer.image]", "pyproject.toml", "", {}};
      decision_.taken.start.reset();
      return;
    }
    if (by_procfile() || by_dockerfile() || by_compose()) return;
    code_ = std::make_unique<Code>(inputs_, places_);
    for (const ModuleFacts& module : code_->modules()) {
      if (!module.error.empty())
        note(fmt::format("{} is not read as Python: {}", printable(module.path), printable(module.error)));
    }
    if (!code_->is_readable()) {
      note("no Python of this machine or of the base could read the project's files, so its code shows nothing");
    }
    is_open_ = true;
    for (const auto rule :
         {&Rules::by_fastapi_table, &Rules::by_django, &Rules::by_scripts, &Rules::by_streamlit, &Rules::by_gradio,
          &Rules::by_own_loop, &Rules::by_application, &Rules::by_mcp, &Rules::by_name}) {
      if (!is_open_ || decision_.start) break;
      (this->*rule)();
    }
  }

  void take(Words cmd, std::string rule, std::string place, std::optional<std::uint16_t> port = {}) {
    decision_.start = StartCommand{{}, std::move(cmd), std::move(rule), std::move(place), "", port};
  }

  void offer(Words words, std::string why) {
    const auto is_same = [&](const Candidate& other) { return other.words == words; };
    if (std::any_of(decision_.candidates.begin(), decision_.candidates.end(), is_same)) return;
    decision_.candidates.push_back({std::move(words), std::move(why)});
  }

  /// Two of equal rank: the user must say.
  void stop() { is_open_ = false; }

  bool by_procfile() {
    const auto text = inputs_.read("Procfile");
    if (!text) return false;
    const std::vector<owners::Process> processes = owners::parse_procfile(*text);
    auto web =
        std::find_if(processes.begin(), processes.end(), [](const auto& process) { return process.kind == "web"; });
    if (web == processes.end() && processes.size() == 1 && processes[0].kind != "release") web = processes.begin();
    if (web == processes.end()) return false;
    const Judged judged = judge(inputs_, places_, {{}, web->command.value, {"/bin/sh", "-c"}});
    if (!judged.trouble.empty()) {
      note(fmt::format("{}: {} is not taken: {}", place_of("Procfile", web->command.line), web->kind, judged.trouble));
      return false;
    }
    take(judged.words, fmt::format("Procfile {}", web->kind), place_of("Procfile", web->command.line));
    decision_.start->script = judged.script;
    return true;
  }

  bool by_dockerfile() {
    if (!decision_.taken.start) return false;
    decision_.start = decision_.taken.start;
    if (service() != nullptr && service()->command &&
        service()->command->value.words != facts_->cmd.value_or(owners::Located<owners::Invocation>{}).value.words) {
      note(fmt::format("{}: the command of {} is another one, which is not taken: {}",
                       place_of(compose_file_, service()->command->line), printable(service()->name),
                       printable(owners::shell_line(service()->command->value.words), 200)));
    }
    return true;
  }

  bool by_compose() {
    for (const owners::BuiltService& built : services_) {
      for (const auto& unread : built.unread)
        note(fmt::format("{}: {}", place_of(compose_file_, unread.line), unread.value));
      if (services_.size() > 1 && built.command) {
        offer(
            built.command->value.words,
            fmt::format("{}: the command of {}", place_of(compose_file_, built.command->line), printable(built.name)));
      }
    }
    if (service() == nullptr || (!service()->command && !service()->entrypoint)) return false;
    std::vector<TakenItem> left;
    auto entrypoint = service()->entrypoint;
    if (!entrypoint && facts_) entrypoint = facts_->entrypoint;
    auto start = start_of(inputs_, places_, entrypoint, service()->command, compose_file_, left);
    for (const TakenItem& item : left) {
      note(fmt::format("{}: what {} runs is not taken: {}", item.place, printable(service()->name), item.why));
    }
    if (!start || start->words().empty()) return false;
    start->rule = "command of " + service()->name;
    decision_.start = std::move(start);
    return true;
  }

  // What the project's code shows.

  std::uint16_t port_or(std::uint16_t usual) const {
    Words ports = inputs_.project.image.expose;
    if (ports.empty()) ports = decision_.taken.expose;
    for (const std::string& port : ports) {
      if (port.ends_with("/udp")) continue;
      if (const auto number = read_number<std::uint16_t>(std::string_view(port).substr(0, port.find('/'))))
        return *number;
    }
    const auto variable = places_.environment.find("PORT");
    if (variable == places_.environment.end()) return usual;
    return read_number<std::uint16_t>(variable->second).value_or(usual);
  }

  static std::string server_advice(Interface interface) {
    return interface == Interface::asgi ? "the lock has no server for it (uv add uvicorn)"
                                        : "the lock has no server for it (uv add gunicorn)";
  }

  static std::uint16_t usual_port(Interface interface, const Words& words) {
    if (!words.empty() && words[0] == "flask") return 5000;
    if (!words.empty() && words[0] == "waitress-serve") return 8080;
    return interface == Interface::dash ? 8050 : 8000;
  }

  /// Served by what the lock has.
  std::optional<Words> served(const ModuleFacts& module, const std::string& object, bool is_factory,
                              Interface interface, std::uint16_t& port) const {
    auto words = code_->serve(module, object, is_factory, interface, 1);
    if (!words) return std::nullopt;
    port = port_or(usual_port(interface, *words));
    return code_->serve(module, object, is_factory, interface, port);
  }

  void take_file(const ModuleFacts& module, std::string rule, std::size_t line,
                 std::optional<std::uint16_t> port = {}) {
    auto [words, path] = code_->run_file(module);
    take(std::move(words), std::move(rule), place_of(module.path, std::max<std::size_t>(line, 1)), port);
    if (!path.empty()) decision_.environment["PYTHONPATH"] = path;
    program_ = &module;
    decision_.needs_files = code_->is_missing(module.path);
  }

  void by_fastapi_table() {
    const std::string& entry = inputs_.project.fastapi_entrypoint;
    const std::size_t colon = entry.find(':');
    if (entry.empty()) return;
    const ModuleFacts* module = code_->module(entry.substr(0, colon));
    if (module == nullptr)
      return note(
          fmt::format("[tool.fastapi] entrypoint names {}, which is no module of the project", printable(entry)));
    std::uint16_t port = 8000;
    const std::string object = colon == std::string::npos ? "app" : entry.substr(colon + 1);
    if (auto words = served(*module, object, false, Interface::asgi, port)) {
      take(std::move(*words), "[tool.fastapi] entrypoint", "pyproject.toml", port);
      decision_.needs_files = code_->is_missing(module->path);
    } else {
      note("[tool.fastapi] entrypoint: " + server_advice(Interface::asgi));
      stop();
    }
  }

  void by_django() {
    if (!code_->has("django")) return;
    const ModuleFacts* manage = nullptr;
    for (const ModuleFacts& module : code_->modules()) {
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
      for (const ModuleFacts& module : code_->modules()) {
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
      const ModuleFacts* module = file ? code_->file(*file) : nullptr;
      std::uint16_t port = 8000;
      const bool has_server =
          interface == Interface::asgi
              ? code_->has("uvicorn") || code_->has("daphne") || code_->has("granian") || code_->has("hypercorn")
              : code_->has("gunicorn") || code_->has("waitress") || code_->has("granian");
      if (module == nullptr || !has_server) return false;
      auto words = served(*module, name.substr(dot + 1), false, interface, port);
      if (!words) return false;
      take(std::move(*words), interface == Interface::wsgi ? "Django's WSGI_APPLICATION" : "Django's ASGI_APPLICATION",
           place_of(*file, 1), port);
      decision_.needs_files = code_->is_missing(*file);
      return true;
    };
    if (serve(wsgi, Interface::wsgi) || serve(asgi, Interface::asgi)) {
      if (!settings.empty() && !places_.environment.contains("DJANGO_SETTINGS_MODULE"))
        decision_.environment["DJANGO_SETTINGS_MODULE"] = settings;
      return;
    }
    offer({"python", code_->in_image(manage->path), "runserver", "0.0.0.0:8000"},
          fmt::format("{} is Django's, and {}", manage->path, server_advice(Interface::wsgi)));
    // A FastAPI application that has Django inside says more; a Django project that has no server does not.
    if (!std::any_of(code_->modules().begin(), code_->modules().end(),
                     [&](const ModuleFacts& module) { return module.imports_package("fastapi"); }))
      stop();
  }

  void by_scripts() {
    const python::Project& project = inputs_.project;
    if (!project.is_package || project.scripts.empty()) return;
    // Two names of one target are one script.
    std::map<std::string, std::string> unique;
    for (const std::string& name : project.scripts) {
      const auto target = project.script_targets.find(name);
      const std::string to = target == project.script_targets.end() ? name : target->second;
      const auto [known, is_new] = unique.emplace(to, name);
      if (!is_new && python::normalised_name(name) == project.name) known->second = name;
    }
    Words ranked;
    Words names;
    for (const auto& [target, name] : unique) names.push_back(name);
    if (names.size() == 1) {
      ranked = names;
    } else {
      for (const std::string& name : names) {
        if (python::normalised_name(name) == project.name) ranked.push_back(name);
      }
      std::vector<std::pair<std::size_t, std::string>> others;
      for (const std::string& name : names) {
        const std::size_t rank = rank_in(name, {"start", "serve", "server", "web", "app"});
        if (rank < 5) others.emplace_back(rank, name);
      }
      if (ranked.empty() && others.size() > 1) {
        for (const auto& [rank, name] : others) offer({name}, fmt::format("[project.scripts] {}", name));
        return stop();
      }
      for (const auto& [rank, name] : others) {
        if (std::find(ranked.begin(), ranked.end(), name) == ranked.end()) ranked.push_back(name);
      }
    }
    for (const std::string& name : ranked) {
      if (take_script(name)) return;
    }
    for (const std::string& name : names) offer({name}, fmt::format("[project.scripts] {}", printable(name)));
  }

  bool take_script(const std::string& name) {
    const auto target = inputs_.project.script_targets.find(name);
    const std::string to = target == inputs_.project.script_targets.end() ? "" : target->second;
    const ScriptFacts facts = script_facts(*code_, to);
    const std::string rule = "[project.scripts] " + name;
    if (facts.is_stub) {
      note(fmt::format("{}: {} only prints what `uv init` wrote", facts.place, printable(name)));
      return false;
    }
    if (!facts.runs) {
      note(fmt::format("{}: {} is no service: {}", facts.place.empty() ? "pyproject.toml" : facts.place,
                       printable(name), facts.why));
      return false;
    }
    if (!code_->is_readable()) {
      note(fmt::format("whether {} is a service is not known", printable(name)));
      return false;
    }
    Words words = {name};
    words.insert(words.end(), facts.words.begin(), facts.words.end());
    take({}, rule, facts.place.empty() ? "pyproject.toml" : facts.place);
    decision_.start->entrypoint = std::move(words);
    program_ = facts.module;
    return true;
  }

  bool is_direct(const char* name) const {
    const auto& direct = inputs_.project.dependencies;
    return code_->has(name) && std::find(direct.begin(), direct.end(), name) != direct.end();
  }

  void by_streamlit() {
    if (!is_direct("streamlit")) return;
    std::vector<const ModuleFacts*> pages;
    for (const ModuleFacts& module : code_->modules()) {
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
          return std::pair(Words{"streamlit", "run", code_->in_image(module.path), "--server.address", "0.0.0.0",
                                 "--server.port", std::to_string(port), "--server.headless", "true"},
                           port);
        },
        "streamlit", [](const ModuleFacts&) { return std::size_t{1}; });
  }

  static std::size_t line_of_call(const ModuleFacts& module, std::string_view last) {
    for (const ModuleCall& call : module.calls) {
      if (call.last() == last) return call.line;
    }
    return 1;
  }

  void by_gradio() {
    if (!is_direct("gradio")) return;
    std::vector<const ModuleFacts*> files;
    for (const ModuleFacts& module : code_->modules()) {
      const bool launches = std::any_of(module.calls.begin(), module.calls.end(), [](const ModuleCall& call) {
        return call.last() == "launch" && !call.reached.empty();
      });
      if (module.imports_package("gradio") && launches) files.push_back(&module);
    }
    const auto rank = [](const ModuleFacts& module) {
      return std::tuple(depth_of(module.path), rank_in(stem_of(module.path), {"app", "main"}));
    };
    choose_one(
        files, rank, [&](const ModuleFacts& module) { return std::pair(code_->run_file(module).first, port_or(7860)); },
        "gradio", [](const ModuleFacts& module) { return line_of_call(module, "launch"); });
    if (!decision_.start) return;
    if (const std::string path = code_->run_file(*program_).second; !path.empty())
      decision_.environment["PYTHONPATH"] = path;
    decision_.environment["GRADIO_SERVER_NAME"] = "0.0.0.0";
    decision_.environment["GRADIO_SERVER_PORT"] = std::to_string(*decision_.start->port);
  }

  /// The one of the least rank is taken; when two have it, all that have are offered and the rules end.
  template <typename Rank, typename Make, typename Line>
  void choose_one(const std::vector<const ModuleFacts*>& files, const Rank& rank, const Make& make,
                  const std::string& rule, const Line& line) {
    if (files.empty()) return;
    const auto best = *std::min_element(
        files.begin(), files.end(), [&](const auto* left, const auto* right) { return rank(*left) < rank(*right); });
    std::vector<const ModuleFacts*> equal;
    for (const ModuleFacts* file : files) {
      if (rank(*file) == rank(*best)) equal.push_back(file);
    }
    if (equal.size() > 1) {
      for (const ModuleFacts* file : equal)
        offer(make(*file).first, fmt::format("{}: {}", place_of(file->path, line(*file)), rule));
      return stop();
    }
    auto [words, port] = make(*best);
    take(std::move(words), rule, place_of(best->path, line(*best)), port);
    program_ = best;
    decision_.needs_files = code_->is_missing(best->path);
  }

  /// A call with which a program runs until it is told to end, and listens to the outside if it listens at all.
  const ModuleCall* own_loop(const ModuleFacts& module) const {
    for (const ModuleCall& call : module.calls) {
      if (call.reached.empty()) continue;
      const std::string_view last = call.last();
      if (last == "run_polling" || last == "start_polling" || last == "infinity_polling" || last == "polling" ||
          last == "run_until_disconnected" || last == "run_forever" || last == "serve_forever" ||
          last == "start_consuming" || last == "loop_forever" || last == "run_webhook")
        return &call;
      if (call.call == "aiohttp.web.run_app" || call.call == "nicegui.ui.run") {
        const auto host = call.keywords.find("host");
        if (host == call.keywords.end() || !is_loopback(host->second)) return &call;
      }
      if (call.call == "uvicorn.run" && host_is_open(call.keywords)) return &call;
      if (last != "run" && last != "start") continue;
      const std::string object = call.call.substr(0, call.call.find('.'));
      const std::string made = made_by(module, object);
      if (made.starts_with("discord.") || made.starts_with("pyrogram.") || made.starts_with("telethon.") ||
          made.starts_with("hikari.") || made.starts_with("interactions.") || made.starts_with("nextcord.") ||
          made.starts_with("disnake."))
        return &call;
      const auto interface = code_->interface_of(made);
      const bool has_better = interface == Interface::wsgi || interface == Interface::dash
                                  ? code_->has("gunicorn") || code_->has("waitress") || code_->has("granian")
                                  : false;
      if (interface && !has_better && host_is_open(call.keywords)) return &call;
    }
    return nullptr;
  }

  /// What an object of the module, or one that it imports, is made by.
  std::string made_by(const ModuleFacts& module, const std::string& name) const {
    if (const ModuleObject* object = module.object(name)) {
      if (module.function(object->call) == nullptr) return object->call;
      return module_name(module.path, "") + "." + object->call;
    }
    const auto other = module.names.find(name);
    if (other == module.names.end()) return "";
    const std::size_t dot = other->second.rfind('.');
    const ModuleFacts* from = dot == std::string::npos ? nullptr : code_->module(other->second.substr(0, dot));
    const ModuleObject* object = from == nullptr ? nullptr : from->object(other->second.substr(dot + 1));
    return object == nullptr ? "" : object->call;
  }

  void by_own_loop() {
    std::vector<const ModuleFacts*> files;
    for (const ModuleFacts& module : code_->modules()) {
      if (depth_of(module.path) == 0 && own_loop(module) != nullptr) files.push_back(&module);
    }
    const auto rank = [](const ModuleFacts& module) {
      return std::tuple(rank_in(stem_of(module.path), {"main", "app", "bot", "server", "run", "start", "__main__"}),
                        module.guard == 0);
    };
    choose_one(
        files, rank,
        [&](const ModuleFacts& module) { return std::pair(code_->run_file(module).first, port_of(*own_loop(module))); },
        "it runs its own loop", [&](const ModuleFacts& module) { return own_loop(module)->line; });
    if (decision_.start) {
      if (const std::string path = code_->run_file(*program_).second; !path.empty())
        decision_.environment["PYTHONPATH"] = path;
    }
  }

  static std::optional<std::uint16_t> port_of(const ModuleCall& call) {
    const auto port = call.keywords.find("port");
    if (port != call.keywords.end()) return read_number<std::uint16_t>(port->second);
    if (call.call == "uvicorn.run") return std::uint16_t{8000};
    if (call.call == "aiohttp.web.run_app" || call.call == "nicegui.ui.run") return std::uint16_t{8080};
    return std::nullopt;
  }

  struct Application {
    const ModuleFacts* module;
    std::string object;
    std::size_t line;
    bool is_factory;
    Interface interface;
  };

  std::vector<Application> applications() const {
    std::set<std::pair<const ModuleFacts*, std::string>> mounted;
    for (const ModuleFacts& module : code_->modules()) {
      for (const ModuleCall& call : module.calls) {
        if (call.last() != "mount" || call.arguments.size() < 2) continue;
        const std::string& name = call.arguments[1];
        const std::size_t dot = name.rfind('.');
        mounted.emplace(dot == std::string::npos ? &module : code_->module(name.substr(0, dot)),
                        name.substr(dot == std::string::npos ? 0 : dot + 1));
      }
    }
    std::vector<Application> objects;
    std::vector<Application> factories;
    for (const ModuleFacts& module : code_->modules()) {
      for (const ModuleObject& object : module.objects) {
        const auto interface =
            object.is_guarded || object.call.empty() ? std::nullopt : code_->interface_of(made_by(module, object.name));
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
        if (const auto interface = code_->interface_of(made))
          factories.push_back({&module, function.name, function.line, true, *interface});
      }
    }
    return objects.empty() ? factories : objects;
  }

  void by_application() {
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
      const std::string place = place_of(item.module->path, item.line);
      const std::string what =
          fmt::format("{} {}", item.is_factory ? "the factory" : "the application", printable(item.object));
      if (!words) {
        if (item.module->guard != 0)
          offer(code_->run_file(*item.module).first,
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
      decision_.needs_files = code_->is_missing(item.module->path);
    }
  }

  void by_mcp() {
    std::vector<const ModuleFacts*> files;
    const auto object_of = [](const ModuleFacts& module) -> const ModuleObject* {
      for (const ModuleObject& object : module.objects) {
        if (object.call == "fastmcp.FastMCP" || object.call == "mcp.server.fastmcp.FastMCP" ||
            object.call == "fastmcp.server.FastMCP")
          return &object;
      }
      return nullptr;
    };
    for (const ModuleFacts& module : code_->modules()) {
      const bool runs = std::any_of(module.calls.begin(), module.calls.end(), [](const ModuleCall& call) {
        return call.last() == "run" && !call.reached.empty();
      });
      if (object_of(module) != nullptr && runs) files.push_back(&module);
    }
    const auto rank = [](const ModuleFacts& module) {
      return std::tuple(depth_of(module.path), rank_in(stem_of(module.path), {"server", "main", "app"}));
    };
    choose_one(
        files, rank,
        [&](const ModuleFacts& module) {
          return std::pair(code_->run_file(module).first, std::optional<std::uint16_t>());
        },
        "FastMCP", [&](const ModuleFacts& module) { return object_of(module)->line; });
    if (decision_.start) {
      if (const std::string path = code_->run_file(*program_).second; !path.empty())
        decision_.environment["PYTHONPATH"] = path;
    }
  }

  /// A file of that name that does something when it is run.
  static bool is_program(const ModuleFacts& module) {
    if (module.is_stub) return false;
    const auto called = module.edges.find("module");
    return module.guard != 0 || stem_of(module.path) == "__main__" ||
           (called != module.edges.end() && !called->second.empty());
  }

  void by_name() {
    constexpr std::size_t names = 7;
    const auto rank = [](const ModuleFacts& module) {
      return rank_in(stem_of(module.path), {"main", "app", "bot", "server", "run", "start", "__main__"});
    };
    for (const std::size_t depth : {0, 1}) {
      std::vector<const ModuleFacts*> files;
      for (const ModuleFacts& module : code_->modules()) {
        if (rank(module) == names || depth_of(module.path) != depth) continue;
        if (module.is_stub) {
          note(fmt::format("{} is what `uv init` wrote, so it is not started", printable(module.path)));
        } else if (is_program(module)) {
          files.push_back(&module);
        }
      }
      const bool has_guard = std::any_of(files.begin(), files.end(), [](const auto* file) {
        return file->guard != 0 || stem_of(file->path) == "__main__";
      });
      if (has_guard)
        std::erase_if(files, [](const auto* file) { return file->guard == 0 && stem_of(file->path) != "__main__"; });
      // What another one imports is part of that.
      const std::vector<const ModuleFacts*> all = files;
      std::erase_if(files, [&](const ModuleFacts* file) {
        return std::any_of(all.begin(), all.end(), [&](const ModuleFacts* other) {
          return other != file && std::any_of(other->names.begin(), other->names.end(), [&](const auto& name) {
                   return code_->module(name.second) == file ||
                          (name.second.rfind('.') != std::string::npos &&
                           code_->module(name.second.substr(0, name.second.rfind('.'))) == file);
                 });
        });
      });
      // Of one folder, `python -m` of it says what is meant.
      if (files.size() > 1) {
        const auto main = std::find_if(files.begin(), files.end(),
                                       [](const auto* file) { return stem_of(file->path) == "__main__"; });
        if (main != files.end() && depth > 0 && std::all_of(files.begin(), files.end(), [&](const auto* file) {
              return folder_of(file->path) == folder_of((*main)->path);
            }))
          files = {*main};
      }
      if (files.empty()) continue;
      if (files.size() > 1) {
        for (const ModuleFacts* file : files)
          offer(code_->run_file(*file).first, fmt::format("{} can be run", printable(file->path)));
        return stop();
      }
      return take_file(*files[0], files[0]->guard != 0 ? "the file that runs" : "the file of that name",
                       files[0]->guard);
    }
    for (const ModuleFacts& module : code_->modules()) {
      if (module.guard != 0 && !module.is_stub && decision_.candidates.size() < 8) {
        offer(code_->run_file(module).first, fmt::format("{} can be run", place_of(module.path, module.guard)));
      }
    }
  }

  // What is said of the command that was chosen.

  void finish() {
    StartCommand& start = *decision_.start;
    const Words words = start.words();
    if (const std::string text = loopback_note(inputs_, words, places_); !text.empty())
      note(fmt::format("{}: {}", start.place, text));
    if (program_ != nullptr) {
      for (const ModuleCall& call : program_->calls) {
        const auto host = call.keywords.find("host");
        const bool is_server =
            call.call == "uvicorn.run" ||
            (call.last() == "run" && code_->interface_of(made_by(*program_, call.call.substr(0, call.call.find('.')))));
        if (call.reached.empty() && call.where != "main") continue;
        if (is_server && (host == call.keywords.end() || is_loopback(host->second))) {
          note(fmt::format("{}: {} listens on loopback, so nothing outside the container reaches it (host=\"0.0.0.0\")",
                           place_of(program_->path, call.line), call.call));
        }
      }
    }
    const bool asks_port = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      for (std::size_t at = word.find("PORT"); at != std::string::npos; at = word.find("PORT", at + 1)) {
        const bool is_plain = at > 0 && word[at - 1] == '$' &&
                              (at + 4 == word.size() || (!is_letter(word[at + 4]) && word[at + 4] != '_'));
        const bool is_braced =
            at > 1 && word.compare(at - 2, 2, "${") == 0 && at + 4 < word.size() && word[at + 4] == '}';
        if (is_plain || is_braced) return true;
      }
      return false;
    });
    if (asks_port && !places_.environment.contains("PORT")) {
      decision_.environment["PORT"] = std::to_string(port_or(8000));
      note(fmt::format("{}: the command asks for PORT, which is {} unless the container is given another", start.place,
                       decision_.environment["PORT"]));
    }
  }

  const Inputs& inputs_;
  const std::vector<python::FileRule>& own_files_;
  Decision decision_;
  std::string compose_file_;
  std::vector<owners::BuiltService> services_;
  std::optional<owners::StageFacts> facts_;
  Words other_dockerfiles_;
  Places places_;
  std::unique_ptr<Code> code_;
  const ModuleFacts* program_ = nullptr;
  bool is_open_ = false;
};

}  // namespace

std::string line_of(const std::vector<std::string>& words) {
  std::string line = "cmd = [";
  for (const std::string& word : words) {
    line += line.ends_with('[') ? "\"" : ", \"";
    for (const char c : word)
      line += c == '"' || c == '\\' ? std::string("\\") + c : c == '\n' ? std::string("\\n") : std::string(1, c);
    line += '"';
  }
  return line + "]";
}

Decision decide(const Inputs& inputs, const std::vector<python::FileRule>& own_files) {
  return Rules(inputs, own_files).decide();
}

}  // namespace veneer::start
