#!/usr/bin/env python3
"""Compares a virtual environment that `uv sync` made with the one in a veneer image, file by file.

    uv_tree.py UV_VENV OUR_VENV     two folders; prints what differs, exit 1 when something does that may not

Both must be made for the same prefix and the same interpreter. Names, types, executable bits, link targets and contents
are compared; times and owners are not, because uv writes those of the day. What may differ is listed in ALLOWED, each with
its reason; docs/formats.md has the same list.
"""

import dataclasses
import hashlib
import re
import stat
import sys
from pathlib import Path

# Path below the environment -> reason. They exist on one side only.
ONLY_UV = [
    (r"\.gitignore|\.lock|CACHEDIR\.TAG", "marks of a folder that uv manages"),
    (r"bin/(activate.*|deactivate\.bat|pydoc\.bat)", "scripts for interactive shells"),
    (r"lib/python3\.\d+t?/site-packages/_virtualenv\.(py|pth)", "a patch of distutils for interactive use"),
    (r"lib/python3\.\d+t?/site-packages/[^/]+\.dist-info/uv_(cache|build)\.json", "when and where uv built it"),
    (r"lib/python3\.\d+t?/site-packages/[^/]+\.dist-info/direct_url\.json", "the folder of the machine that built it"),
    (r"lib/python3\.\d+t?/site-packages/[^/]+\.dist-info/REQUESTED", "says that a person asked for it"),
]
ONLY_OURS: list = []
CFG = "pyvenv.cfg"
CFG_REASON = "pyvenv.cfg: ours has no version of uv, no patch version of Python, no prompt"
RECORD_REASON = "RECORD: rows of INSTALLER and of files that are on one side only; ours is sorted"
INSTALLER_REASON = "INSTALLER: names the tool"
ACTIVATE_REASON = "bin/activate: a script for interactive shells"
LINK_REASON = "bin/python: leads to the interpreter by another chain of links"


@dataclasses.dataclass
class Comparison:
    equal_files: int = 0
    allowed: dict = dataclasses.field(default_factory=dict)  # reason -> paths
    unexpected: list = dataclasses.field(default_factory=list)

    def allow(self, reason: str, path: str) -> None:
        self.allowed.setdefault(reason, []).append(path)

    def summary(self) -> str:
        lines = [f"{self.equal_files} files, folders and links are equal"]
        lines += [f"{len(paths):5} allowed: {reason}" for reason, paths in sorted(self.allowed.items())]
        lines += [f"UNEXPECTED: {text}" for text in self.unexpected]
        return "\n".join(lines)


def entries(root: Path) -> dict:
    found = {}
    pending = [root]
    while pending:
        for path in sorted(pending.pop().iterdir()):
            found[path.relative_to(root).as_posix()] = path
            if path.is_dir() and not path.is_symlink():
                pending.append(path)
    return found


def allowed_reason(path: str, rules: list) -> str | None:
    return next((reason for pattern, reason in rules if re.fullmatch(pattern, path)), None)


def record_rows(path: Path, gone: set, folder: str) -> set:
    """Rows but for those of files that only one side has."""
    rows = set()
    for row in path.read_text().splitlines():
        name = row.rsplit(",", 2)[0].strip('"')
        if f"{folder}/{name}" not in gone and not name.endswith(".dist-info/INSTALLER"):
            rows.add(row)
    return rows


def settings(path: Path) -> dict:
    pairs = dict(line.split(" = ", 1) for line in path.read_text().splitlines() if " = " in line)
    for key in ("uv", "prompt"):
        pairs.pop(key, None)
    for key in ("version_info", "version"):
        if key in pairs:
            pairs[key] = ".".join(pairs[key].split(".")[:2])
    return pairs


def compare(uv_venv: Path, our_venv: Path) -> Comparison:
    result = Comparison()
    theirs, ours = entries(uv_venv), entries(our_venv)
    gone = set()
    for only, rules, where in ((theirs.keys() - ours.keys(), ONLY_UV, "in uv's"), (ours.keys() - theirs.keys(), ONLY_OURS, "in ours")):
        for path in sorted(only):
            reason = allowed_reason(path, rules)
            if reason:
                gone.add(path)
                result.allow(reason, path)
            else:
                result.unexpected.append(f"{path} is only {where}")
    for path in sorted(theirs.keys() & ours.keys()):
        compare_one(path, theirs[path], ours[path], gone, result)
    return result


def compare_one(path: str, theirs: Path, ours: Path, gone: set, result: Comparison) -> None:
    left, right = theirs.lstat(), ours.lstat()
    if stat.S_IFMT(left.st_mode) != stat.S_IFMT(right.st_mode):
        result.unexpected.append(f"{path} is of another type")
    elif stat.S_ISLNK(left.st_mode):
        if theirs.readlink() == ours.readlink():
            result.equal_files += 1
        elif re.fullmatch(r"bin/python[0-9.]*t?", path):
            result.allow(LINK_REASON, path)
        else:
            result.unexpected.append(f"{path} leads to {ours.readlink()}, uv's to {theirs.readlink()}")
    elif stat.S_IMODE(left.st_mode) != stat.S_IMODE(right.st_mode):
        result.unexpected.append(f"{path} has mode {stat.S_IMODE(right.st_mode):o}, uv's {stat.S_IMODE(left.st_mode):o}")
    elif stat.S_ISDIR(left.st_mode) or same_bytes(theirs, ours):
        result.equal_files += 1
    elif path == CFG:
        compare_settings(theirs, ours, result)
    elif path == "bin/activate":
        result.allow(ACTIVATE_REASON, path)
    elif path.endswith(".dist-info/INSTALLER"):
        result.allow(INSTALLER_REASON, path)
    elif path.endswith(".dist-info/RECORD"):
        folder = path.rsplit("/", 2)[0]
        if record_rows(theirs, gone, folder) == record_rows(ours, gone, folder):
            result.allow(RECORD_REASON, path)
        else:
            differences = record_rows(theirs, gone, folder) ^ record_rows(ours, gone, folder)
            result.unexpected.append(f"{path} has other rows: {sorted(differences)[:4]}")
    else:
        result.unexpected.append(f"{path} has other bytes")


def compare_settings(theirs: Path, ours: Path, result: Comparison) -> None:
    left, right = settings(theirs), settings(ours)
    if left == right:
        result.allow(CFG_REASON, CFG)
    else:
        result.unexpected.append(f"{CFG}: {right}, uv's {left}")


def same_bytes(left: Path, right: Path) -> bool:
    return left.stat().st_size == right.stat().st_size and digest(left) == digest(right)


def digest(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


if __name__ == "__main__":
    comparison = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(comparison.summary())
    sys.exit(1 if comparison.unexpected else 0)
