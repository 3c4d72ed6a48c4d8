#!/usr/bin/env python3
"""veneer.lock: what an image stands on is pinned by a build that ended well, and taken again by machines that never met, for
as long as it can be had; what came instead is said, refused with --locked, and never written in CI."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

OPTIONS = ('Acquire::AllowInsecureRepositories "true"', 'APT::Get::AllowUnauthenticated "true"', 'Acquire::Check-Valid-Until "false"')


class Archive:
    """A small archive of Debian in a folder, not signed."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "pool").mkdir(parents=True)

    def settings(self) -> str:
        return f'[tool.veneer.system]\nmirror = "file://{self.folder}"\napt_options = [{", ".join(repr(option) for option in OPTIONS)}]\n'

    def add(self, name: str, version: str, data: bytes) -> str:
        """Returns the package's SHA-256."""
        tree = self.folder.parent / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/share").mkdir(parents=True)
        (tree / "usr/share" / name).write_bytes(data)
        (tree / "DEBIAN/control").write_text(self.control(name, version))
        file = self.folder / "pool" / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, capture_output=True)
        self.publish()
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def control(self, name: str, version: str) -> str:
        return f"Package: {name}\nVersion: {version}\nArchitecture: all\nInstalled-Size: 16\nMaintainer: nobody <nobody@example.org>\nDescription: {name}\n"

    def remove(self, name: str, version: str) -> None:
        (self.folder / "pool" / f"{name}_{version}_all.deb").unlink()
        self.publish()

    def publish(self) -> None:
        lists = ""
        for file in sorted((self.folder / "pool").iterdir()):
            name, version, _ = file.stem.split("_")
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            lists += f"{self.control(name, version)}Filename: pool/{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n\n"
        for suite, text in ("bookworm", lists), ("bookworm-updates", ""):
            place = self.folder / "dists" / suite
            (place / "main/binary-amd64").mkdir(parents=True, exist_ok=True)
            (place / "main/binary-amd64/Packages").write_text(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            (place / "Release").write_text(
                f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: amd64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
                f"SHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n")


class LockTest(fixtures.SystemTest):
    def project(self, settings: str, base: str) -> Path:
        folder = self.folder / "shop"
        folder.mkdir()
        (folder / "main.py").write_text("print('here')\n")
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n\n[tool.veneer]\nbase = "{base}"\n\n'
            f'[tool.veneer.image]\ncmd = ["python", "main.py"]\nfiles = [{{ from = ".", to = "/app" }}]\n\n{settings}')
        (folder / ".gitignore").write_text(".veneer/\n")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True, env=self.environment())
        fixtures.git(folder, "init", "-q", "-b", "main")
        fixtures.commit_all(folder, "First")
        return folder

    def build(self, project: Path, machine: str, *options: str, **more) -> dict:
        """On a machine that shares nothing with others of another name."""
        return self.json("build", "--json", *options, cwd=project, XDG_CACHE_HOME=str(self.folder / machine), **more)

    def locked(self, project: Path) -> dict:
        lock = tomllib.loads((project / "veneer.lock").read_text())
        self.assertEqual(lock["version"], 1)
        return lock["base"][0]


