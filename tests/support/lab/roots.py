"""Debian roots that engines run in: one a suite, made once by mmdebstrap and kept in the cache."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import catalogue


class RootFailed(catalogue.CannotHave):
    """A root cannot be made; the text says why."""


def mirror():
    """The Debian mirror: VENEER_DEBIAN_MIRROR, else the first one in apt's sources, else None (mmdebstrap's default)."""
    if given := os.environ.get("VENEER_DEBIAN_MIRROR"):
        return given
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in path.read_text("utf-8").splitlines():
                found = re.match(r"(?:URIs:|deb\s+(?:\[[^]]*\])?)\s*(\S+/debian)/?(?:\s|$)", line)
                if found:
                    return found[1]
    return None


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock on a file (made if absent) until the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def path_of(cache, suite):
    """Where the root of a suite lies. Another package list is another folder, so a stale root is never taken."""
    key = hashlib.sha256(" ".join(catalogue.PACKAGES[suite]).encode()).hexdigest()[:8]
    return cache / "roots" / f"{suite}-{key}"


def obtain(cache, suite, say):
    """The root of a suite; makes it if it is not there. It appears under its name only when it is whole."""
    root = path_of(cache, suite)
    if root.is_dir():
        return root
    with locked(root.with_suffix(".lock")):
        if not root.is_dir():
            say(f"making the {suite} root (once; a minute or two)")
            _make(root, suite)
    return root


def _make(root, suite):
    if shutil.which("mmdebstrap") is None:
        raise RootFailed("mmdebstrap is not installed")
    for left in root.parent.glob(f"{root.name}.unfinished-*"):  # of a run that was killed; the lock is ours
        shutil.rmtree(left)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{root.name}.unfinished-", dir=root.parent))
    unfinished.chmod(0o755)
    options = ['APT::Install-Recommends "false"', *catalogue.FROZEN_MIRROR_OPTIONS.get(suite, ())]
    command = [
        "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(catalogue.PACKAGES[suite])}",
        *(f"--aptopt={option}" for option in options),
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--skip=check/empty", suite, str(unfinished),
    ]  # fmt: skip
    if source := mirror():
        command.append(source)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(unfinished)
        raise RootFailed(f"mmdebstrap {suite} failed:\n{done.stderr.strip()[-4000:]}")
    for mount_point in ("host", "state", "var/lib/containers"):
        (unfinished / mount_point).mkdir(parents=True, exist_ok=True)
    unfinished.rename(root)
