# Tries out imports. Standard input: groups, a JSON list of attempts a line. An attempt is a list, too:
#   ["module", NAME, FOLDER]                      FOLDER, if not empty, stands first in sys.path
#   ["object", NAME, MODULE, ATTRIBUTE, FOLDER]   as "from MODULE import A", then the attributes below it
#   ["file", NAME, PATH, PACKAGE]                 a program: without the part behind `if __name__ == "__main__"`; where it
#                                                 has none, its imports alone
# Standard output: for each attempt a JSON object a line: "kind", "name", "error" ("" when all is well), "cause"
# ("library", "module", "import", "attribute", "syntax", "permission", "exit", "crash", "surroundings", "error"), "missing"
# (a module or a library) and "variables" (that it asked for in vain). The attempts of a group share a process; groups see
# nothing of each other.
import json
import os
import re
import select
import signal
import sys
import time

SECONDS = 60
LIBRARY = re.compile(r"(lib[\w.+-]+?)['\"]?: cannot open shared object|(lib[\w.+-]*\.so[\w.]*)")
NETWORK = ("ConnectionError", "gaierror", "TimeoutError", "OperationalError", "ConnectError", "HTTPError", "URLError")
SETTINGS = ("ImproperlyConfigured", "UndefinedValueError", "EnvError")

sys.path[:] = [place for place in sys.path if place]
answers = os.dup(1)
asked = set()


def watch_variables():
    plain = os._Environ.__getitem__

    def watched(self, key):
        try:
            return plain(self, key)
        except KeyError:
            asked.add(str(key))
            raise

    os._Environ.__getitem__ = watched


def program(path, package):
    import ast
    import types

    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    guarded = any(isinstance(node, ast.If) and any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
                  for node in tree.body)
    if not guarded:
        tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    name = "__imported__"  # no name of those under which programs start: __main__, __mp_main__
    module = types.ModuleType(name)
    module.__file__, module.__package__ = path, package
    sys.modules[name] = module
    exec(compile(tree, path, "exec"), module.__dict__)


def attempt(item):
    import importlib

    kind = item[0]
    if kind == "file":
        package = item[3]
        path = item[2]
        if package:
            import importlib.util

            sys.path.insert(0, path)
            found = importlib.util.find_spec(package)
            if found is not None and found.submodule_search_locations is not None:
                found = importlib.util.find_spec(package + ".__main__")
            if found is None or not found.origin:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
            path, package = found.origin, found.parent
        else:
            sys.path.insert(0, os.path.dirname(path))
        return program(path, package or None)
    if item[-1]:
        sys.path.insert(0, item[-1])
    if kind == "module":
        return importlib.import_module(item[1])
    parts = item[3].split(".") if item[3] else []
    value = importlib.import_module(item[2])
    for number, part in enumerate(parts):
        if number == 0 and not hasattr(value, part):
            try:
                importlib.import_module(f"{item[2]}.{part}")
            except ModuleNotFoundError as fault:
                if fault.name != f"{item[2]}.{part}":
                    raise
        if not hasattr(value, part):
            raise NoSuchAttribute(f"{item[2]} has no {'.'.join(parts[:number + 1])}")
        value = getattr(value, part)


class NoSuchAttribute(Exception):
    pass


def chain(fault):
    seen = []
    while fault is not None and fault not in seen:
        seen.append(fault)
        fault = fault.__cause__ or fault.__context__
    return seen


