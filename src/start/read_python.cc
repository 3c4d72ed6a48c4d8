#include "start/read_python.hh"

#include "foundation/bytes.hh"
#include "foundation/error.hh"
#include "foundation/process.hh"
#include "start/module_facts.hh"

namespace veneer::start {

namespace {

constexpr std::chrono::seconds patience{60};

void append_frame(std::string& out, std::uint64_t value) {
  Bytes bytes;
  append_little_endian(bytes, value);
  out += as_text(bytes);
}

}  // namespace

std::optional<std::string> python_facts_text(std::vector<std::string> interpreter, unsigned minor,
                                             const std::vector<PythonSource>& sources) {
  Command command;
  command.arguments = std::move(interpreter);
  for (const char* option : {"-I", "-S", "-B", "-W", "ignore", "-c"}) command.arguments.emplace_back(option);
  command.arguments.emplace_back(python_facts_program());
  command.arguments.push_back(std::to_string(minor));
  command.patience = patience;
  for (const PythonSource& source : sources) {
    append_frame(command.input, source.path.size());
    append_frame(command.input, source.text.size());
    command.input += source.path + source.text;
  }
  try {
    const CommandResult result = run(command);
    if (result.ending != Ending::exited || result.exit_code != 0) return std::nullopt;
    if (module_facts_from_text(result.output).size() != sources.size()) return std::nullopt;
    return result.output;
  } catch (const Error&) {
    return std::nullopt;  // it is not there, or says something else
  }
}

}  // namespace veneer::start
