#!/usr/bin/env python3
"""Files of the cache and of the project's store that were damaged: the next build says so once, with the path, makes them
again and gives the same image; the build after that is silent. What cannot be made again is an error with path and hint."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

OTHER_USER = 65534
THOROUGH = bool(os.environ.get("VENEER_TEST_ALL"))


def write_over(path: Path, data: bytes) -> None:
    """In place: who has a link to the file has the damage too."""
    with open(path, "r+b") as file:
        file.truncate(0)
        file.write(data)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_text("in it")


ALL_DAMAGES = {
    "cut to half": lambda path: write_over(path, path.read_bytes()[:path.stat().st_size // 2]),
    "emptied": lambda path: write_over(path, b""),
    "first byte flipped": lambda path: write_over(path, flipped(path.read_bytes(), 0)),
    "middle byte flipped": lambda path: write_over(path, flipped(path.read_bytes(), path.stat().st_size // 2)),
    "last byte flipped": lambda path: write_over(path, flipped(path.read_bytes(), -1 % path.stat().st_size)),
    "garbage of the same size": lambda path: write_over(path, os.urandom(path.stat().st_size)),
    "a folder": as_folder,
}


def damages(turn: int) -> dict:
    """All of them with VENEER_TEST_ALL=1; else two, others at each turn."""
    names = list(ALL_DAMAGES)
    return {name: ALL_DAMAGES[name] for name in (names if THOROUGH else [names[(turn + step) % len(names)] for step in (0, 3)])}


# Kinds of what only a build looks at that makes layers: their names begin so.
FOR_LAYERS = ("wheels", "built", "roots", "notes/verified")


def kind_of(path: Path, root: Path) -> str:
    """Files that are read alike: names of 64 digits, of wheels and of what the base holds do not matter."""
    parts = list(path.relative_to(root).parts)
    if parts[0] == "roots" and len(parts) > 2:
        return "roots/…"
    return re.sub(r"[^/]+\.whl", "WHEEL", re.sub(r"[0-9a-f]{64}", "HASH", "/".join(parts)))


class Damaged(fixtures.SystemTest):
    """A project with wheels, its own wheel, one from a source distribution, and byte code: built once a class, and for each
    test laid anew in the same place. No file of it is a link to one that other tests use, too."""

    image = ""

    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="veneer-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)

    def setUp(self):
        self.failures: list[str] = []
        self.tried = 0
        self.folder, self.good = self.place / "now", self.place / "good"
        self.cache = self.folder / "cache"
        self.project = self.folder / "shop"
        self.kept = self.cache / "veneer"
        self.store = self.project / ".veneer"
        if not self.good.exists():
            self.make()
            self.folder.rename(self.good)
            shutil.rmtree(self.good / "cache" / "veneer" / "roots")  # no copy of one is as good: times count
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", self.good, self.folder], check=True)

    def make(self) -> None:
        self.folder.mkdir()
        self.small_project()
        source = self.folder / "source"
        (source / "src" / "extra").mkdir(parents=True)
        (source / "src" / "extra" / "__init__.py").write_text("X = 1\n")
        (source / "pyproject.toml").write_text(
            '[project]\nname = "extra"\nversion = "1.0"\n[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n')
        self.uv("build", "--sdist", "--quiet", "--out-dir", str(self.project / "wheels"), cwd=source)
        (self.project / "wheels" / ".gitignore").unlink(missing_ok=True)
        text = (self.project / "pyproject.toml").read_text()
        text = text.replace("dependencies = [", 'dependencies = ["extra", ')
        text = text.replace("[tool.uv.sources]", '[tool.uv.sources]\nextra = { path = "wheels/extra-1.0.tar.gz" }')
        (self.project / "pyproject.toml").write_text(text.replace("[tool.veneer]\n", "[tool.veneer]\nbyte_code = true\n"))
        self.uv("lock", "--quiet", cwd=self.project)
        fixtures.commit_all(self.project, "A source distribution")
        type(self).image = self.build()
        self.build()

    def uv(self, *arguments: str, cwd: Path) -> None:
        subprocess.run(["uv", *arguments], cwd=cwd, check=True, env=self.environment())

    def take_own_base(self) -> None:
        base = self.folder / "base"
        shutil.copytree(fixtures.debian_base(), base)
        text = (self.project / "pyproject.toml").read_text()
        (self.project / "pyproject.toml").write_text(text.replace(str(fixtures.debian_base()), str(base)))

    def run_build(self, *options: str) -> subprocess.CompletedProcess:
        return self.veneer("build", "--quiet", "--json", *options, cwd=self.project, code=None)

    def build(self) -> str:
        result = self.run_build()
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["manifest"]

    def restore(self) -> None:
        for place in (self.kept, self.store):
            shutil.rmtree(place)
            shutil.copytree(self.good / place.relative_to(self.folder), place, symlinks=True)

    def make_roots(self) -> None:
        self.forget_results()
        self.assertEqual(self.build(), self.image)

    def forget_results(self) -> None:
        """What was made from wheels goes, so that they are needed again."""
        shutil.rmtree(self.kept / "layers")
        shutil.rmtree(self.kept / "notes" / "claims", ignore_errors=True)

    def heals(self, path: Path, how: str, silent: bool = False) -> None:
        """The build after a damage, and the one after that."""
        self.tried += 1
        first = self.run_build()
        what = f"{path.relative_to(self.folder)}, {how}: "
        problem = None
        if first.returncode != 0:
            problem = f"exit code {first.returncode}: {first.stderr.strip()[:300]}"
        elif json.loads(first.stdout)["manifest"] != self.image:
            problem = "another image, with exit code 0"
        elif silent and first.stderr:
            problem = f"said for no reason: {first.stderr}"
        elif not silent and first.stderr.count(f"{path} ") != 1:
            problem = f"not named once: {first.stderr!r}"
        else:
            second = self.run_build()
            if second.returncode != 0 or second.stderr or json.loads(second.stdout)["manifest"] != self.image:
                problem = f"the second build: exit code {second.returncode}: {second.stderr}"
        if problem:
            self.failures.append(what + problem)
            self.restore()

    def finish(self) -> None:
        if self.failures:
            shown = "\n".join(self.failures[:60])
            self.fail(f"{len(self.failures)} of {self.tried} damages\n{shown}")

    def examples(self, root: Path) -> dict[str, Path]:
        """One file of each kind; of a base's files its interpreter."""
        found: dict[str, Path] = {}
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                kind = kind_of(path, root)
                if kind == "roots/…" and path.name != "python3.11":
                    continue
                if kind.startswith("wheels") and not path.name.startswith((".", "part0", "extra")):
                    continue
                found.setdefault(kind, path)
        return found


