#!/usr/bin/env python3
"""Checks what no compiler checks: lengths of files, that every public header says what it is, that no option is ignored, that errors
say "cannot open", not "cannot opening", and that variables of which texts speak are read."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
import surroundings  # noqa: E402, F401


def ignored_options() -> list[str]:
    """Options that a command of src/cli declares and no code there asks for."""
    text = "".join(path.read_text() for path in (ROOT / "src" / "cli").glob("*.cc"))
    declared = re.findall(r'\{\s*"(?:-\w,)?(--[a-z-]+)",\s*"', text)
    return [name for name in sorted(set(declared)) if len(re.findall(rf'"(?:-\w,)?{name}"', text)) <= declared.count(name)]


def unread_variables() -> list[str]:
    """Variables of veneer that a text of src speaks of, as in a hint, and no code there reads."""
    sources = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "src").rglob("*.cc")}
    read = set(re.findall(r'environment\("(VENEER_\w+)"\)', "".join(sources.values()))) | {"VENEER_VERSION"}
    return [f"{path} speaks of {name}, which nobody reads" for path, text in sources.items()
            for name in sorted(set(re.findall(r'"[^"\n]*\b(VENEER_(?!OLD_)[A-Z_]+)', text)) - read)]


def main() -> int:
    problems = [f"the option {name} is declared and nowhere asked for" for name in ignored_options()]
    problems += unread_variables()
    listed = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix not in (".cc", ".hh"):
            continue
        lines = path.read_text().splitlines()
        if len(lines) > 500:
            problems.append(f"{name} has {len(lines)} lines; over 500 wants splitting")
        for act in re.findall(r'throw_system_error\("(\w+ing)\b', path.read_text()):
            problems.append(f"{name}: throw_system_error() says 'cannot {act} ...'; it wants an infinitive")
        if path.suffix == ".hh":
            if not lines[0].startswith("//"):
                problems.append(f"{name} does not open with what it is")
            if "#pragma once" not in lines:
                problems.append(f"{name} lacks #pragma once")
    for problem in problems:
        print(f"house rules: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
