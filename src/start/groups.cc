#include "start/groups.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace veneer::start {

namespace {

constexpr std::array<std::string_view, 5> serving = {"serve", "server", "run", "start", "web"};

struct NamedCommand {
  std::string name;
  bool wants_words = false;
};

/// A function's name as click and typer make a command's of it.
std::string command_name(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool is_true(const std::map<std::string, std::string>& keywords, const char* key) {
  const auto found = keywords.find(key);
  return found != keywords.end() && found->second == "True";
}

bool wants_words(const ModuleFunction& function, bool is_typer) {
  for (const Decorator& decorator : function.decorators) {
    const std::string_view last = std::string_view(decorator.call).substr(decorator.call.rfind('.') + 1);
    if (last == "argument" && !decorator.keywords.contains("default") &&
        !(decorator.keywords.contains("required") && decorator.keywords.at("required") == "False") &&
        !(decorator.keywords.contains("nargs") && decorator.keywords.at("nargs") == "-1"))
      return true;
    if (last == "option" && is_true(decorator.keywords, "required")) return true;
  }
  return is_typer && function.required > 0;
}

class Finder {
 public:
  Finder(const Code& code, const ModuleFacts& module) : code_(code), module_(&module) {}

  ScriptFacts find(std::string name) {
    ScriptFacts facts;
    follow(name);
    facts.module = module_;
    const std::string first = name.substr(0, name.find('.'));
    if (const ModuleObject* object = module_->object(first)) {
      facts.place = fmt::format("{}:{}", module_->path, object->line);
      if (is_typer(object->call)) return group(first, true, facts);
      if (object->call.ends_with("Group") && object->call.starts_with("click")) return group(first, false, facts);
      return facts;
    }
    const ModuleFunction* function = module_->function(first);
    if (function == nullptr) return facts;
    facts.place = fmt::format("{}:{}", module_->path, function->line);
    facts.is_stub = module_->is_stub;
    return of_function(*function, facts, 0);
  }

  ScriptFacts program() {
    ScriptFacts facts;
    facts.module = module_;
    facts.place = fmt::format("{}:{}", module_->path, std::max<std::size_t>(module_->guard, 1));
    return of_start(module_->guard == 0 ? "module" : "guard", facts, 0);
  }

 private:
  static bool is_typer(const std::string& call) {
    return call == "typer.Typer" || call == "cyclopts.App" || call == "typer.main.Typer";
  }

  /// To where the name is defined.
  void follow(std::string& name) {
    for (int i = 0; i < 5; ++i) {
      const std::string first = name.substr(0, name.find('.'));
      if (module_->function(first) != nullptr || module_->object(first) != nullptr) return;
      const auto other = module_->names.find(first);
      if (other == module_->names.end()) return;
      const std::size_t dot = other->second.rfind('.');
      const ModuleFacts* next = dot == std::string::npos ? nullptr : code_.module(other->second.substr(0, dot));
      if (next == nullptr) return;
      name = other->second.substr(dot + 1);
      module_ = next;
    }
  }

  ScriptFacts of_function(const ModuleFunction& function, const ScriptFacts& facts, int depth) {
    for (const Decorator& decorator : function.decorators) {
      const std::string_view last = std::string_view(decorator.call).substr(decorator.call.rfind('.') + 1);
      if (last == "group")
        return group(function.name, false, facts, is_true(decorator.keywords, "invoke_without_command"));
    }
    if (wants_words(function, false)) return refused(facts, "it wants arguments");
    return of_start(function.name, facts, depth);
  }

  /// What begins with the function, or with "guard" or "module" of the file.
  ScriptFacts of_start(const std::string& start, const ScriptFacts& facts, int depth) {
    const std::set<std::string> reached = functions_from(start);
    // A function that only calls a group, or typer.run(main).
    for (const std::string& from : reached) {
      for (const std::string& name : edges_of(from)) {
        if (name == start || depth > 3) continue;
        Finder other(code_, *module_);
        std::string called = name;
        other.resolve(called);
        const std::string bare = called.substr(called.rfind('.') + 1);
        const ModuleObject* object = other.module_->object(bare);
        const ModuleFunction* group_function = other.module_->function(bare);
        const bool is_group =
            (object != nullptr && is_typer(object->call)) ||
            (group_function != nullptr && std::any_of(group_function->decorators.begin(),
                                                      group_function->decorators.end(), [](const Decorator& decorator) {
                                                        return decorator.call.ends_with(".group") ||
                                                               decorator.call.ends_with(".command");
                                                      }));
        if (is_group) return other.find(bare);
      }
    }
    return of_parser(reached, facts);
  }

  void resolve(std::string& called) {
    const std::size_t dot = called.rfind('.');
    if (dot == std::string::npos) return follow(called);
    if (const ModuleFacts* other = code_.module(called.substr(0, dot))) {
      module_ = other;
      called = called.substr(dot + 1);
      follow(called);
    }
  }

  std::set<std::string> edges_of(const std::string& function) const {
    const auto found = module_->edges.find(function);
    return found == module_->edges.end() ? std::set<std::string>() : found->second;
  }

  std::set<std::string> functions_from(const std::string& start) const {
    std::set<std::string> reached = {start};
    std::vector<std::string> waiting = {start};
    while (!waiting.empty()) {
      const std::string from = waiting.back();
      waiting.pop_back();
      for (const std::string& to : edges_of(from)) {
        if (module_->edges.contains(to) && reached.insert(to).second) waiting.push_back(to);
      }
    }
    return reached;
  }

  static ScriptFacts refused(ScriptFacts facts, std::string why) {
    facts.runs = false;
    facts.why = std::move(why);
    return facts;
  }

  ScriptFacts of_parser(const std::set<std::string>& functions, ScriptFacts facts) {
    // The parser may be made by a function of another module.
    std::vector<const ModuleCall*> calls;
    const auto add = [&](const ModuleFacts& module, const std::set<std::string>& where) {
      for (const ModuleCall& call : module.calls) {
        if (where.contains(call.where)) calls.push_back(&call);
      }
    };
    add(*module_, functions);
    for (const std::string& from : functions) {
      for (const std::string& name : edges_of(from)) {
        const std::size_t dot = name.rfind('.');
        const ModuleFacts* other = dot == std::string::npos ? nullptr : code_.module(name.substr(0, dot));
        if (other != nullptr && other != module_) add(*other, {name.substr(dot + 1)});
      }
    }
    bool has_commands = false;
    bool is_required = false;
    bool prints_help = false;
    std::vector<NamedCommand> commands;
    bool wants = false;
    for (const ModuleCall* call : calls) {
      const std::string_view last = call->last();
      if (last == "Fire") return refused(facts, "what it does depends on its arguments (fire)");
      if (last == "print_help") prints_help = true;
      if (last == "add_subparsers") {
        has_commands = true;
        is_required = is_required || is_true(call->keywords, "required");
      }
      if (last == "add_parser" && !call->arguments.empty()) commands.push_back({call->arguments[0], false});
      if (last == "add_argument" && !call->arguments.empty()) {
        const std::string& name = call->arguments[0];
        const auto count = call->keywords.find("nargs");
        const bool is_free = count != call->keywords.end() && (count->second == "?" || count->second == "*");
        const bool is_option = name.starts_with('-');
        if ((!is_option && !is_free && !call->keywords.contains("default")) ||
            (is_option && is_true(call->keywords, "required")))
          wants = true;
      }
    }
    if (has_commands && (is_required || prints_help)) return choose(commands, facts);
    if (has_commands) {
      const ScriptFacts with = choose(commands, facts);
      return with.runs ? with : facts;
    }
    if (wants) return refused(facts, "it wants arguments");
    return facts;
  }

  /// The commands of the group that is called `name` in this module, wherever they are defined.
  ScriptFacts group(const std::string& name, bool is_typer, ScriptFacts facts, bool runs_alone = false) {
    std::vector<NamedCommand> commands;
    bool has_callback = false;
    bool has_groups = false;
    // "app.command" here, "shop.cli.app.command" elsewhere.
    const auto is_ours = [&](const ModuleFacts& module, const std::string& call, std::string_view method) {
      const std::string end = name + "." + std::string(method);
      if (call == end) return &module == module_;
      if (!call.ends_with("." + end)) return false;
      return code_.module(call.substr(0, call.size() - end.size() - 1)) == module_;
    };
    for (const ModuleFacts& module : code_.modules()) {
      for (const ModuleFunction& function : module.functions) {
        for (const Decorator& decorator : function.decorators) {
          if (is_ours(module, decorator.call, "command") || is_ours(module, decorator.call, "default")) {
            commands.push_back({decorator.name.empty() ? command_name(function.name) : decorator.name,
                                wants_words(function, is_typer)});
          } else if (is_ours(module, decorator.call, "group")) {
            has_groups = true;
            commands.push_back({decorator.name.empty() ? command_name(function.name) : decorator.name, true});
          } else if (is_ours(module, decorator.call, "callback")) {
            has_callback = true;
            runs_alone = runs_alone || is_true(decorator.keywords, "invoke_without_command");
          }
        }
      }
      for (const ModuleCall& call : module.calls) {
        if (is_ours(module, call.call, "add_typer")) has_groups = true;
        if (is_ours(module, call.call, "add_command") && !call.arguments.empty()) {
          const std::string& added = call.arguments[0];
          const auto said = call.keywords.find("name");
          std::string called = said != call.keywords.end() ? said->second
                               : call.arguments.size() > 1 ? call.arguments[1]
                                                           : command_name(added.substr(added.rfind('.') + 1));
          commands.push_back({std::move(called), false});
        }
        // "app.command()(function)"
        if (is_ours(module, call.call.ends_with("()") ? call.call.substr(0, call.call.size() - 2) : "", "command"))
          has_groups = true;
      }
    }
    if (is_typer && commands.size() == 1 && !has_callback && !has_groups) {
      return commands[0].wants_words ? refused(facts, "it wants arguments") : facts;
    }
    ScriptFacts with = choose(commands, facts);
    if (with.runs || !runs_alone) return with;
    return facts;
  }

  static ScriptFacts choose(const std::vector<NamedCommand>& commands, ScriptFacts facts) {
    for (const std::string_view wanted : serving) {
      const auto found = std::find_if(commands.begin(), commands.end(),
                                      [&](const NamedCommand& command) { return command.name == wanted; });
      if (found == commands.end() || found->wants_words) continue;
      facts.words = {std::string(wanted)};
      return facts;
    }
    std::string names;
    for (const NamedCommand& command : commands) names += (names.empty() ? "" : ", ") + command.name;
    return refused(facts, names.empty() ? "it is a program of subcommands" : "it wants one of its commands: " + names);
  }

  const Code& code_;
  const ModuleFacts* module_;
};

}  // namespace

ScriptFacts program_facts(const Code& code, const ModuleFacts& module) { return Finder(code, module).program(); }

ScriptFacts script_facts(const Code& code, const std::string& target) {
  const std::size_t colon = target.find(':');
  const ModuleFacts* module = code.module(target.substr(0, colon));
  if (module == nullptr || colon == std::string::npos) return {};
  std::string name = target.substr(colon + 1);
  name = name.substr(0, name.find_first_of(" ["));
  return Finder(code, *module).find(name);
}

}  // namespace veneer::start
