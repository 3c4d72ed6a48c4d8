#!/usr/bin/env python3
"""Checks what no compiler checks: lengths of files and lines, that every public header says what it is, that no option is
ignored, that errors say "cannot open", not "cannot opening", that variables of which texts speak are read, and that no
comment tells what the next change makes wrong."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
import surroundings  # noqa: E402, F401

LONGEST_FILE = 500
LONGEST_LINE = 120
# Who calls something is for a search to tell; what only some readers have cannot be looked up.
STALE = re.compile(r"\b[Cc]alled by (?!one thread|several)|\b[Tt]he mission\b|\bCASES\b|\bDESIGN\b")


def files(*patterns: str) -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def stale_words(text: str) -> list[str]:
    """Also those that a line's end parts."""
    return [f"it says '{found[0].strip()}'" for found in STALE.finditer(re.sub(r"\n\s*(///?|#)? *", " ", text))]


def code_problems(path: pathlib.Path) -> list[str]:
    text = path.read_text()
    lines = text.splitlines()
    problems = [f"line {i} has {len(line)} columns" for i, line in enumerate(lines, 1)
                if len(line) > LONGEST_LINE and 'R"' not in line]
    problems += stale_words(text)
    if path.is_relative_to(ROOT / "src"):
        if len(lines) > LONGEST_FILE:
            problems.append(f"it has {len(lines)} lines; over {LONGEST_FILE} wants splitting")
        for act in re.findall(r'throw_system_error\("(\w+ing)\b', text):
            problems.append(f"throw_system_error() says 'cannot {act} ...'; it wants an infinitive")
        if path.suffix == ".hh":
            if not lines[0].startswith("//"):
                problems.append("it does not open with what it is")
            if "#pragma once" not in lines:
                problems.append("it lacks #pragma once")
    return problems


def text_problems(path: pathlib.Path) -> list[str]:
    """Of Markdown. Tables, code and what cannot be broken (a link, a word) may be as long as they are."""
    text = path.read_text()
    problems = stale_words(text)
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
            continue
        can_break = " " in re.sub(r"\[[^\]]*\]\([^)]*\)|`[^`]*`", "", line.strip().lstrip("*+- "))
        if len(line) > LONGEST_LINE and not in_code and not line.lstrip().startswith("|") and can_break:
            problems.append(f"line {number} has {len(line)} columns; a sentence a line, long ones break at a clause")
    return problems


def ignored_options() -> list[str]:
    """Options that a command of src/cli declares and no code there asks for."""
    text = "".join(path.read_text() for path in (ROOT / "src" / "cli").glob("*.cc"))
    declared = re.findall(r'\{\s*"(?:-\w,)?(--[a-z-]+)",\s*"', text)
    return [name for name in sorted(set(declared)) if len(re.findall(rf'"(?:-\w,)?{name}"', text)) <= declared.count(name)]


def unread_variables() -> list[str]:
    """Variables of veneer that a text of src speaks of, as in a hint, and no code there reads."""
    sources = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "src").rglob("*.cc")}
    read = set(re.findall(r'environment\("(VENEER_\w+)"\)', "".join(sources.values()))) | {"VENEER_VERSION"}
    sources = {path: text for path, text in sources.items() if path.name != "workflow.cc"}  # those of GitHub's settings
    return [f"{path} speaks of {name}, which nobody reads" for path, text in sources.items()
            for name in sorted(set(re.findall(r'"[^"\n]*\b(VENEER_(?!OLD_)[A-Z_]+)', text)) - read)]


def main() -> int:
    problems = [f"the option {name} is declared and nowhere asked for" for name in ignored_options()]
    problems += unread_variables()
    for check, patterns in ((code_problems, ("src/*.cc", "src/*.hh", "tests/*.cc", "tests/*.hh")), (text_problems, ("*.md",))):
        for path in files(*patterns):
            problems += [f"{path.relative_to(ROOT)}: {problem}" for problem in check(path)]
    for problem in problems:
        print(f"house rules: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