class PackageLock(LockTest):
    def test_a_locked_package_is_taken_while_there_is_one(self):
        archive = Archive(self.folder / "archive")
        digest = archive.add("greeting", "1.0-1", b"one")
        base = f"oci:{fixtures.debian_base()}"
        project = self.project(archive.settings() + 'packages = ["greeting"]\n', base)
        lock = project / "veneer.lock"

        refused = self.veneer("build", "--locked", cwd=project, code=3)
        self.assertIn(f"there is no {lock}", refused.stderr)
        self.assertIn("that its files could be compared with", self.veneer("build", "--verify-base", cwd=project, code=3).stderr)
        in_ci = self.veneer("build", cwd=project, CI="true", XDG_CACHE_HOME=str(self.folder / "a")).stderr
        self.assertRegex(in_ci, r"not pinned in veneer.lock, which is not written with CI=true: .* greeting=1.0-1\n")
        self.veneer("build", "--no-lock-file", cwd=project, XDG_CACHE_HOME=str(self.folder / "a"))
        self.assertFalse(lock.exists())

        first = self.build(project, "a")
        pinned = self.locked(project)
        self.assertEqual((pinned["name"], pinned["platform"], pinned["kind"]), (base, "linux/amd64", "image"))
        self.assertEqual(pinned["packages"], [{"name": "greeting", "version": "1.0-1", "architecture": "all", "sha256": digest}])
        self.assertEqual((pinned["target"]["interpreter"], pinned["target"]["machine"]), ("/usr/bin/python3.11", "x86_64"))

        # Another machine, another archive: the same image, though the lock lies there untracked and a newer package is to be had.
        archive.add("greeting", "1.0-2", b"two")
        before = lock.stat().st_mtime_ns
        self.assertEqual(self.build(project, "b", "--locked", CI="true")["manifest"], first["manifest"])
        self.assertEqual(lock.stat().st_mtime_ns, before)
        tree = self.json("inspect", "--tree", "--json", cwd=project)
        self.assertNotIn("veneer.lock", str(tree))

        # What vanished from the archive is still where it was made; elsewhere the newer one comes.
        archive.remove("greeting", "1.0-1")
        self.assertEqual(self.build(project, "a", "--locked")["manifest"], first["manifest"])
        refused = self.veneer("build", "--locked", cwd=project, code=3, XDG_CACHE_HOME=str(self.folder / "c")).stderr
        self.assertIn("greeting 1.0-1 -> 1.0-2", refused)
        text = lock.read_text()
        in_ci = self.veneer("build", cwd=project, CI="true", XDG_CACHE_HOME=str(self.folder / "c")).stderr
        self.assertIn("veneer.lock: greeting 1.0-1 -> 1.0-2, since what is pinned cannot be had any more", in_ci)
        self.assertEqual(lock.read_text(), text)
        moved = self.build(project, "c")
        self.assertEqual(self.locked(project)["packages"][0]["version"], "1.0-2")
        self.build(project, "c", "--locked", "--verify-base")
        # Without the lock the two machines go on differing, and each lock says by what.
        lock.unlink()
        self.assertEqual(self.build(project, "c")["manifest"], moved["manifest"])
        self.assertEqual(self.locked(project)["packages"][0]["version"], "1.0-2")
        lock.unlink()
        self.assertEqual(self.build(project, "a")["manifest"], first["manifest"])
        self.assertEqual(self.locked(project)["packages"][0]["version"], "1.0-1")

        # Made anew, the base gets what there is now; what that costs is said, and a build takes it.
        archive.add("greeting", "1.0-3", b"three")
        updated = self.json("base", "update", "--json", cwd=project, CI="true", XDG_CACHE_HOME=str(self.folder / "a"))
        self.assertEqual(updated["moved"], [{"what": "greeting", "from": "1.0-1", "to": "1.0-3"}])
        self.assertEqual(updated["deploy_from"], "shop:1.0")
        costs = {row["receiver"]: row["plan"]["bytes"] for row in updated["deploy"]}
        self.assertTrue(all(0 < cost < 2_000_000 for cost in costs.values()), costs)
        self.assertEqual(self.locked(project)["packages"][0]["version"], "1.0-3")
        self.assertEqual(self.build(project, "a", "--locked")["base_moved"], [])

        # What is wrong in it is refused by its line, before anything is made.
        lock.write_text(lock.read_text().replace('libc = "glibc-2.36"', 'libc = "glibc-2.41"'))
        self.assertIn("line 4: the C library of", self.veneer("build", cwd=project, code=6, XDG_CACHE_HOME=str(self.folder / "a")).stderr)
        lock.write_text("<<<<<<< HEAD\n" + text)
        self.assertIn("line 1: a merge conflict", self.veneer("build", cwd=project, code=3).stderr)


if os.environ.get("VENEER_TEST_ALL"):

    class DebianLock(LockTest):
        def test_two_machines_of_different_days_make_the_same_base(self):
            """From Debian's own archive, which has several versions of some packages: those of a point release and of security updates."""
            mirror = f'[tool.veneer.system]\nmirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() else ""
            project = self.project(mirror, "debian:bookworm")
            lock = project / "veneer.lock"
            newest = self.build(project, "a")
            packages = {package["name"]: package["version"] for package in self.locked(project)["packages"]}
            self.assertTrue(all("sha256" in package for package in self.locked(project)["packages"]))
            older = self.older(packages)
            text = lock.read_text()
            for name, (version, digest) in older.items():
                text = re.sub(rf'(name = "{name}", version = ")[^"]*(".*sha256 = ")[0-9a-f]*', rf"\g<1>{version}\g<2>{digest}", text)
            lock.write_text(text)
            pinned = self.build(project, "a", "--locked")
            self.assertNotEqual(pinned["manifest"], newest["manifest"])
            later = self.at("+40 days", project, "b")
            self.assertEqual(later["manifest"], pinned["manifest"])
            self.assertEqual(lock.read_text(), text)
            # A lock of what is newest is as good.
            update = self.json("base", "update", "--json", cwd=project, XDG_CACHE_HOME=str(self.folder / "b"))
            self.assertEqual({row["what"]: row["from"] for row in update["moved"]}, {name: version for name, (version, _) in older.items()})
            self.assertEqual(self.build(project, "b", "--locked")["manifest"], newest["manifest"])

        def at(self, day: str, project: Path, machine: str) -> dict:
            """A build while the clock says something else."""
            environment = self.environment(XDG_CACHE_HOME=str(self.folder / machine))
            result = subprocess.run(["faketime", day, fixtures.binary(), "build", "--locked", "--json"], cwd=project, capture_output=True, text=True, env=environment)
            self.assertEqual(result.returncode, 0, result.stderr)
            return json.loads(result.stdout)

        def older(self, packages: dict) -> dict:
            """Other versions of these that the archive has now, with their SHA-256; one is enough of each source."""
            mirror = (fixtures.mirror() or ["http://deb.debian.org/debian"])[0].rstrip("/")
            found = {}
            with urllib.request.urlopen(f"{mirror}/dists/bookworm/main/binary-amd64/Packages.gz") as answer:
                text = gzip.decompress(answer.read()).decode()
            for stanza in text.split("\n\n"):
                fields = dict(re.findall(r"^(Package|Version|SHA256): (.*)$", stanza, re.MULTILINE))
                name = fields.get("Package")
                if name in ("tzdata", "liblzma5", "gpgv") and packages.get(name, fields["Version"]) != fields["Version"]:
                    found[name] = (fields["Version"], fields["SHA256"])
            if not found:
                self.skipTest("the archive has one version of each")
            return found


if __name__ == "__main__":
    fixtures.main()
