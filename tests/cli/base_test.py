#!/usr/bin/env python3
"""veneer base status, build and push: what leaves a base fresh and what makes it stale (exit code 10), and why."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402

PIN = '{ name = "libpq5", version = "15.1-1", architecture = "amd64" },'


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, (old, text)
    file.write_text(text.replace(old, new, 1))


class Edits(fixtures.SystemTest):
    """A project, and edits that each begin with it as it was."""

    def lock(self, project: Path) -> None:
        subprocess.run(["uv", "lock", "--quiet", "--offline", "--no-index"], cwd=project, check=True, env=self.environment())

    def add_dependency(self, project: Path, group: str) -> None:
        fixtures.wheel(project / "wheels", "extra", "2.0", {"extra.py": "VALUE = 9\n"})
        file = project / "pyproject.toml"
        replace(file, "[tool.uv.sources]\n", '[tool.uv.sources]\nextra = { path = "wheels/extra-2.0-py3-none-any.whl" }\n')
        if group:
            replace(file, "[tool.uv.sources]\n", f'[dependency-groups]\n{group} = ["extra"]\n\n[tool.uv.sources]\n')
        else:
            replace(file, "dependencies = [", 'dependencies = ["extra", ')
        self.lock(project)

    def status(self, project: Path, *arguments: str) -> dict:
        """What status says, and that its exit code fits."""
        said = self.veneer("base", "status", *arguments, "--json", cwd=project, code=None)
        self.assertIn(said.returncode, (0, 10), said.stderr)
        status = json.loads(said.stdout)
        self.assertEqual(status["state"], "stale" if said.returncode else "fresh")
        return status

    def stale_for(self, project: Path, *arguments: str) -> dict:
        """What changed, of a base that is stale."""
        status = self.status(project, *arguments)
        self.assertEqual(status["state"], "stale")
        return {row["what"]: (row["from"], row["to"]) for row in status["changed"]}

    def undo(self, project: Path) -> None:
        for words in (["reset", "--quiet", "--hard"], ["clean", "-fdq"]):
            subprocess.run(["git", *words], cwd=project, check=True, env=self.environment())


class BaseImages(Edits):
    def setUp(self):
        super().setUp()
        layout = self.folder / "base"
        fixtures.shutil.copytree(fixtures.debian_base(), layout)
        self.layout = layout
        self.project = self.small_project(base=layout)
        self.built = self.json("base", "build", "--json", cwd=self.project)
        fixtures.commit_all(self.project, "veneer.lock")

    def test_what_makes_a_base_stale(self):
        project, settings, pins = self.project, self.project / "pyproject.toml", self.project / "veneer.lock"
        fresh = self.status(project)
        self.assertEqual((fresh["state"], fresh["fingerprint"], fresh["changed"]), ("fresh", self.built["fingerprint"], []))
        self.assertEqual(fresh["compared_with"], f"shop-base:{self.built['fingerprint']}")
        self.assertIn("is fresh", self.veneer("base", "status", cwd=project).stdout)
        for name, edit in {
            "version": lambda: (replace(settings, 'version = "1.0.0"', 'version = "1.1.0"'), self.lock(project)),
            "code": lambda: (project / "src/shop/__init__.py").write_text("print(2)\n"),
            "dev dependency": lambda: self.add_dependency(project, "dev"),
            "production dependency": lambda: self.add_dependency(project, ""),
        }.items():
            with self.subTest(name):
                edit()
                self.assertEqual(self.status(project)["state"], "fresh")
            self.undo(project)
        digest = json.loads(self.veneer("inspect", f"oci:{self.layout}", "--json", cwd=project).stdout)["config"]
        for name, edit, expected in (
            ("package list", lambda: settings.write_text(settings.read_text() + '\n[tool.veneer.system]\npackages = ["libpq5"]\n'),
             {"packages": ("", "libpq5")}),
            ("packages that wheels need", lambda: settings.write_text(settings.read_text() + '\n[tool.veneer.system]\nauto = false\n'),
             {"packages for wheels": ("", "none")}),
            ("snapshot", lambda: settings.write_text(settings.read_text() + '\n[tool.veneer.system]\nsnapshot = "20260101T000000Z"\n'),
             {"snapshot": ("", "20260101T000000Z")}),
            ("package that is pinned", lambda: replace(pins, "packages = [\n", f'packages = [\n    {PIN}\n'),
             {"package libpq5:amd64": ("", "15.1-1")}),
            ("digest", lambda: replace(pins, digest, "sha256:" + 64 * "0"), {"image": (digest, "sha256:" + 64 * "0")}),
            ("another base", lambda: replace(settings, f'base = "oci:{self.layout}"', 'base = "python:3.11-slim"'), None),
            ("no pins", pins.unlink, None),
        ):
            with self.subTest(name):
                edit()
                changed = self.stale_for(project)
                if expected:
                    self.assertEqual(changed, expected)
            self.undo(project)

        # What a rebuild costs hosts with the image that was built last: those that know layers by what is below are sent
        # all of it, others the base alone.
        self.veneer("build", cwd=self.project)
        settings.write_text(settings.read_text() + '\n[tool.veneer.system]\nsnapshot = "20260101T000000Z"\n')
        status = self.status(self.project)
        self.assertEqual(status["rebuild_from"], "shop:1.0.0")
        layers = self.json("inspect", "--json", cwd=self.project)["layers"]
        sent = {row["receiver"]: [step["action"] for step in row["plan"]["steps"]].count("send") for row in status["rebuild"]}
        self.assertEqual(max(sent.values()), len(layers))
        self.assertEqual(min(sent.values()), 1, "the base has one layer")
        said = self.veneer("base", "status", "--line", "1Mbit", cwd=self.project, code=10).stdout
        self.assertIn("is stale", said)
        self.assertIn("20260101T000000Z", said)
        self.assertIn("about", said)

    def test_made_once_and_pushed(self):
        again = self.json("base", "build", "--json", cwd=self.project)
        self.assertEqual((again["manifest"], again["made"], self.built["made"]), (self.built["manifest"], False, True))
        self.veneer("inspect", cwd=self.project, code=4)  # nothing was built
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        name = f"{registry.address}/team/shop-base"
        self.veneer("base", "push", name, "--also-tag", "latest", cwd=self.project)
        self.assertEqual(set(registry.manifests["team/shop-base"]) - {self.built["manifest"]}, {self.built["fingerprint"], "latest"})
        # Another machine: nothing in its store.
        fixtures.shutil.rmtree(self.project / ".veneer")
        self.assertIn("no base was made here", self.veneer("base", "status", cwd=self.project, code=10).stdout)
        self.assertIn("veneer base build", self.veneer("base", "push", name, cwd=self.project, code=4).stderr)
        self.assertEqual(self.status(self.project, f"{name}:latest")["state"], "fresh")
        settings = self.project / "pyproject.toml"
        settings.write_text(settings.read_text() + '\n[tool.veneer.system]\npackages = ["libpq5"]\n')
        self.assertEqual(self.stale_for(self.project, f"{name}:latest"), {"packages": ("", "libpq5")})
        self.assertIn("no base image that veneer made", self.veneer("base", "status", f"oci:{self.layout}", cwd=self.project, code=3).stderr)


class DockerFiles(Edits):
    def test_what_makes_a_base_stale(self):
        """Of generated Dockerfiles; no engine is needed to know."""
        project = self.small_project()
        settings = project / "pyproject.toml"
        replace(settings, next(line for line in settings.read_text().splitlines() if line.startswith("base = ")),
                'base = "python:3.11-slim"\npython = "3.11"')
        fixtures.commit_all(project, "Another base")
        self.veneer("base", "status", "--docker", cwd=project, code=10)
        self.veneer("init", "--docker", cwd=project)
        written = {name: (project / name).read_bytes() for name in ("Dockerfile", "Dockerfile.base", ".dockerignore", "veneer.mk", "pyproject.toml",
                                                                    ".github/workflows/image.yml", "docs/container-image.md")}
        self.veneer("init", cwd=project)  # pyproject.toml remembers; nothing is written anew
        self.assertEqual({name: (project / name).read_bytes() for name in written}, written)
        self.veneer("init", "--check", cwd=project)
        fixtures.commit_all(project, "Dockerfiles")
        for name, edit, expected in (
            ("version", lambda: (replace(settings, 'version = "1.0.0"', 'version = "1.1.0"'), self.lock(project)), set()),
            ("code", lambda: (project / "src/shop/__init__.py").write_text("print(2)\n"), set()),
            ("dev dependency", lambda: self.add_dependency(project, "dev"), set()),
            ("production dependency", lambda: self.add_dependency(project, ""), {"distribution extra"}),
            ("package list", lambda: settings.write_text(settings.read_text() + '\n[tool.veneer.system]\npackages = ["libpq5"]\n'),
             {"packages", "Dockerfile.base"}),
            ("snapshot", lambda: settings.write_text(settings.read_text() + '\n[tool.veneer.system]\nsnapshot = "20250101T000000Z"\n'), {"snapshot"}),
            ("digest", lambda: replace(settings, "python:3.11-slim", "python:3.11-slim@sha256:" + 64 * "0"), {"base"}),
            ("writable", lambda: replace(settings, '"/app/data", ', ""), {"Dockerfile.base"}),
        ):
            with self.subTest(name):
                edit()
                status = self.status(project, "--docker")
                self.assertEqual({row["what"] for row in status["changed"]}, expected)
                self.assertEqual(status["state"], "stale" if expected else "fresh")
                self.veneer("init", "--check", cwd=project, code=10 if expected else 0)
            self.undo(project)
        # A Dockerfile of theirs stays, and what to do is said.
        (project / "Dockerfile").write_text("FROM python:3.11-slim\nCMD python run.py\n")
        self.assertIn("git mv", self.veneer("init", "--docker", cwd=project).stderr)
        self.assertEqual((project / "Dockerfile").read_text(), "FROM python:3.11-slim\nCMD python run.py\n")


    def test_what_it_refuses(self):
        """By name, before anything is written."""
        project = self.small_project()
        settings = project / "pyproject.toml"
        replace(settings, next(line for line in settings.read_text().splitlines() if line.startswith("base = ")),
                'base = "python:3.11-slim"\npython = "3.11"')
        fixtures.commit_all(project, "Another base")
        before = settings.read_text()
        self.assertIn("each week", self.veneer("init", "--docker", "--rebuild", "weekly", cwd=project, code=3).stderr)
        settings.write_text(before + '\n[tool.veneer.init]\nrebuild = "weekly"\ndocker = true\n')
        self.assertIn("each week", self.veneer("init", cwd=project, code=3).stderr)
        settings.write_text(before)
        repository = self.folder / "repository"
        shutil.copytree(project, repository / "shop", ignore=shutil.ignore_patterns(".git"))
        fixtures.git(repository, "init", "-q", "-b", "main")
        fixtures.commit_all(repository, "Below")
        self.assertIn("is not the root of a git repository", self.veneer("init", "--docker", cwd=repository / "shop", code=3).stderr)
        (repository / "pyproject.toml").write_text('[project]\nname = "all"\nversion = "1"\nrequires-python = ">=3.11"\n'
                                                   '[tool.uv.workspace]\nmembers = ["shop"]\n')
        (repository / "shop" / "uv.lock").unlink()
        self.lock(repository)
        fixtures.commit_all(repository, "A workspace")
        self.assertIn("want uv.lock beside pyproject.toml", self.veneer("init", "--docker", cwd=repository / "shop", code=3).stderr)
        for folder in (project, repository / "shop"):
            self.assertFalse((folder / "Dockerfile.base").exists())


class Words(fixtures.SystemTest):
    def test_refused(self):
        for words in (["bake"], ["build", "x"], ["update", "x"], ["push"], ["push", "r.example/x:1"], ["status", "--no-lock-file"],
                      ["build", "--also-tag", "latest"], ["update", "--locked"]):
            with self.subTest(words):
                self.veneer("base", *words, code=2)


if __name__ == "__main__":
    fixtures.main()