class Cache(Damaged):
    def test_every_kind_and_every_damage(self):
        self.make_roots()
        examples = self.examples(self.kept)
        kinds = {kind.split("/")[0] for kind in examples}
        self.assertLessEqual({"layers", "blobs", "notes", "wheels", "built", "roots", "lock"}, kinds)
        for turn, (kind, path) in enumerate(examples.items()):
            is_needed_by_layers = kind.startswith(FOR_LAYERS)
            for how, damage in damages(turn).items():
                if not path.is_file() or (path.stat().st_size == 0 and how != "a folder"):
                    continue
                is_empty = path.stat().st_size == 0
                damage(path)
                if is_needed_by_layers:
                    self.forget_results()
                self.heals(path, how, silent=is_empty)
        self.finish()

    def test_every_digit_of_an_entry(self):
        path = min((self.kept / "layers").iterdir())
        text = path.read_text()
        for match in re.finditer(r'"(\w+)":"?(?:sha256:)?([0-9a-f])', text):
            place = match.start(2)
            path.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1:])
            self.heals(path, f"another digit in {match[1]}")
            text = path.read_text()
        self.finish()

    def test_an_entry_of_another_layer(self):
        first, second = sorted((self.kept / "layers").iterdir())[:2]
        shutil.copyfile(first, second)
        self.heals(second, "an entry by another name")
        notes = sorted((self.kept / "notes" / "claims").iterdir())
        shutil.copyfile(notes[0], notes[1])
        self.heals(notes[1], "a note by another name")
        self.finish()

    def test_what_was_removed_is_made_again_without_a_word(self):
        self.make_roots()
        for kind, path in self.examples(self.kept).items():
            path.unlink(missing_ok=True)
            if kind.startswith(FOR_LAYERS):
                self.forget_results()
            self.heals(path, "removed", silent=not kind.startswith("roots/…"))
        self.finish()

    def test_prune_removes_what_is_damaged(self):
        self.make_roots()
        for kind, path in self.examples(self.kept).items():
            if not path.exists() or path.stat().st_size == 0:
                continue  # a lock that the prune before this one took away
            write_over(path, flipped(path.read_bytes(), 0))
            pruned = self.json("cache", "prune", "--json")
            self.tried += 1
            if pruned["files"] < 1 or path.exists():
                self.failures.append(f"{path}: stayed")
            if kind.startswith(FOR_LAYERS):
                self.forget_results()
            twin = self.store / path.relative_to(self.kept)  # a blob of the store is the same file
            self.heals(twin if kind.startswith("blobs") else path, "pruned", silent=not kind.startswith("blobs"))
        self.finish()

    def test_prune_removes_what_killed_builds_left(self):
        place = next((self.kept / "built").iterdir())
        leftovers = [place / ".work-abc" / "scratch" / "file", self.kept / "tmp" / "veneer-debian-x" / "root.tar",
                     self.kept / "roots" / ".new-x" / "staging" / "1", self.kept / "blobs" / "sha256" / ".x.1-2.tmp",
                     self.kept / "layers" / "strange", self.kept / "notes" / "claims" / ".x.tmp"]
        for path in leftovers:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("left over")
        strange = self.kept / "of-somebody-else"
        strange.mkdir()
        (strange / "file").write_text("not ours")
        self.assertGreaterEqual(self.json("cache", "prune", "--json")["files"], len(leftovers))  # locks go too
        self.assertEqual([path for path in leftovers if path.exists() or (path.parent.name == ".work-abc")], leftovers[:0])
        self.assertTrue((strange / "file").exists())
        self.heals(place, "after a prune", silent=True)
        self.assertEqual(json.loads(self.run_build().stdout)["statistics"]["layers_made"], 0)
        self.finish()

    def test_prune_leaves_folders_alone_that_are_no_cache(self):
        home = self.folder / "not-a-cache"
        (home / "notes").mkdir(parents=True)
        (home / "notes" / "diary").write_text("dear")
        self.veneer("cache", "prune", "--days", "0", "--cache", str(home))
        self.assertTrue((home / "notes" / "diary").exists())

    def test_a_build_with_nothing_to_do_reads_no_blob(self):
        def verified() -> int:
            return json.loads(self.run_build().stdout)["statistics"]["bytes_verified"]

        self.take_own_base()  # what other tests do with theirs counts as a change: they make links to its files
        self.build()
        self.build()
        self.assertEqual(verified(), 0)
        blob = max((self.kept / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
        blob.touch()  # as if written to
        self.assertEqual(verified(), blob.stat().st_size)
        self.assertEqual(verified(), 0)


if THOROUGH:

    class EveryFile(Damaged):
        def test_every_file(self):
            hows = list(ALL_DAMAGES)
            turn = 0
            for path in sorted(self.kept.rglob("*")):
                kind = kind_of(path, self.kept)
                if not path.is_file() or path.stat().st_size == 0 or kind.startswith("roots"):
                    continue
                how = hows[turn % len(hows)]
                turn += 1
                ALL_DAMAGES[how](path)
                if kind.startswith(FOR_LAYERS):
                    self.forget_results()
                self.heals(path, how)
            self.finish()


class Store(Damaged):
    def damage_own(self, path: Path, how: str) -> None:
        """A base's blob is a link to the base's own file, which is nothing that a build can make again."""
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
        ALL_DAMAGES[how](path)

    def test_every_file_and_every_damage(self):
        for turn, path in enumerate(sorted(self.store.rglob("*"))):
            if not path.is_file() or path.name == ".gitignore":
                continue
            for how in damages(turn):
                if path.stat().st_size == 0 and how != "a folder":
                    continue
                is_blob = path.parent.name == "sha256"
                is_checked = is_blob or path.name in ("index.json", "oci-layout")
                if path.name == "index.json" and how == "middle byte flipped":
                    continue  # a name that is another name now is as good as any
                self.damage_own(path, how)
                if is_blob:
                    found = self.veneer("inspect", "--verify", cwd=self.project, code=None)
                    self.tried += 1
                    if found.returncode not in (3, 4, 6) or "hint:" not in found.stderr or path.name not in found.stderr:
                        self.failures.append(f"{path.name}, {how}: inspect --verify: {found.returncode} {found.stderr}")
                if is_checked:
                    self.heals(path, how)
                else:
                    self.assertEqual(self.build(), self.image, f"{path}, {how}")
        self.veneer("inspect", "--verify", cwd=self.project)
        self.finish()

    def test_a_digit_of_the_index(self):
        path = self.store / "index.json"
        text = path.read_text()
        for match in re.finditer(r'"digest":"sha256:(\w)|"size":(\d)', text):
            place = max(match.start(1), match.start(2))
            path.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1:])
            self.heals(path, f"another digit at {place}")
        self.finish()

    def test_a_damage_to_both(self):
        """Layers are one file with two names."""
        manifest = json.loads((self.store / "blobs" / "sha256" / self.image.removeprefix("sha256:")).read_text())
        name = manifest["layers"][-1]["digest"].removeprefix("sha256:")
        mine, theirs = self.store / "blobs" / "sha256" / name, self.kept / "blobs" / "sha256" / name
        self.assertTrue(mine.samefile(theirs))
        for how, damage in damages(0).items():
            if how == "a folder":
                continue
            damage(mine)
            for command in (["ship", "--to-file", str(self.folder / "out.tar"), "--for", f"oci:{fixtures.debian_base()}"], ["check"],
                            ["inspect", "--verify"]):
                found = self.veneer(*command, cwd=self.project, code=None)
                self.assertIn(found.returncode, (3, 6), f"{command} {how} {found.stderr}")
                self.assertIn(str(mine), found.stderr, f"{command} {how}")
                self.assertIn("hint:", found.stderr)
            self.heals(mine, how)
            self.veneer("inspect", "--verify", cwd=self.project)
        self.finish()


