#!/usr/bin/env python3
"""Debian packages above a base: those that the wheels need are found and added, in one layer of equal bytes; what runs in the
image finds them. With VENEER_TEST_ALL=1 also more libraries, other bases, other users and archives, and the tables of packages
against the archive itself."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402

ARCHIVE = "http://deb.debian.org/debian"


def library(folder: Path, name: str, *needed: str, soname: str = "none") -> bytes:
    """A shared library that is linked with libraries of these names, which need not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "empty.c"
    source.write_text(f"int {name}(void) {{ return 7; }}\n")
    stand_ins = []
    for stand_in in needed:
        subprocess.run(["gcc", "-shared", "-nostdlib", f"-Wl,-soname,{stand_in}", "-o", folder / stand_in, source], check=True)
        stand_ins.append(folder / stand_in)
    target = folder / f"{name}.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", f"-Wl,--no-as-needed,-soname,{soname}", "-o", target, source, *stand_ins], check=True)
    return target.read_bytes()


def archive(folder: Path, packages: dict[str, dict[str, bytes]]) -> str:
    """A small archive of Debian, not signed and long expired: name -> path -> data. As lines of [tool.veneer.system]."""
    lists = ""
    pool = folder / "archive" / "pool"
    for name, files in packages.items():
        tree = folder / name
        for path, data in {**files, "DEBIAN/control": b""}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(data)
        control = f"Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\nInstalled-Size: 16\nMaintainer: nobody <nobody@example.org>\nDescription: {name}\n"
        (tree / "DEBIAN/control").write_text(control)
        pool.mkdir(parents=True, exist_ok=True)
        file = pool / f"{name}_1.0-1_amd64.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, capture_output=True)
        lists += f"{control}Filename: pool/{file.name}\nSize: {file.stat().st_size}\nSHA256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n\n"
    for suite, text in ("bookworm", lists), ("bookworm-updates", ""):
        place = folder / "archive" / "dists" / suite
        (place / "main/binary-amd64").mkdir(parents=True)
        (place / "main/binary-amd64/Packages").write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (place / "Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: amd64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
            f"Valid-Until: Thu, 08 Jan 2026 00:00:00 UTC\nSHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n")
    options = ('Acquire::AllowInsecureRepositories "true"', 'APT::Get::AllowUnauthenticated "true"', 'Acquire::Check-Valid-Until "false"')
    return f'mirror = "file://{folder}/archive"\napt_options = [{", ".join(chr(39) + option + chr(39) for option in options)}]\n'


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
        """From an archive of the test's own, which is a folder of this machine, private and frozen."""
        base = f"oci:{fixtures.debian_base()}"
        gomp = {"usr/lib/x86_64-linux-gnu/libgomp.so.1": library(self.folder / "gomp", "gomp", soname="libgomp.so.1"), "var/log/gomp.log": b"x"}
        options = archive(self.folder / "debian", {"libgomp1": gomp, "other": {}})
        project = self.project(("libgomp.so.1", "libc.so.6"), base, "pq = ctypes.util.find_library('pq')", options)
        built = self.json("build", "--json", cwd=project)
        self.assertIn("Debian packages libgomp1", self.layers(built))
        said = "\n".join(built["findings"])
        self.assertIn("the Debian package libgomp1 is added: part needs libgomp.so.1", said)
        self.assertRegex(said, r"holds 1 with what they depend on, 16.4 kB installed, [\d.]+ kB to send")
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
        folder, _, name = path.rpartition("/")
        return layouts.with_layer(fixtures.debian_base(), self.folder / "base", {f"{folder}/.wh.{name}": b""})


