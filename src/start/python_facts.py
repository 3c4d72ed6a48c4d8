# Says what Python files define and call, as JSON. They are parsed, never run. Argument: the least minor version of Python
# that can read them. Standard input: for each file the lengths of its path and its text (8 bytes each, little endian), then
# both. Standard output: a JSON object a line, in that order.
import ast
import json
import struct
import sys

LOOPS = {"run", "launch", "run_app", "serve", "start", "run_polling", "start_polling", "infinity_polling", "polling",
         "run_until_disconnected", "run_forever", "serve_forever", "listen", "set_page_config", "Fire", "setdefault", "mount",
         "add_subparsers", "add_parser", "add_argument", "parse_args", "command", "group", "add_command", "add_typer", "callback",
         "print_help", "run_webhook", "start_webhook", "loop_forever", "consume", "start_consuming"}
MOST = 2000


class Reader:
    def __init__(self, path, tree):
        folders = path.split("/")[:-1]
        self.package = folders
        self.names = {}
        self.imports = set()
        self.objects = []
        self.functions = []
        self.calls = []
        self.strings = {}
        self.variables = set()
        self.edges = {"module": set(), "guard": set()}
        self.guard = 0
        self.imported(tree, self.names, True)
        self.body(tree.body, "module")
        self.environment(tree)
        self.stub = self.is_stub(tree)

    def imported(self, tree, names, everywhere):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.imports.add(alias.name)
                    names.setdefault(alias.asname or alias.name.split(".")[0], alias.name if alias.asname else alias.name.split(".")[0])
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if node.level:
                    keep = len(self.package) - node.level + 1
                    module = ".".join(self.package[:max(keep, 0)] + ([module] if module else []))
                elif module:
                    self.imports.add(module)
                for alias in node.names:
                    names.setdefault(alias.asname or alias.name, (module + "." if module else "") + alias.name)

    def environment(self, tree):
        """os.environ["X"]; env("X"), env.str("X"), config("X") of environs, django-environ and decouple, without a default."""
        for node in ast.walk(tree):
            asked = None
            if isinstance(node, ast.Subscript) and self.dotted(node.value) == "os.environ" and isinstance(node.ctx, ast.Load):
                asked = node.slice
            elif isinstance(node, ast.Call) and len(node.args) == 1 and not any(word.arg == "default" for word in node.keywords):
                name = node.func.value if isinstance(node.func, ast.Attribute) else node.func
                if isinstance(name, ast.Name) and name.id in ("env", "config"):
                    asked = node.args[0]
            value = asked.value if isinstance(asked, ast.Constant) else None
            if isinstance(value, str) and value.isidentifier() and value.isupper() and len(self.variables) < 100:
                self.variables.add(value)

    def dotted(self, node):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call):
            inner = self.dotted(node.func)
            if not inner:
                return ""
            parts.append(inner + "()")
        elif isinstance(node, ast.Name):
            parts.append(self.names.get(node.id, node.id))
        else:
            return ""
        return ".".join(reversed(parts))

    def constant(self, node):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, bool)):
            return node.value
        if isinstance(node, ast.Name):
            return self.strings.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):  # a path below another one: its last part
            value = self.constant(node.right)
            return value if isinstance(value, str) else None
        if isinstance(node, ast.Call):  # int(os.getenv("PORT", 8000)) and its like: the default
            values = [self.constant(argument) for argument in node.args]
            values = [value for value in values if value is not None]
            return values[-1] if values and (len(node.args) > 1 or self.dotted(node.func) in ("int", "str")) else None
        return None

    def call(self, node, where):
        name = self.dotted(node.func)
        if not name:
            return
        last = name.split(".")[-1].replace("()", "")
        self.edges.setdefault(where, set()).add(name)
        if last in LOOPS and len(self.calls) < MOST:
            keywords = {}
            for keyword in node.keywords:
                value = self.constant(keyword.value)
                if keyword.arg:
                    keywords[keyword.arg] = value if value is not None else self.dotted(keyword.value)
            arguments = [self.constant(argument) or self.dotted(argument) for argument in node.args[:3]]
            self.calls.append({"call": name, "line": node.lineno, "where": where,
                               "arguments": [str(argument) for argument in arguments],
                               "keywords": {key: str(value) for key, value in keywords.items()}})

    def calls_in(self, node, where):
        for child in ast.walk(node):
            if isinstance(child, ast.Call):
                self.call(child, where)

    def body(self, statements, where):
        for node in statements:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.function(node)
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        self.calls_in(inner, node.name + "." + inner.name)
            elif isinstance(node, ast.If):
                guarded = where
                if any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)):
                    self.guard = self.guard or node.lineno
                    guarded = "guard"
                else:
                    self.calls_in(node.test, where)
                self.body(node.body, guarded)
                self.body(node.orelse, where)
            elif isinstance(node, ast.Try):
                self.body(node.body, where)
                for handler in node.handlers:
                    self.body(handler.body, where)
                self.body(node.orelse + node.finalbody, where)
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    self.calls_in(item.context_expr, where)
                    if isinstance(item.context_expr, ast.Call) and isinstance(item.optional_vars, ast.Name):
                        self.object(item.optional_vars.id, item.context_expr, where)
                self.body(node.body, where)
            elif isinstance(node, (ast.For, ast.While)):
                self.calls_in(node.iter if isinstance(node, ast.For) else node.test, where)
                self.body(node.body + node.orelse, where)
            else:
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    self.assigned(node.targets[0].id, node.value, where)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                    self.assigned(node.target.id, node.value, where)
                self.calls_in(node, where)

    def assigned(self, name, value, where):
        constant = self.constant(value)
        if constant is not None:
            if len(self.strings) < MOST:
                self.strings.setdefault(name, constant)
        elif isinstance(value, ast.Call):
            self.object(name, value, where)
        elif isinstance(value, (ast.Attribute, ast.Name)):
            made = self.dotted(value)
            if made and len(self.objects) < MOST:
                self.objects.append({"name": name, "line": value.lineno, "call": "", "is": made, "guarded": where == "guard",
                                     "keywords": []})

    def object(self, name, value, where):
        made = self.dotted(value.func)
        if made and len(self.objects) < MOST:
            self.objects.append({"name": name, "line": value.lineno, "call": made, "is": "", "guarded": where == "guard",
                                 "keywords": [keyword.arg for keyword in value.keywords if keyword.arg]})

    def function(self, node):
        local = {}
        made = ""
        for child in ast.walk(node):
            if isinstance(child, ast.Assign) and isinstance(child.value, ast.Call):
                for target in child.targets:
                    if isinstance(target, ast.Name):
                        local.setdefault(target.id, self.dotted(child.value.func))
            if isinstance(child, ast.AnnAssign) and isinstance(child.value, ast.Call) and isinstance(child.target, ast.Name):
                local.setdefault(child.target.id, self.dotted(child.value.func))
        for child in ast.walk(node):
            if isinstance(child, ast.Return) and child.value is not None and not made:
                if isinstance(child.value, ast.Call):
                    made = self.dotted(child.value.func)
                elif isinstance(child.value, ast.Name):
                    made = local.get(child.value.id, self.names.get(child.value.id, ""))
        arguments = node.args
        required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
        required += sum(default is None for default in arguments.kw_defaults)
        decorators = []
        for decorator in node.decorator_list:
            entry = {"call": self.dotted(decorator.func if isinstance(decorator, ast.Call) else decorator), "name": "",
                     "keywords": {}}
            if isinstance(decorator, ast.Call):
                value = self.constant(decorator.args[0]) if decorator.args else None
                entry["name"] = value if isinstance(value, str) else ""
                entry["keywords"] = {keyword.arg: str(self.constant(keyword.value)) for keyword in decorator.keywords if keyword.arg}
                if isinstance(entry["keywords"].get("name"), str):
                    entry["name"] = entry["keywords"]["name"]
            decorators.append(entry)
        self.edges.setdefault(node.name, set())
        self.calls_in(node, node.name)
        loops = any(isinstance(child, ast.While) and isinstance(child.test, ast.Constant) and child.test.value for child in ast.walk(node))
        annotation = self.dotted(node.returns) if node.returns is not None else ""
        if len(self.functions) < MOST:
            self.functions.append({"name": node.name, "line": node.lineno, "required": required, "makes": made or annotation,
                                   "annotation": annotation, "decorators": decorators, "loops": loops})

    def is_stub(self, tree):
        statements = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        if not statements or len(statements) > 2 or not isinstance(statements[0], ast.FunctionDef):
            return False
        if len(statements) == 2 and not isinstance(statements[1], ast.If):
            return False
        body = [node for node in statements[0].body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        if len(body) != 1:
            return False
        value = getattr(body[0], "value", None)
        if isinstance(body[0], ast.Return):
            return isinstance(value, ast.Constant) and str(value.value).startswith("Hello from ")
        return (isinstance(value, ast.Call) and self.dotted(value.func) == "print" and len(value.args) == 1
                and isinstance(value.args[0], ast.Constant) and str(value.args[0].value).startswith("Hello from "))

    def reached(self, start):
        found, waiting = set(), [start]
        while waiting:
            for name in self.edges.get(waiting.pop(), ()):
                if name in self.edges and name not in found and name not in ("module", "guard"):
                    found.add(name)
                    waiting.append(name)
        return found

    def facts(self):
        by_module, by_guard = self.reached("module"), self.reached("guard")
        for call in self.calls:
            where = call["where"]
            call["reached"] = ("module" if where == "module" or where in by_module else
                               "guard" if where == "guard" or where in by_guard else "")
        return {"imports": sorted(self.imports)[:MOST], "names": dict(list(self.names.items())[:MOST]), "objects": self.objects,
                "functions": self.functions, "calls": self.calls,
                "edges": {key: sorted(value)[:200] for key, value in list(self.edges.items())[:500]},
                "strings": {key: str(value)[:500] for key, value in self.strings.items() if not isinstance(value, bool)},
                "variables": sorted(self.variables), "guard": self.guard, "stub": self.stub}


def facts_of(path, text):
    try:
        return Reader(path, ast.parse(text)).facts()
    except SyntaxError as fault:
        return {"error": f"line {fault.lineno}: {fault.msg}"}
    except (ValueError, RecursionError, MemoryError, OverflowError) as fault:
        return {"error": f"{type(fault).__name__}: {fault}"[:300]}


def main():
    if sys.version_info < (3, int(sys.argv[1])):
        sys.exit(9)
    source = sys.stdin.buffer
    while head := source.read(16):
        path_size, text_size = struct.unpack("<QQ", head)
        path = source.read(path_size).decode("utf-8", "replace")
        facts = facts_of(path, source.read(text_size))
        facts["path"] = path
        print(json.dumps(facts))


main()
