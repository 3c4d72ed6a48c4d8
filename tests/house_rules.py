#!/usr/bin/env python3
"""Checks what no compiler checks: lengths of files, and that every public header says what it is."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
import surroundings  # noqa: E402, F401


def main() -> int:
    problems = []
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
