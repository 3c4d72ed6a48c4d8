#include "start/code_rules.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"

#include "foundation/text.hh"
#include "python/name.hh"
#include "start/groups.hh"
#include "start/modules.hh"

namespace veneer::start {

namespace {

using Words = std::vector<std::string>;

bool host_is_open(const std::map<std::string, std::string>& keywords, const char* key = "host") {
  const auto host = keywords.find(key);
  return host != keywords.end() && !is_loopback(host->second) && host->second != "None";
}

}  // namespace

void CodeRules::run() {
  for (const ModuleFacts& module : code_.modules()) {
    if (!module.error.empty()) {
      note(fmt::format("{} is not read as Python: {}", printable(module.path), printable(module.error)));
    }
  }
  if (!code_.is_readable()) {
    note("no Python of this machine or of the base could read the project's files, so its code shows nothing");
  }
  for (const auto rule :
       {&CodeRules::by_fastapi_table, &CodeRules::by_django, &CodeRules::by_scripts, &CodeRules::by_streamlit,
        &CodeRules::by_gradio, &CodeRules::by_own_loop, &CodeRules::by_application, &CodeRules::by_faststream,
        &CodeRules::by_mcp, &CodeRules::by_name}) {
    if (!is_open_ || decision_.start) break;
    (this->*rule)();
  }
}

void CodeRules::take(Words cmd, std::string rule, std::string place, std::optional<std::uint16_t> port) {
  decision_.start = StartCommand{{}, std::move(cmd), std::move(rule), std::move(place), "", port};
}

void CodeRules::offer(Words words, std::string why) {
  const auto is_same = [&](const Candidate& other) { return other.words == words; };
  if (std::any_of(decision_.candidates.begin(), decision_.candidates.end(), is_same)) return;
  decision_.candidates.push_back({std::move(words), std::move(why)});
}

void CodeRules::set_path() {
  if (!decision_.start) return;
  if (const std::string path = code_.run_file(*program_).second; !path.empty())
    decision_.environment["PYTHONPATH"] = path;
}

void CodeRules::take_file(const ModuleFacts& module, std::string rule, std::size_t line,
                          std::optional<std::uint16_t> port) {
  auto [words, path] = code_.run_file(module);
  take(std::move(words), std::move(rule), place_in(module.path, std::max<std::size_t>(line, 1)), port);
  if (!path.empty()) decision_.environment["PYTHONPATH"] = path;
  program_ = &module;
  decision_.needs_files = code_.is_missing(module.path);
}

void CodeRules::by_scripts() {
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

bool CodeRules::take_script(const std::string& name) {
  const auto target = inputs_.project.script_targets.find(name);
  const std::string to = target == inputs_.project.script_targets.end() ? "" : target->second;
  const ScriptFacts facts = script_facts(code_, to);
  const std::string rule = "[project.scripts] " + name;
  if (facts.is_stub) {
    note(fmt::format("{}: {} only prints what `uv init` wrote", facts.place, printable(name)));
    return false;
  }
  if (!facts.runs) {
    note(fmt::format("{}: {} is no service: {}", facts.place.empty() ? "pyproject.toml" : facts.place, printable(name),
                     facts.why));
    return false;
  }
  if (!code_.is_readable()) {
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

const ModuleCall* CodeRules::own_loop(const ModuleFacts& module) const {
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
    const auto interface = code_.interface_of(made);
    const bool has_better = interface == Interface::wsgi || interface == Interface::dash
                                ? code_.has("gunicorn") || code_.has("waitress") || code_.has("granian")
                                : false;
    if (interface && !has_better && host_is_open(call.keywords)) return &call;
  }
  return nullptr;
}

std::string CodeRules::made_by(const ModuleFacts& module, const std::string& name) const {
  if (const ModuleObject* object = module.object(name)) {
    if (module.function(object->call) == nullptr) return object->call;
    return module_name(module.path, "") + "." + object->call;
  }
  const auto other = module.names.find(name);
  if (other == module.names.end()) return "";
  const std::size_t dot = other->second.rfind('.');
  const ModuleFacts* from = dot == std::string::npos ? nullptr : code_.module(other->second.substr(0, dot));
  const ModuleObject* object = from == nullptr ? nullptr : from->object(other->second.substr(dot + 1));
  return object == nullptr ? "" : object->call;
}

void CodeRules::by_own_loop() {
  std::vector<const ModuleFacts*> files;
  for (const ModuleFacts& module : code_.modules()) {
    if (depth_of(module.path) == 0 && own_loop(module) != nullptr) files.push_back(&module);
  }
  const auto rank = [](const ModuleFacts& module) {
    return std::tuple(rank_in(stem_of(module.path), {"main", "app", "bot", "server", "run", "start", "__main__"}),
                      module.guard == 0);
  };
  choose_one(
      files, rank,
      [&](const ModuleFacts& module) { return std::pair(code_.run_file(module).first, port_of(*own_loop(module))); },
      "it runs its own loop", [&](const ModuleFacts& module) { return own_loop(module)->line; });
  set_path();
}

std::optional<std::uint16_t> CodeRules::port_of(const ModuleCall& call) {
  const auto port = call.keywords.find("port");
  if (port != call.keywords.end()) return read_number<std::uint16_t>(port->second);
  if (call.call == "uvicorn.run") return std::uint16_t{8000};
  if (call.call == "aiohttp.web.run_app" || call.call == "nicegui.ui.run") return std::uint16_t{8080};
  return std::nullopt;
}

void CodeRules::by_mcp() {
  std::vector<const ModuleFacts*> files;
  const auto object_of = [](const ModuleFacts& module) -> const ModuleObject* {
    for (const ModuleObject& object : module.objects) {
      if (object.call == "fastmcp.FastMCP" || object.call == "mcp.server.fastmcp.FastMCP" ||
          object.call == "fastmcp.server.FastMCP")
        return &object;
    }
    return nullptr;
  };
  for (const ModuleFacts& module : code_.modules()) {
    const bool runs = std::any_of(module.calls.begin(), module.calls.end(),
                                  [](const ModuleCall& call) { return call.last() == "run" && !call.reached.empty(); });
    if (object_of(module) != nullptr && runs) files.push_back(&module);
  }
  const auto rank = [](const ModuleFacts& module) {
    return std::tuple(depth_of(module.path), rank_in(stem_of(module.path), {"server", "main", "app"}));
  };
  choose_one(
      files, rank,
      [&](const ModuleFacts& module) {
        return std::pair(code_.run_file(module).first, std::optional<std::uint16_t>());
      },
      "FastMCP", [&](const ModuleFacts& module) { return object_of(module)->line; });
  set_path();
}

bool CodeRules::is_program(const ModuleFacts& module) {
  if (module.is_stub) return false;
  if (module.guard != 0 || stem_of(module.path) == "__main__") return true;
  const auto called = module.edges.find("module");
  if (called == module.edges.end()) return false;
  // Making an object, or registering a function by a decorator, is no more than a definition.
  std::set<std::string> defining;
  for (const ModuleObject& object : module.objects) defining.insert(object.call);
  for (const ModuleFunction& function : module.functions) {
    for (const Decorator& decorator : function.decorators) defining.insert(decorator.call);
  }
  return std::any_of(called->second.begin(), called->second.end(),
                     [&](const std::string& name) { return !defining.contains(name); });
}

void CodeRules::by_name() {
  constexpr std::size_t names = 7;
  const auto rank = [](const ModuleFacts& module) {
    return rank_in(stem_of(module.path), {"main", "app", "bot", "server", "run", "start", "__main__"});
  };
  for (const std::size_t depth : {0, 1}) {
    std::vector<const ModuleFacts*> files;
    for (const ModuleFacts& module : code_.modules()) {
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
                 return code_.module(name.second) == file ||
                        (name.second.rfind('.') != std::string::npos &&
                         code_.module(name.second.substr(0, name.second.rfind('.'))) == file);
               });
      });
    });
    // Of one folder, `python -m` of it says what is meant.
    if (files.size() > 1) {
      const auto main =
          std::find_if(files.begin(), files.end(), [](const auto* file) { return stem_of(file->path) == "__main__"; });
      if (main != files.end() && depth > 0 && std::all_of(files.begin(), files.end(), [&](const auto* file) {
            return folder_of(file->path) == folder_of((*main)->path);
          }))
        files = {*main};
    }
    // One that wants words of its caller is no service.
    std::map<const ModuleFacts*, Words> words_of;
    std::erase_if(files, [&](const ModuleFacts* file) {
      const ScriptFacts facts = program_facts(code_, *file);
      words_of[file] = facts.words;
      if (facts.runs) return false;
      note(fmt::format("{}: {} is no service: {}", facts.place, printable(file->path), facts.why));
      offer(code_.run_file(*file).first, fmt::format("{}, with the words that it wants", printable(file->path)));
      return true;
    });
    if (files.empty()) continue;
    if (files.size() > 1) {
      for (const ModuleFacts* file : files)
        offer(code_.run_file(*file).first, fmt::format("{} can be run", printable(file->path)));
      return stop();
    }
    take_file(*files[0], files[0]->guard != 0 ? "the file that runs" : "the file of that name", files[0]->guard);
    const Words& more = words_of[files[0]];
    decision_.start->cmd.insert(decision_.start->cmd.end(), more.begin(), more.end());
    return;
  }
  for (const ModuleFacts& module : code_.modules()) {
    if (module.guard != 0 && !module.is_stub && decision_.candidates.size() < 8) {
      offer(code_.run_file(module).first, fmt::format("{} can be run", place_in(module.path, module.guard)));
    }
  }
}

void CodeRules::note_loopback() const {
  if (program_ != nullptr) {
    for (const ModuleCall& call : program_->calls) {
      const auto host = call.keywords.find("host");
      const bool is_server =
          call.call == "uvicorn.run" ||
          (call.last() == "run" && code_.interface_of(made_by(*program_, call.call.substr(0, call.call.find('.')))));
      if (call.reached.empty() && call.where != "main") continue;
      if (is_server && (host == call.keywords.end() || is_loopback(host->second))) {
        note(fmt::format("{}: {} listens on loopback, so nothing outside the container reaches it (host=\"0.0.0.0\")",
                         place_in(program_->path, call.line), call.call));
      }
    }
  }
}

}  // namespace veneer::start
