#include "check/start_targets.hh"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/shell.hh"

namespace veneer::check {

namespace {

using Words = std::vector<std::string>;

/// Programs that take an object of a module, and the object that they take where none is named.
struct Server {
  std::string_view name;
  std::string_view object;
};
constexpr std::array<Server, 10> servers = {{{"uvicorn", ""},
                                             {"gunicorn", "application"},
                                             {"hypercorn", "app"},
                                             {"granian", ""},
                                             {"daphne", ""},
                                             {"waitress-serve", ""},
                                             {"sanic", ""},
                                             {"fastapi", ""},
                                             {"flask", ""},
                                             {"celery", ""}}};
/// Options that name such an object, and those that say where imports begin.
constexpr std::array<std::string_view, 4> of_object = {"--app", "-A", "--entrypoint", "-e"};
constexpr std::array<std::string_view, 4> of_folder = {"--app-dir", "--chdir", "--pythonpath", "--working-dir"};

template <typename List>
bool is_among(std::string_view word, const List& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string joined(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().native();
}

bool is_dotted_name(std::string_view text) {
  bool is_start = true;
  for (const char c : text) {
    if (c == '.' && is_start) return false;
    if (is_start && is_digit(c)) return false;
    if (c != '.' && c != '_' && !is_letter(c) && !is_digit(c) && static_cast<unsigned char>(c) < 0x80) return false;
    is_start = c == '.';
  }
  return !is_start;
}

bool is_python(std::string_view name) {
  if (!name.starts_with("python")) return false;
  name.remove_prefix(std::string_view("python").size());
  return name.find_first_not_of("0123456789.") == std::string_view::npos;
}

class Reader {
 public:
  Reader(Words words, std::string folder) : words_(std::move(words)), folder_(std::move(folder)) {}

  std::vector<StartTarget> read() {
    while (!words_.empty() && (base_name(words_[0]) == "env" || words_[0] == "exec" ||
                               (is_after_env_ && words_[0].find('=') != std::string::npos))) {
      is_after_env_ = is_after_env_ || base_name(words_[0]) == "env";
      words_.erase(words_.begin());
    }
    if (words_.empty()) return {};
    const std::string program(base_name(words_[0]));
    if (program == "sh" || program == "bash" || program == "dash") return read_shell();
    words_.erase(words_.begin());
    if (is_python(program)) return read_python();
    return read_program(program);
  }

 private:
  std::vector<StartTarget> read_shell() const {
    const auto option = std::find_if(words_.begin(), words_.end(), [](const std::string& word) {
      return word.size() > 1 && word[0] == '-' && word.ends_with('c');
    });
    if (option == words_.end() || option + 1 == words_.end()) return {};
    try {
      const owners::ShellScript script = owners::read_shell(*(option + 1));
      if (script.commands.empty() || script.has_structure) return {};
      Words words;
      for (const owners::ShellWord& word : script.commands.back().words) words.push_back(word.text);
      return Reader(std::move(words), folder_).read();
    } catch (const Error&) {
      return {};  // no text of a shell
    }
  }

  std::vector<StartTarget> read_python() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      if (word == "-c" || word == "-") return {};
      if (word == "-m" && i + 1 < words_.size()) {
        const std::string module = words_[i + 1];
        words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(i) + 2);
        if (std::vector<StartTarget> served = read_program(module); !served.empty()) return served;
        if (!is_dotted_name(module)) return {};
        return {{StartTarget::Kind::program, module, "", folder_, "", "-m " + module}};
      }
      if (word == "-W" || word == "-X") {
        ++i;
      } else if (!word.starts_with('-')) {
        return {file(word)};
      }
    }
    return {};
  }

  /// What another program than Python is told to run.
  std::vector<StartTarget> read_program(const std::string& program) {
    const auto server =
        std::find_if(servers.begin(), servers.end(), [&](const Server& one) { return one.name == program; });
    const bool is_server = server != servers.end();
    std::string begin = folder_;
    std::optional<StartTarget> found;
    std::optional<StartTarget> last;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string option =
          words_[i].substr(0, words_[i].starts_with("-") ? words_[i].find('=') : std::string::npos);
      const bool has_value = option.size() < words_[i].size();
      const auto value = [&] {
        return has_value ? words_[i].substr(option.size() + 1) : i + 1 < words_.size() ? words_[i + 1] : "";
      };
      if (is_among(option, of_folder)) begin = joined(folder_, value());
      if (is_server && is_among(option, of_object)) found = target(value());
      if (option.starts_with('-')) continue;
      const bool is_value = i > 0 && words_[i - 1].starts_with('-') && words_[i - 1].find('=') == std::string::npos;
      const auto named = target(words_[i]);
      if (!named) continue;
      const bool is_plain = named->kind == StartTarget::Kind::file || words_[i].find(':') != std::string::npos;
      if (!found && named->kind == StartTarget::Kind::file && !is_value) found = named;
      if (!is_server || named->kind == StartTarget::Kind::file) continue;
      if (!found && is_plain) found = named;
      if (!last && (!is_value || i + 1 == words_.size()) && words_[i].find('.') != std::string::npos) last = named;
      if (!last && !is_value && (program == "gunicorn" || program == "uvicorn")) last = named;
    }
    if (!found) found = last;
    if (!found) return {};
    if (found->kind == StartTarget::Kind::object) {
      found->folder = begin;
      if (found->attribute.empty() && is_server) found->attribute = server->object;
    }
    return {*found};
  }

  StartTarget file(const std::string& word) const {
    return {StartTarget::Kind::file, "", "", "", joined(folder_, word), word};
  }

  /// "shop.main:app", "shop.main:create_app()", "shop.wsgi", "app.py", "server.py:mcp".
  std::optional<StartTarget> target(const std::string& word) const {
    const std::size_t colon = word.find(':');
    const std::string module = word.substr(0, colon);
    if (module.ends_with(".py")) return file(module);
    if (!is_dotted_name(module)) return std::nullopt;
    std::string attribute = colon == std::string::npos ? "" : word.substr(colon + 1);
    attribute = attribute.substr(0, attribute.find('('));
    if (colon != std::string::npos && !is_dotted_name(attribute)) return std::nullopt;
    return StartTarget{StartTarget::Kind::object, module, attribute, folder_, "", word};
  }

  Words words_;
  std::string folder_;
  bool is_after_env_ = false;
};

}  // namespace

std::vector<StartTarget> start_targets(const std::vector<std::string>& words, const std::string& folder) {
  return Reader(words, folder).read();
}

}  // namespace veneer::check
