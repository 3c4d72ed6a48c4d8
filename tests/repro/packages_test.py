#!/usr/bin/env python3
"""Debian packages above a base: those that the wheels need are found and added, in one layer of equal bytes; what runs in the
image finds them. With VENEER_TEST_ALL=1 also more libraries, other bases, other users and archives, and the tables of packages
against the archive itself."""

import contextlib
import gzip
import http.server
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

ARCHIVE = "http://deb.debian.org/debian"


def library(folder: Path, name: str, *needed: str) -> bytes:
    """A shared library that is linked with libraries of these names, which need not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "empty.c"
    source.write_text(f"int {name}(void) {{ return 7; }}\n")
    stand_ins = []
    for soname in needed:
        subprocess.run(["gcc", "-shared", "-nostdlib", f"-Wl,-soname,{soname}", "-o", folder / soname, source], check=True)
        stand_ins.append(folder / soname)
    target = folder / f"{name}.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "-o", target, source, *stand_ins], check=True)
    return target.read_bytes()


class PackagesTest(fixtures.SystemTest):
    def project(self, needed: tuple, base: str, asks: str = "", options: str = "") -> Path:
        """A project that is no package, with a wheel `part` whose library is loaded when it is imported."""
        folder = self.folder / "shop"
        code = f"import ctypes, ctypes.util, pathlib\nVALUE = ctypes.CDLL(pathlib.Path(__file__).parent / 'part.so').part()\n{asks}\n"
        wheel = fixtures.wheel(folder / "wheels", "part", "1.0", {"part/__init__.py": code, "part/part.so": library(self.folder / "c", "part", *needed)})
        mirror = f'mirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() and base.startswith("debian:") else ""
        (folder / "main.py").write_text("import part\nprint(part.VALUE)\n")
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["part"]\n\n'
            f'[tool.uv.sources]\npart = {{ path = "wheels/{wheel.name}" }}\n\n[tool.veneer]\nbase = "{base}"\n\n[tool.veneer.system]\n{mirror}{options}')
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True, env=self.environment())
        fixtures.git(folder, "init", "-q", "-b", "main")
        fixtures.commit_all(folder, "First")
        return folder

    def set_options(self, project: Path, text: str) -> None:
        file = project / "pyproject.toml"
        before, table, _ = file.read_text().partition("[tool.veneer.system]\n")
        file.write_text(f"{before}{table}{text}")
        fixtures.commit_all(project, "Other options")

    def layers(self, built: dict) -> list[str]:
        return [layer["title"] for layer in built["layers"]]

    def assert_works(self, project: Path) -> None:
        """Every library is there and every module can be imported, in a sandbox."""
        report = self.json("check", "--json", cwd=project)
        self.assertEqual([finding for finding in report["findings"] if finding["severity"] == "problem"], [])
        self.assertGreater(report["imports"], 0)


class Packages(PackagesTest):
    def test_what_wheels_need_is_added(self):
        base = f"oci:{fixtures.debian_base()}"
        project = self.project(("libgomp.so.1", "libc.so.6"), base, "pq = ctypes.util.find_library('pq')")
        built = self.json("build", "--json", cwd=project)
        self.assertIn("Debian packages libgomp1", self.layers(built))
        said = "\n".join(built["findings"])
        self.assertIn("the Debian package libgomp1 is added: part needs libgomp.so.1", said)
        self.assertRegex(said, r"holds 1 with what they depend on, [\d.]+ kB installed, [\d.]+ kB to send")
        self.assertIn('part asks for libpq.so.5, which the base lacks; if it is used, add "libpq5" to packages of [tool.veneer.system]', said)
        self.assert_works(project)
        # The wheel and the packages are known: nothing is made, nothing is said of it.
        again = self.veneer("build", "--json", cwd=project)
        self.assertNotIn("adding Debian packages", again.stderr)
        # Without it the image is the same, less that layer, and `check` says what is missing.
        self.set_options(project, "auto = false\n")
        without = self.json("build", "--json", cwd=project)
        self.assertEqual([title for title in self.layers(built) if title != "Debian packages libgomp1"], self.layers(without))
        self.assertEqual(without["findings"], [])
        self.assertIn("libgomp.so.1", self.veneer("check", cwd=project, code=10).stdout)
        self.set_options(project, 'exclude = ["libgomp1", "libpq5"]\n')
        self.assertEqual(self.json("plan", "--json", cwd=project)["findings"], [])

    def test_a_base_without_apt_is_refused_by_name(self):
        base = f"oci:{self.base_without('usr/bin/apt-get')}"
        project = self.project(("libgomp.so.1",), base, options='packages = ["libpq5"]\n')
        refused = self.veneer("build", cwd=project, code=3).stderr
        self.assertIn(f"adding libpq5 to {base}", refused)
        self.assertIn("the base has no dpkg and apt", refused)
        self.set_options(project, "")
        self.assertIn("part needs libgomp.so.1, which is in Debian's libgomp1; this base has no apt to add it", self.veneer("build", cwd=project).stderr)

    def base_without(self, path: str) -> Path:
        """The Debian base with one file whited out."""
        import layouts

        folder, _, name = path.rpartition("/")
        return layouts.with_layer(fixtures.debian_base(), self.folder / "base", {f"{folder}/.wh.{name}": b""})


if __name__ == "__main__":
    fixtures.main()