class Unreadable(Damaged):
    """As a user whose files' modes were changed: for the superuser there are no such."""

    def test_modes(self):
        if os.getuid() != 0:
            self.wrapper = []
        else:
            self.wrapper = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]
        programs = self.folder / "bin"
        programs.mkdir()
        for program in (fixtures.binary(), os.path.realpath(shutil.which("uv"))):
            shutil.copy(program, programs)
        self.take_own_base()
        text = (self.project / "pyproject.toml").read_text()
        (self.project / "pyproject.toml").write_text(text.replace("byte_code = true\n", ""))
        shutil.rmtree(self.kept)
        shutil.rmtree(self.store)
        fixtures.commit_all(self.project, "Another base")
        if self.wrapper:
            subprocess.run(["chown", "-R", f"{OTHER_USER}:{OTHER_USER}", self.place], check=True)
        self.image = self.build()
        for root in (self.kept, self.store):
            for kind, path in self.examples(root).items():
                if path.name == ".gitignore":
                    continue
                path.chmod(0)
                if kind.startswith(FOR_LAYERS):
                    self.forget_results()
                is_silent = path.stat().st_size == 0 or path.name in ("last", "made")
                self.heals(path, "unreadable", silent=is_silent)
        self.finish()

    def restore(self) -> None:
        pass

    def run_build(self, *options: str) -> subprocess.CompletedProcess:
        if not hasattr(self, "wrapper"):
            return super().run_build(*options)
        programs = self.folder / "bin"
        environment = self.environment(PATH=f"{programs}:{os.environ['PATH']}", UV_CACHE_DIR=str(self.folder / "uv"))
        return subprocess.run([*self.wrapper, programs / Path(fixtures.binary()).name, "build", "--quiet", "--json", *options], cwd=self.project,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Offline(fixtures.SystemTest):
    def test_what_cannot_be_fetched_again(self):
        project = self.small_project(dependencies=1)
        handler = functools.partial(QuietHandler, directory=str(project / "wheels"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            text = (project / "pyproject.toml").read_text()
            location = f'url = "http://127.0.0.1:{server.server_port}/part0-1.0-py3-none-any.whl"'
            (project / "pyproject.toml").write_text(text.replace('path = "wheels/part0-1.0-py3-none-any.whl"', location))
            subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
            fixtures.commit_all(project, "From a server")
            image = self.json("build", "--json", cwd=project)["manifest"]
            server.shutdown()
        kept = self.cache / "veneer"
        wheel = next((kept / "wheels").rglob("*.whl"))
        good = wheel.read_bytes()
        for part in ("layers", "notes"):
            shutil.rmtree(kept / part)
        write_over(wheel, flipped(good, len(good) // 2))
        failed = self.veneer("build", "--quiet", cwd=project, code=5)
        error = failed.stderr[failed.stderr.index("error:"):]
        self.assertIn(str(wheel), error)
        self.assertIn("hint:", error)
        write_over(wheel, good)
        self.assertEqual(self.json("build", "--json", cwd=project)["manifest"], image)


if __name__ == "__main__":
    fixtures.main()
