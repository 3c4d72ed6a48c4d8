#!/usr/bin/env python3
"""Checks what no compiler checks: lengths of files, that every public header says what it is, that no option is ignored."""
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


def main() -> int:
    problems = [f"the option {name} is declared and nowhere asked for" for name in ignored_options()]
    listed = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix not in (".cc", ".hh"):
            continue
        lines = path.read_text().splitlines()
        if len(lines) > 500:
            problems.append(f"{name} has {len(lines)} lines; over 500 wants splitting")
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
