#!/usr/bin/env python3
"""Puts the hosts of the package index that this machine's uv uses into a committed uv.lock, or takes them out again.

Locks in this repository name no real index: they say index.example and files.index.example. Which index stands behind
these names is asked of uv itself: it locks a throwaway project of one small distribution, and the addresses in that
lock are the answer, so the user's own mirror settings are obeyed.

    real_index.py LOCK... [--uv PATH]             reserved hosts -> the real ones, in place
    real_index.py --reserve LOCK... [--uv PATH]   the real ones -> reserved hosts, in place
    real_index.py --show [--uv PATH]              prints the two addresses as JSON

Other scripts import find(), to_real() and to_reserved().
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

RESERVED_INDEX = "https://index.example/simple"
RESERVED_FILES = "https://files.index.example"
PROBE = "iniconfig"  # small, pure Python, without dependencies


class IndexUnknown(Exception):
    """The index cannot be found out; the text says why."""


@dataclass(frozen=True)
class Index:
    index: str  # address of the index, without a slash at its end
    files: str  # address that the paths of files (/packages/..) are appended to


def uv_path(given=None):
    """The uv to use: the one given, $UV, or the one on PATH."""
    found = shutil.which(given or os.environ.get("UV") or "uv")
    if found is None:
        raise IndexUnknown("uv is not on PATH; name it by --uv")
    return os.path.abspath(found)


def find(uv):
    """Asks uv for the index. Raises IndexUnknown with uv's own words if it cannot lock."""
    with tempfile.TemporaryDirectory(prefix="veneer-index-") as folder:
        project = Path(folder) / "pyproject.toml"
        project.write_text(
            f'[project]\nname = "probe"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["{PROBE}"]\n'
        )
        done = subprocess.run([uv, "lock", "--quiet"], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise IndexUnknown(f"uv lock failed: {done.stderr.strip()}")
        lock = (Path(folder) / "uv.lock").read_text("utf-8")
    registry = re.search(r'registry = "([^"]+)"', lock)
    file = re.search(r'url = "([^"]+?)/packages/[^"]+"', lock)
    if registry is None or file is None:
        raise IndexUnknown("this index keeps its files at addresses without /packages/; a lock cannot be carried over to it")
    return Index(registry[1].rstrip("/"), file[1])


def _replaced(text, old, new):
    text = re.sub(rf'registry = "{re.escape(old.index)}/?"', lambda _: f'registry = "{new.index}"', text)
    return text.replace(f'url = "{old.files}/packages/', f'url = "{new.files}/packages/')


RESERVED = Index(RESERVED_INDEX, RESERVED_FILES)


def to_real(text, index):
    """The text of a lock with the reserved hosts replaced by those of the index."""
    return _replaced(text, RESERVED, index)


def to_reserved(text, index):
    """The reverse of to_real. Raises IndexUnknown if an address of another host is left in the text."""
    text = _replaced(text, index, RESERVED)
    for address in re.findall(r'"(https?://[^"]+)"', text):
        if not address.startswith((RESERVED_INDEX, RESERVED_FILES)):
            raise IndexUnknown(f"the lock names another host: {address}")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("locks", nargs="*", type=Path, metavar="LOCK")
    parser.add_argument("--reserve", action="store_true", help="take the real hosts out instead")
    parser.add_argument("--show", action="store_true", help="print the addresses of the index as JSON")
    parser.add_argument("--uv", help="the uv to ask (default: $UV, else uv on PATH)")
    arguments = parser.parse_args()
    if not arguments.locks and not arguments.show:
        parser.error("no lock is named")
    try:
        index = find(uv_path(arguments.uv))
        if arguments.show:
            print(json.dumps(asdict(index)))
        for lock in arguments.locks:
            text = lock.read_text("utf-8")
            lock.write_text(to_reserved(text, index) if arguments.reserve else to_real(text, index), "utf-8")
    except (IndexUnknown, OSError) as error:
        sys.exit(f"real_index.py: {error}")


if __name__ == "__main__":
    main()
