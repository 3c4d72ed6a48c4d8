#!/usr/bin/env python3
"""The project's store while several commands use it at once."""

import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

PRIVATE_MOUNTS = Path(__file__).resolve().parents[1] / "support" / "private_mounts"


class Store(fixtures.SystemTest):
    def blobs(self, path: Path) -> set[str]:
        return {file.name for file in (path / ".veneer" / "blobs" / "sha256").iterdir()}

    def rebuild(self, path: Path, text: str) -> None:
        (path / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print('{text}')\n")
        fixtures.commit_all(path, text)
        self.veneer("build", cwd=path)

    def test_a_build_leaves_what_a_ship_has_to_read(self):
        path = self.small_project()
        self.veneer("build", cwd=path)
        before = self.blobs(path)
        with socket.socket(socket.AF_UNIX) as server:  # an engine that does not answer yet
            server.bind(f"{self.folder}/engine")
            server.listen()
            ship = subprocess.Popen([fixtures.binary(), "ship", f"unix://{self.folder}/engine"], cwd=path, env=self.environment(),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            connection, _ = server.accept()
            with connection:
                self.assertTrue(connection.recv(1))  # it has opened the image and asks
                self.rebuild(path, "good day")
                self.assertLessEqual(before, self.blobs(path))
                self.rebuild(path, "good night")
                self.assertLessEqual(before, self.blobs(path))
        ship.communicate()
        self.assertEqual(ship.returncode, 5)
        self.rebuild(path, "good morning")
        self.assertFalse(before <= self.blobs(path), "what nobody reads any more goes")
        self.veneer("inspect", "--verify", cwd=path)

    def test_two_builds_at_once(self):
        path = self.small_project()
        self.veneer("build", cwd=path)
        for tag in ("one", "two"):
            copy = self.folder / tag
            fixtures.shutil.copytree(path, copy, ignore=lambda *_: [".veneer"])
            (copy / ".veneer").symlink_to(path / ".veneer")
            text = (copy / "pyproject.toml").read_text()
            (copy / "pyproject.toml").write_text(text.replace("[tool.veneer.image]", f'[tool.veneer.image]\ntag = "{tag}"'))
            (copy / "run.py").write_text(f"print('{tag}')\n")
        builds = [subprocess.Popen([fixtures.binary(), "build", "--quiet"], cwd=self.folder / tag, env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for tag in ("one", "two") * 3]
        for build in builds:
            said = build.communicate()[1]
            self.assertEqual(build.returncode, 0, said)
        for tag in ("one", "two", "1.0.0"):
            self.veneer("inspect", f"shop:{tag}", "--verify", cwd=path)

    def test_a_store_on_a_read_only_file_system(self):
        path = self.small_project()
        self.veneer("build", cwd=path)
        script = ('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/x" 2>/dev/null && cd "$1" && '
                  '"$2" inspect --verify && "$2" inspect "oci:$1/.veneer:shop:1.0.0" --contents')
        result = subprocess.run([str(PRIVATE_MOUNTS), "sh", "-c", script, "sh", str(path), fixtures.binary()], env=self.environment(),
                                capture_output=True, text=True, cwd="/")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    fixtures.main()
