#!/usr/bin/env python3
"""Layers laid over each other: veneer's merged tree against the files that real engines give a container.

layer_pairs.json holds pairs of layers ("d/" a folder, "l -> t" a symbolic link, "h => t" a hard link, else a file), the
tree that they make, which stores refuse the upper one (where not all do, it depends on the version: these are Docker
20.10, 28 and podman 4.3), and where engines differ from the specification what they show.
tests/unit/tree/layer_pairs_test.cc reads the same table without engines.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import tiny_image  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402

PAIRS = json.loads((Path(__file__).parent / "layer_pairs.json").read_text())
OF_ENGINES = {"dev", "etc", "proc", "run", "sys", ".dockerenv"}  # what engines put into every container


def below(folder: str, line: str) -> str:
    """An entry or a line of a tree, moved into `folder`; absolute links follow."""
    line = line.replace(" -> /", f" -> /{folder}").replace(" => ", f" => {folder}")
    return folder + line


def layer(entries: list[tuple[str, str]], mark: str) -> bytes:
    """A tar of (folder, entry). A file says by its data which layer it is of and what it was called."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder, entry in entries:
            moved = below(folder, entry)
            data = b""
            if " -> " in entry or " => " in entry:
                name, arrow, target = moved.split(" ")
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE if arrow == "->" else tarfile.LNKTYPE, target
            elif moved.endswith("/"):
                member = tarfile.TarInfo(moved.rstrip("/"))
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            else:
                member = tarfile.TarInfo(moved)
                data = b"" if "/.wh." in f"/{entry}" else f"{mark} {entry}".encode()
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def image(pairs: list[tuple[str, dict]], name: str) -> bytes:
    def half(part: str, mark: str) -> bytes:
        return layer([(folder, entry) for folder, pair in pairs for entry in pair[part]], mark)

    return tiny_image.archive([half("lower", "low"), half("upper", "up")], name, ["/none"])


def exported_lines(tar: bytes) -> list[str]:
    lines = []
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            path = member.name.removeprefix("./").rstrip("/")
            if path in ("", ".") or path.split("/")[0] in OF_ENGINES:
                continue
            if member.isdir():
                lines.append(path + "/")
            elif member.issym():
                lines.append(f"{path} -> {member.linkname}")
            else:
                lines.append(f"{path} = {archive.extractfile(member).read().decode()}")
    return sorted(lines)


class OnEngine(fixtures.SystemTest):
    engine = ""
    store = ""
    other_version = False  # than those of the table
    name = "docker.io/test/merge:1"

    @classmethod
    def setUpClass(cls):
        cls.unit = cls.engine + "@merge"
        start_engine(cls, cls.unit)

    def pairs(self, refused: bool) -> list[dict]:
        stores = {"overlay2", "podman", "containerd"}
        known = [pair for pair in PAIRS if not self.other_version or set(pair.get("refused_by", stores)) == stores]
        return [pair for pair in known if (self.store in pair.get("refused_by", ())) == refused]

    def client(self, *words: str, **options) -> subprocess.CompletedProcess:
        program = "podman" if self.engine.startswith("podman") else "docker"
        return subprocess.run([str(ENGINES), "exec", self.unit, program, *words], capture_output=True, cwd="/tmp", **options)

    def load(self, archive: bytes) -> bool:
        loaded = self.client("load", input=archive)
        return loaded.returncode == 0 and b"rror" not in loaded.stdout + loaded.stderr

    def tree(self, archive: bytes) -> list[str]:
        self.assertTrue(self.load(archive))
        container = self.client("create", "--network", "none", self.name, check=True).stdout.decode().split()[-1]
        return exported_lines(self.client("export", container, check=True).stdout)


class Merge:
    def test_trees_are_equal(self):
        """All pairs at once, each in a folder of its own; those that are about the root or on which engines differ one by one."""
        accepted = self.pairs(refused=False)
        alone = [pair for pair in accepted if "engines" in pair]
        placed = [(f"case{number}/", pair) for number, pair in enumerate(accepted) if pair not in alone]
        expected = sorted({folder for folder, _ in placed} | {below(folder, line) for folder, pair in placed for line in pair["tree"]})
        self.assertGreater(len(placed), 40)
        archive = image([(folder, {"lower": pair["lower"], "upper": pair["upper"]}) for folder, pair in placed], self.name)
        self.assertEqual(self.tree(archive), expected)

        (self.folder / "image.tar").write_bytes(archive)
        inspected = json.loads(self.veneer("inspect", "docker-archive:image.tar", "--tree", "--json").stdout)
        kinds = {"folder": "/", "symlink": " -> ", "file": ""}
        ours = sorted(entry["path"] + kinds[entry["type"]] + entry.get("link", "") for entry in inspected["entries"])
        self.assertEqual(ours, [line.split(" = ")[0] for line in expected])

        for pair in alone:
            with self.subTest(pair["name"]):
                self.assertEqual(self.tree(image([("", pair)], self.name)), pair["engines"])

    def test_refusals(self):
        """What the table says that this store refuses."""
        for pair in self.pairs(refused=True):
            with self.subTest(pair["name"]):
                self.assertFalse(self.load(image([("", pair)], self.name)))


class Docker20(Merge, OnEngine):
    engine, store = "docker20", "overlay2"


class Docker28Containerd(Merge, OnEngine):
    engine, store = "docker28-c8d", "containerd"


class Podman4(Merge, OnEngine):
    engine, store = "podman4", "podman"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker26Containerd(Merge, OnEngine):
        engine, store, other_version = "docker26-c8d", "containerd", True

    class Docker28(Merge, OnEngine):
        engine, store, other_version = "docker28", "overlay2", True

    class Podman5(Merge, OnEngine):
        engine, store, other_version = "podman5", "podman", True


if __name__ == "__main__":
    fixtures.main()
