#include <fmt/format.h>

#include <algorithm>

#include "start/command.hh"

namespace veneer::start {

std::string loopback_note(const Inputs& inputs, const std::vector<std::string>& words, const Places& places) {
  if (words.empty()) return "";
  const auto has = [&](std::initializer_list<std::string_view> options) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return std::any_of(options.begin(), options.end(), [&](std::string_view option) {
        // "--host=x", "-b0.0.0.0", and what a shell's text holds.
        return word == option || word.starts_with(std::string(option) + "=") ||
               word.find(" " + std::string(option)) != std::string::npos ||
               (option.size() == 2 && word.starts_with(option));
      });
    });
  };
  const auto is_set = [&](const char* name) { return places.environment.contains(name); };
  const std::size_t at = words.size() > 2 && words[0] == "python" && words[1] == "-m" ? 2 : 0;
  const std::string& program = words[at];
  bool is_loopback = false;
  if (program == "uvicorn") is_loopback = !has({"--host", "--uds", "--fd"}) && !is_set("UVICORN_HOST");
  if (program == "gunicorn")
    is_loopback = !has({"-b", "--bind", "-c", "--config"}) && !is_set("PORT") && !is_set("GUNICORN_CMD_ARGS") &&
                  !inputs.has_file("gunicorn.conf.py");
  if (program == "flask") is_loopback = !has({"-h", "--host"}) && !is_set("FLASK_RUN_HOST");
  if (program == "hypercorn") is_loopback = !has({"-b", "--bind", "-c", "--config"});
  if (program == "granian") is_loopback = !has({"--host"}) && !is_set("GRANIAN_HOST");
  if (program == "fastapi") is_loopback = words.size() > at + 1 && words[at + 1] == "dev" && !has({"--host"});
  if (!is_loopback) return "";
  return fmt::format(
      "{} is not told where to listen, so nothing outside the container reaches it (--host 0.0.0.0, or --bind)",
      program);
}

}  // namespace veneer::start
