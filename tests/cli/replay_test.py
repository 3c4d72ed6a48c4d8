#!/usr/bin/env python3
"""`veneer replay` over a project's own history and over records."""

import hashlib
import json
import lzma
import random
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

PROJECT = '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["big", "small"]\n'


def package(name: str, version: str, size: int | None) -> str:
    digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    wheel = f'url = "https://files.index.example/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest}"'
    return (f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://index.example/simple" }}\n'
            f'wheels = [{{ {wheel}{f", size = {size}" if size else ""} }}]\n\n')


def lock(big: tuple[str, int | None], small: tuple[str, int | None]) -> str:
    return ('version = 1\nrevision = 2\nrequires-python = ">=3.11"\n\n' + package("big", *big) + package("small", *small)
            + '[[package]]\nname = "shop"\nversion = "1.0"\nsource = { virtual = "." }\ndependencies = [{ name = "big" }, { name = "small" }]\n')


class Replay(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.repository = self.folder / "work"
        self.project = self.repository / "services" / "shop"  # not at the top of its repository
        self.project.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", str(self.repository)], check=True)
        (self.project / "pyproject.toml").write_text(PROJECT)
        self.commit("no lock yet", None)
        self.commit("first", lock(("1", 1_000_000), ("1", 1_000)), tag="v1")
        self.commit("nothing of it", lock(("1", 1_000_000), ("1", 1_000)) + "\n", tag="v2")
        self.commit("bump", lock(("1", 1_000_000), ("2", None)), tag="v3")
        self.commit("broken", "version = 9\n")
        self.commit("big one", lock(("2", 1_100_000), ("2", None)), tag="v4")

    def commit(self, text: str, lock_text: str | None, tag: str = "") -> None:
        if lock_text:
            (self.project / "uv.lock").write_text(lock_text)
        fixtures.commit_all(self.repository, text)
        if tag:
            fixtures.git(self.repository, "tag", "-m", tag, tag)

    def replay(self, *words: str) -> dict:
        [project] = self.json("replay", "--json", *words, cwd=self.project)["projects"]
        return project

    def test_each_tag_is_a_deploy(self):
        said = self.veneer("replay", "--json", cwd=self.project)
        [project] = json.loads(said.stdout)["projects"]
        self.assertIn("each tag counts as a deploy", said.stderr)
        self.assertEqual((project["wheels"], project["estimated"]), (4, 1))
        self.assertEqual((project["name"], project["deploys"], project["set_changes"], project["bound"]), ("shop", 4, 2, 1_101_000))
        self.assertEqual(project["layouts"], {"one_layer_always": 1_001_000 * 2 + 1_101_000, "seed_base_image": 3 * 250_000_000 + 3_103_000,
                                              "deps_layer_by_set": 2_102_000, "deps_layer_by_lock_bytes": 3_103_000, "layer_per_wheel": 1_101_000})
        self.assertEqual(project["veneer"]["blobs"], 1_101_000)
        self.assertEqual(self.replay("--python", "3.12.1", "--cap", "1")["veneer"]["blobs"], 2_102_000)
        text = self.veneer("replay", cwd=self.project).stdout
        self.assertIn("shop: 4 deploys with a lock, 2 of them with another set of dependencies", text)
        self.assertIn("estimates: of 1 of 4 files no lock says the size; they are estimated", text)
        self.assertRegex(text, r"each new wheel once \(bound\) +1\.10 MB +367\.0 kB +1\.00")

    def test_each_commit_is_a_deploy(self):
        said = self.veneer("replay", "--commits", "--json", cwd=self.project)
        self.assertEqual(json.loads(said.stdout)["projects"][0]["deploys"], 4)  # two have no lock that one can read
        self.assertRegex(said.stderr, r"[0-9a-f]{12} counts as a deploy without a lock: .*version 9")

    def test_the_application_is_counted_too(self):
        rows = {}
        for name in ("w1", "w2", "w3", "w4"):
            if name == "w1":
                (self.project / "static").mkdir()
                (self.project / "static" / "picture.bin").write_bytes(random.Random(1).randbytes(400_000))
                (self.project / "tests").mkdir()
                (self.project / ".dockerignore").write_text("notes\n")
            if name == "w3":  # no part of it
                (self.project / "tests" / "large.bin").write_bytes(random.Random(2).randbytes(90_000))
                (self.project / "notes").write_bytes(random.Random(3).randbytes(90_000))
            else:
                (self.project / "main.py").write_text(f"print({name!r})\n" * 50)
            self.commit(name, None, tag=name)
            rows[name] = self.replay()["application"]
        self.assertNotIn("application", json.loads(self.veneer("replay", "--records", self.records(), "--json", cwd="/").stdout)["projects"][0])
        self.assertEqual(rows["w3"], rows["w2"])
        first, last = rows["w1"], rows["w4"]
        self.assertGreater(first["blobs"], 400_000)
        for key in ("blobs", "prefix", "changed"):  # two times a file of a few bytes
            self.assertLess(last[key] - first[key], 1_000, key)
        self.assertGreater(last["one_layer"] - first["one_layer"], 800_000)
        text = self.veneer("replay", cwd=self.project).stdout
        self.assertRegex(text, r"application as +all deploys")
        page = self.folder / "replay.html"
        self.veneer("replay", "--html", page, cwd=self.project)
        self.assertIn("<th>application as", page.read_text())

    def records(self) -> Path:
        path = self.folder / "some.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in [
            {"project": "other"}, {"wheels": [["a", "1", "a.whl", "h1", 10, "w"]]}, {"sets": [[0]]}, {"dependents": {}}, {"set": 0}]))
        return path

    def test_a_clone_given_as_a_path(self):
        clone = self.folder / "clone"
        fixtures.git(self.repository, "clone", "-q", f"file://{self.repository}", str(clone))
        here = self.replay()
        self.assertEqual(json.loads(self.veneer("replay", clone / "services" / "shop", "--json", cwd="/").stdout)["projects"], [here])
        self.veneer("replay", clone / "services" / "shop", "--project", clone, cwd="/", code=2)
        self.veneer("replay", clone / "elsewhere", cwd="/", code=4)

        shallow = self.folder / "shallow"
        fixtures.git(self.repository, "clone", "-q", "--depth", "2", f"file://{self.repository}", str(shallow))
        said = self.veneer("replay", "services/shop", "--json", cwd=shallow)
        self.assertIn("this clone is shallow", said.stderr)
        self.assertEqual(json.loads(said.stdout)["projects"][0]["deploys"], 1)

        # Objects that a partial clone left out are not fetched.
        partial = self.folder / "partial"
        fixtures.git(self.repository, "config", "uploadpack.allowFilter", "true")
        fixtures.git(self.repository, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{self.repository}", str(partial))
        (partial / "services" / "shop").mkdir(parents=True)
        for name in ("pyproject.toml", "uv.lock"):
            (partial / "services" / "shop" / name).write_text((self.project / name).read_text())
        refused = self.veneer("replay", "services/shop", cwd=partial, code=1)
        self.assertRegex(refused.stderr, "could not fetch|git has no object|not allowed")
        self.assertIn("git fetch", refused.stderr)

    def test_a_lock_that_was_renamed_and_tags_without_one(self):
        old = self.folder / "old"
        (old / "app").mkdir(parents=True)
        fixtures.git(self.folder, "init", "-q", "-b", "main", str(old))
        (old / "README").write_text("nothing yet\n")
        for tag in ("v0", "v1"):
            (old / "README").write_text(f"{tag}\n")
            fixtures.commit_all(old, tag)
            fixtures.git(old, "tag", tag)
        (old / "pyproject.toml").write_text(PROJECT)
        (old / "uv.lock").write_text(lock(("1", 1_000_000), ("1", 1_000)))
        fixtures.commit_all(old, "a lock")
        (old / "uv.lock").write_text(lock(("1", 1_000_000), ("2", 2_000)))
        fixtures.commit_all(old, "a bump")
        for name in ("pyproject.toml", "uv.lock"):
            (old / name).rename(old / "app" / name)
        fixtures.commit_all(old, "moved")
        fixtures.git(old, "checkout", "-q", "-b", "topic")
        (old / "app" / "uv.lock").write_text(lock(("2", 1_500_000), ("2", 2_000)))
        fixtures.commit_all(old, "a bump on a branch")
        fixtures.git(old, "checkout", "-q", "main")
        (old / "app" / "note").write_text("x\n")
        fixtures.commit_all(old, "meanwhile")
        fixtures.git(old, "merge", "-q", "--no-edit", "topic")
        said = self.veneer("replay", "app", "--json", cwd=old)
        self.assertIn("each commit counts as a deploy", said.stderr)  # no tag has a lock
        [project] = json.loads(said.stdout)["projects"]
        # Before it was moved, since, the note, and the merge as one deploy.
        self.assertEqual((project["deploys"], project["set_changes"], project["bound"]), (5, 2, 1_502_000))
        self.veneer("replay", "app", "--tags", cwd=old, code=4)

    def test_distributions_without_wheels(self):
        text = lock(("1", 1_000_000), ("1", 1_000)).replace('wheels = [{ url = "https://files.index.example/small-1-py3-none-any.whl"',
                                                            'sdist = { url = "https://files.index.example/small-1.tar.gz"')
        text = re.sub(r'(small-1.tar.gz", hash = )"[^"]*", size = 1000 }]', rf'\1"sha256:{"e" * 64}" }}', text)
        self.commit("from source", text, tag="v5")
        project = self.replay()
        self.assertEqual((project["deploys"], project["wheels"], project["estimated"]), (5, 5, 2))

    def test_records(self):
        text = "\n".join(json.dumps(line) for line in [
            {"project": "other"}, {"wheels": [["a", "1", "a.whl", "h1", 10, "w"], ["a", "2", "b.whl", "h2", 20, "w"]]}, {"sets": [[0], [1]]},
            {"dependents": {}}, {"set": 0, "lock": "1"}, {"set": 1, "lock": "2"}])
        (self.folder / "plain.jsonl").write_text(text)
        (self.folder / "packed.jsonl.xz").write_bytes(lzma.compress(text.encode()))
        said = self.json("replay", "--records", self.folder / "plain.jsonl", "--records", self.folder / "packed.jsonl.xz", "--json", cwd="/")
        self.assertEqual([project["bound"] for project in said["projects"]], [20, 20])
        (self.folder / "cut.xz").write_bytes(lzma.compress(text.encode())[:-9])
        refused = self.veneer("replay", "--records", self.folder / "cut.xz", cwd="/", code=3)
        self.assertIn("cut.xz: the xz data is damaged or cut off", refused.stderr)

    def test_nothing_to_replay(self):
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "pyproject.toml").write_text(PROJECT)
        (outside / "uv.lock").write_text(lock(("1", 1), ("1", 1)))
        self.assertIn("is in no git repository", self.veneer("replay", cwd=outside, code=4).stderr)


if __name__ == "__main__":
    fixtures.main()
