#include "check/imports.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "foundation/value.hh"

namespace veneer::check {

namespace {

/// Takes on the image's environment, which must not reach the programs outside the root, and starts the next one.
constexpr std::string_view enter = R"python(
import json, os, sys
asked = json.loads(sys.argv[1])
try:
    os.chdir(asked["folder"])
except OSError:
    os.chdir("/")
os.execve(sys.executable, [sys.executable, "-c", sys.argv[2]], asked["environment"])
)python";

/// Reads what to try, a JSON list a line: ["module", name] or ["command", name, module, attribute]. Answers each with a
/// JSON list: [kind, name, error or ""]. Modules are imported in forked processes, so none sees another.
constexpr std::string_view try_out = R"python(
import json, os, select, signal, sys, time
sys.path[:] = [place for place in sys.path if place]
answers = os.dup(1)

def attempt(item):
    import importlib
    if item[0] == "module":
        importlib.import_module(item[1])
        return
    value = importlib.import_module(item[2])
    for part in item[3].split("."):
        value = getattr(value, part)

def answer(item):
    reading, writing = os.pipe()
    printed, printing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(printing, 1)
        os.dup2(printing, 2)
        os.close(answers)
        signal.alarm(60)
        error = ""
        try:
            attempt(item)
        except SystemExit as end:
            error = f"it ends the program (SystemExit: {end.code})"
        except BaseException as fault:
            error = f"{type(fault).__name__}: {fault}"
        os.write(writing, b"+" + error.encode("utf-8", "replace")[:2000])
        os._exit(0)
    os.close(writing)
    os.close(printing)
    # What it prints is read and forgotten. The answer ends when it is there whole, not when the last process that the
    # module started has let go of the pipe.
    data = b""
    end = time.monotonic() + 65
    streams = [reading, printed]
    while reading in streams and not data and time.monotonic() < end:
        ready, _, _ = select.select(streams, [], [], 1)
        for stream in ready:
            piece = os.read(stream, 65536)
            if not piece:
                streams.remove(stream)
            elif stream == reading:
                data = piece
        if not ready and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
    os.close(reading)
    os.close(printed)
    if not data and time.monotonic() >= end:
        os.kill(child, signal.SIGALRM)
    _, status = os.waitpid(child, 0)
    try:
        os.killpg(child, signal.SIGKILL)  # what the module left running
    except (ProcessLookupError, PermissionError):
        pass
    if data.startswith(b"+"):
        return data[1:].decode("utf-8", "replace")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "it took over a minute" if number == signal.SIGALRM else f"the interpreter was killed by signal {number}"
    return f"the process ended with exit code {os.WEXITSTATUS(status)}"

for line in sys.stdin:
    item = json.loads(line)
    os.write(answers, (json.dumps([item[0], item[1], answer(item)]) + "\n").encode())
)python";

class Answers : public ByteSink {
 public:
  Answers(std::size_t count, Findings& findings, const std::function<void(const std::string&)>& progress)
      : count_(count), findings_(findings), progress_(progress) {}

  void write(ByteView bytes) override {
    rest_ += as_text(bytes);
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      take(std::string_view(rest_).substr(0, end));
      rest_.erase(0, end + 1);
    }
    if (rest_.size() > 1 << 20)
      throw Error(ErrorKind::refused, "the image's interpreter answers with a line that is too long");
  }
  void commit() override {}
  std::size_t taken() const { return taken_; }

 private:
  void take(std::string_view line) {
    const Value answer = parse_json(line);
    const Value::Array& parts = answer.array();
    if (parts.size() != 3) throw Error(ErrorKind::refused, "the image's interpreter answers something else");
    ++taken_;
    const std::string& kind = parts[0].string();
    const std::string& name = parts[1].string();
    const std::string& error = parts[2].string();
    if (progress_) progress_(fmt::format("importing: {} of {}, {}", taken_, count_, printable(name)));
    if (error.empty()) return;
    const bool is_module = kind == "module";
    findings_.push_back({(is_module ? "import:" : "command:") + name, Severity::problem,
                         fmt::format("{} {} cannot be {}: {}", is_module ? "module" : "command", printable(name),
                                     is_module ? "imported" : "loaded", printable(error, 500))});
  }

  std::size_t count_;
  Findings& findings_;
  const std::function<void(const std::string&)>& progress_;
  std::string rest_;
  std::size_t taken_ = 0;
};

}  // namespace

std::size_t check_imports(const Environment& environment, const ImportRun& asked, Findings& findings,
                          const std::function<void(const std::string&)>& progress) {
  Command command;
  std::size_t count = 0;
  const auto add = [&](std::vector<std::string> words) {
    Value::Array line;
    for (std::string& word : words) line.emplace_back(std::move(word));
    command.input += to_json(Value(std::move(line))) + "\n";
    ++count;
  };
  for (const Distribution& distribution : environment.distributions) {
    for (const std::string& module : distribution.modules) add({"module", module});
    for (const python::EntryPoint& entry : distribution.commands)
      add({"command", entry.name, entry.module, entry.attribute});
  }
  if (count == 0) return 0;
  Value variables{Value::Table{}};
  for (const auto& [name, value] : asked.environment) variables.set(name, value);
  Value frame;
  frame.set("folder", asked.folder);
  frame.set("environment", std::move(variables));
  command.arguments = asked.sandbox.words;
  command.arguments.insert(command.arguments.end(), {asked.root.native(), "/" + environment.interpreter, "-s", "-B",
                                                     "-c", std::string(enter), to_json(frame), std::string(try_out)});
  Answers answers(count, findings, progress);
  const CommandResult result = run_into(command, answers);
  if (result.exit_code != 0 || answers.taken() != count) {
    throw Error(ErrorKind::failed, fmt::format("/{} of the image failed after {} of {} imports with exit code {}: {}",
                                               printable(environment.interpreter), answers.taken(), count,
                                               result.exit_code, printable(result.errors, 1000)));
  }
  return count;
}

}  // namespace veneer::check
