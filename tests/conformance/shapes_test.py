#!/usr/bin/env python3
"""What veneer installs is what uv installs: for projects of many shapes, file by file, by the same interpreter at the same
place. A fair part of them by default; all of them, some with gigabytes, where VENEER_TEST_ALL is set."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import fixtures  # noqa: E402
import roots  # noqa: E402
import shapes  # noqa: E402
import uv_tree  # noqa: E402

# Prints a name and a digest of the code for every .pyc below a folder: the header of a file may hold a time, its code not.
READ_BYTE_CODE = r"""
import hashlib, json, marshal, pathlib, sys
root, found = pathlib.Path(sys.argv[1]), {}
def facts(code):
    constants = [facts(one) if hasattr(one, "co_code") else (sorted(map(repr, one)) if isinstance(one, frozenset) else repr(one)) for one in code.co_consts]
    return [code.co_name, code.co_filename, code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_linetable.hex(), code.co_exceptiontable.hex()]
for path in sorted(root.rglob("*.pyc")):
    code = marshal.loads(path.read_bytes()[16:])
    found[path.relative_to(root).as_posix()] = hashlib.sha256(json.dumps(facts(code)).encode()).hexdigest()
json.dump(found, sys.stdout)
"""


class Shapes(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.cache = fixtures.test_cache() / "greenhouse-cache"  # wheels and bases come over the network once
        self.project = self.folder / "project"

    def unpacked(self) -> Path:
        """The image as another tool unpacks it."""
        root = self.folder / "root"
        root.mkdir()
        self.veneer("build", "--cmd", "python", "--output", f"oci:{self.folder}/layout:it", *self.options, cwd=self.project)
        subprocess.run(["umoci", "raw", "unpack", "--image", f"{self.folder}/layout:it", str(root)], check=True, capture_output=True)
        shutil.rmtree(self.folder / "layout")
        return root

    def synced(self, name: str, *options: str) -> Path:
        """The environment that uv makes of the project, at /app."""
        application = self.folder / "app"
        shutil.copytree(self.project, application, symlinks=True, ignore=shutil.ignore_patterns(".veneer"))
        words = ["uv", "sync", "--quiet", "--frozen", "--no-dev", "--no-editable", "--no-python-downloads", "--python",
                 "/usr/bin/python3.11", *options]
        for extra in shapes.SHAPES[name].extras:
            words += ["--extra", extra]
        places = {"/app": application, "/uv-cache": fixtures.test_cache() / "uv"}
        if name == "git":  # its URL names a folder of this machine
            repository = Path(f"{self.project}.repository")
            places[str(repository)] = repository
        done = roots.run_inside(roots.uv_root("bookworm"), places, f"cd /app\n{' '.join(words)}", UV_CACHE_DIR="/uv-cache", UV_LINK_MODE="copy")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return application / ".venv"

    def compare(self, name: str) -> None:
        self.options: list = []
        shapes.make(name, self.project, self.environment())
        ours = self.unpacked() / "app" / ".venv"
        comparison = uv_tree.compare(self.synced(name), ours)
        print(f"{name}: {comparison.summary()}", flush=True)
        self.assertEqual(comparison.unexpected, [])
        self.assertGreater(comparison.equal_files, 10)

    def test_byte_code(self):
        """As `uv sync --compile-bytecode`: the same files with the same code. uv's carry times, ours do not."""
        self.options = ["--byte-code"]
        shapes.make("zope", self.project, self.environment())
        root = self.unpacked()
        environment = self.synced("zope", "--compile-bytecode")
        (root / "compare" / "uv").mkdir(parents=True)
        (root / "compare" / "read.py").write_text(READ_BYTE_CODE)
        found = []
        for place, folder in (("/app/.venv/lib", root / "app" / ".venv" / "lib"), ("/compare/uv", environment / "lib")):
            places = {place: folder} if place.startswith("/compare") else {}
            done = roots.run_inside(root, places, f"/usr/bin/python3.11 /compare/read.py {place}")
            self.assertEqual(done.returncode, 0, done.stderr)
            found.append(json.loads(done.stdout))
        ours, theirs = found
        # A patch of distutils that only uv has; a file that is compiled twice by other rules would be one too many.
        theirs = {path: code for path, code in theirs.items() if "/_virtualenv." not in path}
        self.assertGreater(len(ours), 500)
        self.assertEqual(ours.keys(), theirs.keys())
        self.assertEqual([path for path in ours if ours[path] != theirs[path]], [])


def add_tests() -> None:
    for name, shape in shapes.SHAPES.items():
        if shape.in_ci or os.environ.get("VENEER_TEST_ALL"):
            setattr(Shapes, f"test_{name}", lambda self, name=name: self.compare(name))


add_tests()
if __name__ == "__main__":
    fixtures.main()
