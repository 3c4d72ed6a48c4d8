#!/usr/bin/env python3
"""Reads every #include below src/ and fails on an arrow that the architecture does not have.

The list is the one of docs/architecture.md. An arrow to a folder includes its subfolders; a subfolder has its parent's
arrows and those named for it.
"""
import pathlib
import re
import sys

ARROWS = {
    "main.cc": "cli",
    "foundation": "",
    "owners": "foundation",
    "debian": "",
    "archive": "foundation",
    "tree": "foundation archive",
    "net": "foundation",
    "engine": "foundation net",
    "registry": "foundation net",
    "image": "foundation archive",
    "image/media": "",
    "image/places": "engine registry",
    "image/cache": "",
    "python": "foundation archive tree net",
    "start": "foundation owners debian python",
    "setup": "foundation owners debian python start",
    "base": "foundation debian archive tree image",
    "plan": "foundation",
    "replay": "foundation plan",
    "build": "foundation archive tree image python base plan",
    "deliver": "foundation image archive",
    "deliver/receiver": "net engine registry",
    "deliver/receiver/api": "",
    "deliver/receiver/ssh": "",
    "deliver/rollout": "",
    "splicer": "foundation archive",
    "inspect": "foundation archive tree image python",
    "check": "foundation owners archive tree image python base",
    "sbom": "foundation archive tree image python base",
    "app": "foundation owners setup start archive tree net engine registry image python base plan replay build deliver inspect check sbom",
    "cli": "foundation owners setup archive tree net image python base plan replay build deliver inspect check sbom app",
}
# Heavy headers: each is included in one file only.
SINGLE_USE = {"nlohmann/json.hpp", "toml++/toml.h", "CLI/CLI.hpp", "yaml.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def allowed(place: pathlib.PurePath) -> set[str]:
    """Folders that the file at `place` (relative to src) may include from."""
    names = {str(place)} if str(place) in ARROWS else set()
    names |= {str(parent) for parent in place.parents if str(parent) in ARROWS}
    if not names:
        sys.exit(f"layering: {place} is in no module of the architecture")
    return {target for name in names for target in ARROWS[name].split()} | {place.parts[0]}


def main() -> int:
    source = pathlib.Path(__file__).resolve().parent.parent / "src"
    problems = []
    users: dict[str, list[str]] = {}
    for file in sorted(source.rglob("*")):
        if file.suffix not in (".cc", ".hh"):
            continue
        place = file.relative_to(source)
        for kind, name in INCLUDE.findall(file.read_text()):
            if name in SINGLE_USE:
                users.setdefault(name, []).append(str(place))
            if kind == "<":
                continue
            if not (source / name).exists():
                problems.append(f"{place} includes {name}, which is not below src/")
            elif pathlib.PurePath(name).parts[0] not in allowed(place):
                problems.append(f"{place} includes {name}: no such arrow")
    for name, files in users.items():
        if len(files) > 1:
            problems.append(f"{name} is included by {', '.join(files)}; one file must do")
    for problem in problems:
        print(f"layering: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
