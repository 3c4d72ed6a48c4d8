"""Images whose program says what it finds: certificates, a name, a home."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import fixtures

PROGRAM = """\
import grp, json, os, pathlib, pwd, ssl
home = pathlib.Path.home()
try:
    (home / "note").write_text("x")
    writable = True
except OSError:
    writable = False
print(json.dumps({
    "certificates": ssl.create_default_context().cert_store_stats()["x509_ca"], "home": str(home), "writable": writable,
    "name": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name,
    "passwd": pwd.getpwuid(os.getuid()).pw_dir}))
"""


class AskingTest(fixtures.SystemTest):
    lowest: dict[str, Path] = {}  # unpacked lowest layers of images, shared by the tests of a class

    @classmethod
    def unpacked(cls, layer: Path) -> Path:
        """A lowest layer as a folder. Its files are linked into the roots of tests, and replaced there, not written to."""
        if layer.name not in cls.lowest:
            folder = Path(tempfile.mkdtemp(prefix="veneer-test-"))
            cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)
            cls.lowest[layer.name] = folder / "root"
            (folder / "root").mkdir()
            cls.unpack(layer, folder / "root")
        return cls.lowest[layer.name]

    @staticmethod
    def unpack(layer: Path, root: Path) -> None:
        subprocess.run(["tar", "--extract", "--gzip", "--numeric-owner", "--same-permissions", "--exclude=dev/*",
                        "--file", layer, "--directory", root], check=True)
        for mark in root.rglob(".wh.*"):
            gone = mark.with_name(mark.name.removeprefix(".wh."))
            shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)
            mark.unlink()

    def run_image(self, path: Path) -> dict:
        """What the program of the image that was built last says of itself, run as the image's user in its files."""
        layout = path / ".veneer"
        index = json.loads((layout / "index.json").read_text())

        def blob(digest: str) -> Path:
            return layout / "blobs" / "sha256" / digest.split(":")[1]

        manifest = json.loads(blob(index["manifests"][-1]["digest"]).read_text())
        config = json.loads(blob(manifest["config"]["digest"]).read_text())["config"]
        root = self.folder / f"root-of-{path.name}"
        lowest, *others = [blob(layer["digest"]) for layer in manifest["layers"]]
        subprocess.run(["cp", "--archive", "--link", self.unpacked(lowest), root], check=True)
        for layer in others:
            self.unpack(layer, root)
        os.chmod(self.folder, 0o755)
        result = subprocess.run([shutil.which("chroot"), f"--userspec={config['User']}", "--groups=", root, "/usr/bin/env",
                                 f"--chdir={config['WorkingDir']}", *(config.get("Entrypoint") or []), *(config.get("Cmd") or [])],
                                env=dict(entry.split("=", 1) for entry in config["Env"]), capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)
