#!/usr/bin/env python3
"""Measures what three deploys of a project cost without veneer: the first one, a code edit, a bumped dependency.

    today.py HISTORY --uv PATH [--python PATH] [--first TAG] [--edit TAG] [--bump TAG] [--base LAYER.tar]... [--scratch DIR]

HISTORY is a git checkout with these tags (make_history.py makes one; v1.0.0, v1.0.1 and v1.1.0 by default).
Prints JSON: {"a": {"first": N, "edit": N, "bump": N}, "b": {..}, "layers": {..}}.

(a) the way of today (examples/greenhouse/Dockerfile.today): a fresh `uv sync --frozen --no-dev --no-editable` for every
    build, copied into the image as one layer; the files of [tool.veneer.image] as a second one.
(b) a base image with `uv sync --no-install-project`, made again
    only when the lock changes; on it `uv pip install --no-deps .`, and /app/.venv is copied once more into the app image;
    then the files. For the edit the base is the old one, files and times included.

What is counted: the bytes of the gzip-compressed layer blobs from the first layer on that differs from the image before;
a first deploy counts all layers. That is what a registry push and pull moves. Manifests and configs (some kilobytes), HTTP
and TLS are not counted. The system layers below are the same for every way; those named by --base (a plain or gzip
tar each) are added to "first".

How layers are packed: as Docker does it. One tar entry for every folder and file from /app down, folders before what is in
them, names sorted, owner root, times as on disk cut to seconds, no hard links (uv copies inside a build), PAX records only
where a field does not fit, two zero blocks at the end; then gzip level 6. The compressor is zlib. Docker's own (Go's) is
a little weaker: one such environment of 462.9 MB is 134.1 MB here, and a push of it moved 136.5 MB from Docker 20.10 and
140.1 MB from 28.5, so these numbers are if anything too kind to (a) and (b). Byte code is not made, as in these Dockerfiles. Every number is the
length of bytes that were really produced in this run; "layers" lists them, with uncompressed sizes and digests.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support" / "python"))
import surroundings  # noqa: E402, F401


class Failed(Exception):
    """A command that did not work."""


@dataclass(frozen=True)
class Layer:
    what: str
    digest: str  # of the compressed blob
    compressed: int
    uncompressed: int


class GzipCounter:
    """A file to write to that compresses by gzip level 6, and keeps only lengths and the digest."""

    def __init__(self):
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        self._hash = hashlib.sha256()
        self.compressed = self.uncompressed = 0

    def _take(self, piece):
        self._hash.update(piece)
        self.compressed += len(piece)

    def write(self, data):
        self.uncompressed += len(data)
        self._take(self._compressor.compress(data))
        return len(data)

    def tell(self):
        return self.uncompressed

    def layer(self, what):
        self._take(self._compressor.flush())
        return Layer(what, f"sha256:{self._hash.hexdigest()}", self.compressed, self.uncompressed)


def entry(name, found, mode=None, owner=0):
    """The tar header of something on disk, as Docker writes it."""
    made = tarfile.TarInfo(name)
    made.mode = found.st_mode & 0o7777 if mode is None else mode
    made.uid = made.gid = owner
    made.mtime = int(found.st_mtime)
    return made


def add(archive, path, name, mode=None):
    """Adds a file, link or folder with all that is in it, names sorted."""
    found = path.lstat()
    made = entry(name, found, None if path.is_dir() and not path.is_symlink() else mode)
    if path.is_symlink():
        made.type, made.linkname = tarfile.SYMTYPE, os.readlink(path)
        archive.addfile(made)
    elif path.is_dir():
        made.type = tarfile.DIRTYPE
        archive.addfile(made)
        for child in sorted(path.iterdir()):
            add(archive, child, f"{name}/{child.name}", mode)
    else:
        made.size = found.st_size
        with path.open("rb") as content:
            archive.addfile(made, content)


class Open:
    """A layer being packed: a tar whose bytes go to a GzipCounter."""

    def __init__(self):
        self._sink = GzipCounter()
        self.archive = tarfile.open(fileobj=self._sink, mode="w", format=tarfile.PAX_FORMAT)

    def finish(self, what):
        self._sink.write(bytes(1024))  # not archive.close(): that fills up to 10 KiB, which Docker does not
        return self._sink.layer(what)


def pack_folder(what, folder, name):
    """One layer: /app and, below it, the folder under the given name."""
    opened = Open()
    parents = name.split("/")[:-1]
    for count in range(len(parents)):
        made = entry("/".join(parents[: count + 1]), folder.parent.lstat(), 0o755)
        made.type = tarfile.DIRTYPE
        opened.archive.addfile(made)
    add(opened.archive, folder, name)
    return opened.finish(what)


def pack_files(what, checkout):
    """One layer with the files, empty files and writable folders of [tool.veneer.image]."""
    image = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["tool"]["veneer"]["image"]
    owner = int(image["user"].split(":")[0])
    now = checkout.lstat()
    opened = Open()
    for path in image["writable"]:
        made = entry(path.strip("/"), now, 0o755, owner)
        made.type = tarfile.DIRTYPE
        opened.archive.addfile(made)
    for path in image["empty_files"]:
        opened.archive.addfile(entry(path.strip("/"), now, 0o644, owner))
    for one in image["files"]:
        add(opened.archive, checkout / one["from"], one["to"].strip("/"), int(one["mode"], 8))
    return opened.finish(what)


def base_layer(path):
    """A layer of the base that lies ready as a tar, plain or gzip; a plain one is compressed as Docker would."""
    content = path.open("rb")
    with content:
        if content.read(2) == b"\x1f\x8b":
            size = path.stat().st_size
            content.seek(0)
            return Layer("base", f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}", size, 0)
        content.seek(0)
        sink = GzipCounter()
        while piece := content.read(1 << 20):
            sink.write(piece)
        return sink.layer("base")


def sent(before, after):
    """Bytes of the layers that travel when the image `after` follows `before`."""
    same = 0
    while same < min(len(before), len(after)) and before[same].digest == after[same].digest:
        same += 1
    return sum(layer.compressed for layer in after[same:])


class Builder:
    """Makes environments by uv below a scratch folder, and packs them."""

    def __init__(self, history, scratch, uv, python):
        self.history, self.scratch, self.uv, self.python = history, scratch, uv, python

    def run(self, *command, cwd, **extra):
        environment = os.environ | {"UV_LINK_MODE": "copy", "UV_NO_PROGRESS": "1", **extra}
        if self.python:
            environment["UV_PYTHON"] = self.python
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()}")

    def checkout(self, name, tag):
        folder = self.scratch / f"checkout-{name}-{tag}"
        self.run("git", "clone", "-q", "--branch", tag, str(self.history), str(folder), cwd=self.scratch)
        return folder

    def environment(self, name, checkout, *options):
        """A fresh environment by uv sync; returns its folder."""
        place = self.scratch / name / "app" / ".venv"
        self.run(self.uv, "sync", "--frozen", "--no-dev", *options, cwd=checkout, UV_PROJECT_ENVIRONMENT=str(place))
        return place

    def pack(self, what, place):
        print(f"today.py: packing {what}", file=sys.stderr)
        return pack_folder(what, place, "app/.venv")

    def today(self, tag):
        """Way (a): the layers of a build of one tag."""
        checkout = self.checkout("a", tag)
        place = self.environment(f"a-{tag}", checkout, "--no-editable")
        layers = [self.pack(f"a {tag} environment", place), pack_files(f"a {tag} files", checkout)]
        shutil.rmtree(place)
        return layers

    def owners_plan(self, tags):
        """Way (b) for tags that follow each other; the base is made again where the lock differs from the one before."""
        lock = place = base = None
        for tag in tags:
            checkout = self.checkout("b", tag)
            if (content := (checkout / "uv.lock").read_bytes()) != lock:
                if place is not None:
                    shutil.rmtree(place)
                lock, place = content, self.environment(f"b-{tag}", checkout, "--no-install-project")
                base = self.pack(f"b {tag} base environment", place)
            self.run(self.uv, "pip", "install", "--python", str(place / "bin/python"), "--no-deps", ".", cwd=checkout)
            yield [base, self.pack(f"b {tag} environment copied again", place), pack_files(f"b {tag} files", checkout)]
        shutil.rmtree(place)


def measure(builder, tags, base):
    with ThreadPoolExecutor(max_workers=2) as pool:
        plan = pool.submit(lambda: list(builder.owners_plan(tags)))
        today = pool.submit(lambda: [builder.today(tag) for tag in tags])
        images = {"a": today.result(), "b": plan.result()}
    result = {}
    for way, (first, edit, bump) in images.items():
        first, edit, bump = base + first, base + edit, base + bump
        result[way] = {"first": sent([], first), "edit": sent(first, edit), "bump": sent(edit, bump)}
    result["layers"] = {
        way: [[asdict(layer) for layer in base + image] for image in images[way]] for way in sorted(images)
    }
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("history", type=Path)
    parser.add_argument("--uv", required=True)
    parser.add_argument("--python", help="the interpreter that uv uses; the one of the base image, for a fair comparison")
    parser.add_argument("--first", default="v1.0.0", metavar="TAG")
    parser.add_argument("--edit", default="v1.0.1", metavar="TAG")
    parser.add_argument("--bump", default="v1.1.0", metavar="TAG")
    parser.add_argument("--base", type=Path, action="append", default=[], metavar="LAYER.tar")
    parser.add_argument("--scratch", type=Path, help="where environments are made for a while (about 1.5 GB)")
    arguments = parser.parse_args()
    uv = shutil.which(arguments.uv)
    if uv is None:
        parser.error(f"there is no uv at {arguments.uv}")
    try:
        base = [base_layer(path) for path in arguments.base]
        with tempfile.TemporaryDirectory(prefix="veneer-today-", dir=arguments.scratch) as scratch:
            builder = Builder(arguments.history.absolute(), Path(scratch), os.path.abspath(uv), arguments.python)
            json.dump(measure(builder, (arguments.first, arguments.edit, arguments.bump), base), sys.stdout, indent=1)
            print()
    except (Failed, OSError, KeyError, ValueError) as error:
        sys.exit(f"today.py: {error}")


if __name__ == "__main__":
    main()
