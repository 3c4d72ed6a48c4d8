#!/usr/bin/env python3
"""`veneer replay` over a project's own history and over records."""

import hashlib
import json
import lzma
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
        self.assertIn("of 1 of 4 files no lock says the size", said.stderr)
        self.assertEqual((project["name"], project["deploys"], project["set_changes"], project["bound"]), ("shop", 4, 2, 1_101_000))
        self.assertEqual(project["layouts"], {"one_layer_always": 1_001_000 * 2 + 1_101_000, "seed_base_image": 3 * 250_000_000 + 3_103_000,
                                              "deps_layer_by_set": 2_102_000, "deps_layer_by_lock_bytes": 3_103_000, "layer_per_wheel": 1_101_000})
        self.assertEqual(project["veneer"]["blobs"], 1_101_000)
        self.assertEqual(self.replay("--python", "3.12.1", "--cap", "1")["veneer"]["blobs"], 2_102_000)
        text = self.veneer("replay", cwd=self.project).stdout
        self.assertIn("shop: 4 deploys with a lock, 2 of them with another set of dependencies", text)
        self.assertRegex(text, r"each new wheel once \(bound\) +1\.10 MB +367\.0 kB +1\.00")

    def test_each_commit_is_a_deploy(self):
        said = self.veneer("replay", "--commits", "--json", cwd=self.project)
        self.assertEqual(json.loads(said.stdout)["projects"][0]["deploys"], 4)  # two have no lock that one can read
        self.assertRegex(said.stderr, r"[0-9a-f]{12} counts as a deploy without a lock: .*version 9")

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