if os.environ.get("VENEER_TEST_ALL"):

    class PackagesOfDebian(PackagesTest):
        def test_libraries_of_graphics_and_text(self):
            """A base by veneer, libraries with many others behind them, and what only a running program asks for."""
            asks = "assert ctypes.util.find_library('pq')\nassert ctypes.util.find_library('magic')\n"
            project = self.project(("libGL.so.1", "libpangoft2-1.0.so.0", "libgomp.so.1"), "debian:bookworm", asks)
            plan = self.json("plan", "--json", cwd=project)
            self.assertEqual([line.split()[0] for line in plan["findings"] if "asks for" in line], ["part"] * 2)
            self.set_options(project, (f'mirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() else "") + 'packages = ["libmagic1", "libpq5"]\n')
            built = self.json("build", "--json", cwd=project)
            self.assertIn("Debian packages libgl1 libgomp1 libmagic1 libpangoft2-1.0-0 libpq5", self.layers(built))
            self.assert_works(project)
            self.assertNotIn("asks for", "\n".join(built["findings"]))

    class PackagesOfOthers(PackagesTest):
        def test_a_user_makes_the_same_layer(self):
            """In a user namespace with subordinate IDs; the user exists in a mount namespace of the test's own."""
            project = self.project(("libgomp.so.1",), f"oci:{fixtures.debian_base()}")
            built = self.json("build", "--json", cwd=project)
            home = self.folder / "user"
            home.mkdir()
            (home / "passwd").write_text(Path("/etc/passwd").read_text() + f"tester:x:4242:4242::{home}:/bin/sh\n")
            (home / "ids").write_text("tester:200000:65536\n")
            theirs = home / "shop"
            subprocess.run(["cp", "-r", project, theirs], check=True)
            (theirs / "pyproject.toml").write_text((project / "pyproject.toml").read_text().replace(str(fixtures.debian_base()), str(home / "base")))
            subprocess.run(["cp", "-r", fixtures.debian_base(), home / "base"], check=True)
            for program in (fixtures.binary(), shutil.which("uv")):
                shutil.copy(program, home)
            subprocess.run(["chown", "-R", "4242:4242", home], check=True)
            self.folder.chmod(0o755)
            script = """set -e
                mount --bind passwd /etc/passwd; mount --bind ids /etc/subuid; mount --bind ids /etc/subgid
                cd shop
                exec setpriv --reuid=4242 --regid=4242 --clear-groups ../veneer build --json"""
            result = subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=home, capture_output=True, text=True, env=self.environment(
                HOME=str(home), XDG_CACHE_HOME=str(home / "cache"), UV_CACHE_DIR=str(home / "uv-cache"), PATH=f"{home}:{os.environ['PATH']}"))
            self.assertEqual(result.returncode, 0, result.stderr)
            layer = {layer["title"]: layer["digest"] for layer in json.loads(result.stdout)["layers"]}
            self.assertEqual(layer["Debian packages libgomp1"], {layer["title"]: layer["digest"] for layer in built["layers"]}["Debian packages libgomp1"])

    class Tables(unittest.TestCase):
        def test_rows_are_as_the_archive_has_it(self):
            mirror = (fixtures.mirror() or [ARCHIVE])[0].rstrip("/")
            rows = [line.split() for line in (fixtures.SOURCE / "src/base/libraries.txt").read_text().splitlines() if not line.startswith("#")]
            programs = [line.split() for line in (fixtures.SOURCE / "src/base/wrappers.txt").read_text().splitlines() if not line.startswith("#")]
            self.assertEqual([row[0] for row in rows], sorted({row[0] for row in rows}, key=str.lower))
            for column, suite in enumerate(("bookworm", "trixie", "forky"), 1):
                with urllib.request.urlopen(f"{mirror}/dists/{suite}/main/Contents-amd64.gz") as answer:
                    contents = self.packages_by_name(gzip.decompress(answer.read()).decode(errors="replace"))
                for row in rows:
                    package = row[min(column, len(row) - 1)]
                    with self.subTest(suite, library=row[0]):
                        self.assertTrue(package == "-" or package in contents.get(row[0], ()), contents.get(row[0]))
                for row in programs:
                    if not row[1].startswith("lib:"):
                        with self.subTest(suite, program=row[1]):
                            self.assertIn(row[2], contents.get("bin/" + row[1], ()))

        @staticmethod
        def packages_by_name(contents: str) -> dict[str, set]:
            """The packages that have a library in a folder of the loader, or a program."""
            result = {}
            for path, packages in re.findall(r"^(\S+) +(\S+)$", contents, re.MULTILINE):
                if found := re.fullmatch(r"(?:usr/)?lib/(?:x86_64-linux-gnu/(?:(?:blas|lapack|openblas-pthread)/)?)?(lib[^/]+)|(?:usr/)?(bin/[^/]+)", path):
                    result.setdefault(found[1] or found[2], set()).update(name.rsplit("/", 1)[-1] for name in packages.split(","))
            return result


if __name__ == "__main__":
    fixtures.main()