def described(fault):
    text = str(fault)
    answer = {"error": f"{type(fault).__name__}: {text}", "cause": "error", "missing": "", "variables": []}
    faults = chain(fault)
    names = {kind.__name__ for one in faults for kind in type(one).__mro__}
    library = next((found for one in faults if isinstance(one, (ImportError, OSError)) for found in [LIBRARY.search(str(one))] if found), None)
    module = next((one for one in faults if isinstance(one, ModuleNotFoundError) and one.name), None)
    lines = [str(one) for one in faults]
    variables = sorted(name for name in asked if len(name) > 2 and any(re.search(rf"\b{re.escape(name)}\b", line) for line in lines))
    if any(type(one).__module__.startswith("pydantic") and type(one).__name__ == "ValidationError" for one in faults):
        variables += [name.upper() for line in lines for name in re.findall(r"^(\w+)\n  Field required", line, re.MULTILINE)]
    if isinstance(fault, NoSuchAttribute):
        answer.update(cause="attribute", error=text)
    elif library:
        answer.update(cause="library", missing=library.group(1) or library.group(2))
    elif module:
        answer.update(cause="module", missing=module.name)
    elif isinstance(fault, SyntaxError):
        answer["cause"] = "syntax"
    elif isinstance(fault, PermissionError):
        answer["cause"] = "permission"
    elif variables or names & set(SETTINGS) or any(isinstance(one, ConnectionError) for one in faults) or names & set(NETWORK):
        answer.update(cause="surroundings", variables=variables[:20])
    elif isinstance(fault, SystemExit):
        answer.update(cause="exit", error=f"it ends the program (SystemExit: {fault.code})")
    elif isinstance(fault, ImportError):
        answer["cause"] = "import"
    return answer


def child(group, writing):
    for item in group:
        signal.alarm(SECONDS)
        asked.clear()
        path = list(sys.path)
        answer = {"error": "", "cause": "", "missing": "", "variables": []}
        try:
            attempt(item)
        except BaseException as fault:
            try:
                answer = described(fault)
            except BaseException as other:
                answer.update(error=f"{type(fault).__name__} that cannot be shown: {type(other).__name__}", cause="error")
        sys.path[:] = path
        answer["error"] = answer["error"][:2000]
        os.write(writing, json.dumps(answer).encode("ascii") + b"\n")


def answers_of(group):
    """The answers as far as the process came, and how it ended before its time."""
    reading, writing = os.pipe()
    printed, printing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.dup2(printing, 1)
        os.dup2(printing, 2)
        os.close(answers)
        try:
            child(group, writing)
        finally:
            os._exit(0)
    os.close(writing)
    os.close(printing)
    # What it prints is read and forgotten. The answers end when they are there whole, not when the last process that a
    # module started has let go of the pipe.
    data = b""
    end = time.monotonic() + SECONDS + 5
    streams = [reading, printed]
    while reading in streams and data.count(b"\n") < len(group) and time.monotonic() < end:
        ready, _, _ = select.select(streams, [], [], 1)
        for stream in ready:
            piece = os.read(stream, 65536)
            if not piece:
                streams.remove(stream)
            elif stream == reading:
                data += piece
                end = time.monotonic() + SECONDS + 5
        if not ready and os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
    os.close(reading)
    os.close(printed)
    done = data.count(b"\n")
    if done < len(group) and time.monotonic() >= end:
        os.kill(process, signal.SIGALRM)
    if done == len(group):
        os.kill(process, signal.SIGKILL)  # what ends slowly has no say any more
    _, status = os.waitpid(process, 0)
    try:
        os.killpg(process, signal.SIGKILL)  # what the modules left running
    except (ProcessLookupError, PermissionError):
        pass
    found = [json.loads(line) for line in data.split(b"\n")[:done]]
    if not os.WIFSIGNALED(status):
        return found, f"the process ended with exit code {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    return found, "it took over a minute" if number == signal.SIGALRM else f"the interpreter was killed by signal {number}"


def run(group):
    while group:
        found, ending = answers_of(group)
        if len(found) < len(group):
            found.append({"error": ending, "cause": "crash", "missing": "", "variables": []})
        for item, answer in zip(group, found):
            os.write(answers, json.dumps({"kind": item[0], "name": item[1], **answer}).encode("ascii") + b"\n")
        group = group[len(found):]


watch_variables()
for line in sys.stdin:
    run(json.loads(line))
