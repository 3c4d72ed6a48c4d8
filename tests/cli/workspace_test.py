#!/usr/bin/env python3
"""A workspace of many members: what a build asks git, and how often."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

BUILD_SYSTEM = '[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n'
MEMBERS = [f"lib{number}" for number in range(16)]


class Workspace(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "git.log"
        programs = self.folder / "programs"
        programs.mkdir()
        wrapper = programs / "git"
        wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {self.log}\nexec {shutil.which("git")} "$@"\n')
        wrapper.chmod(0o755)
        self.path_variable = f"{programs}:{os.environ['PATH']}"

    def git_calls(self, *arguments, cwd: Path) -> list[str]:
        """What the program runs git for; back ends of builds run none here."""
        self.log.write_text("")
        self.veneer(*arguments, cwd=cwd, PATH=self.path_variable)
        return self.log.read_text().splitlines()

    def member(self, folder: Path, name: str, dependencies: tuple | list = (), extra: str = "") -> None:
        package = folder / "src" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("def main(): pass\n")
        names = ", ".join(f'"{one}"' for one in dependencies)
        (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = [{names}]\n'
                                               f"{extra}\n{BUILD_SYSTEM}")

    def workspace(self, name: str, members: list[str]) -> Path:
        """In git: a project that depends on all members."""
        path = self.folder / name
        self.member(path, "shop", members, '[project.scripts]\nshop = "shop:main"\n')
        for one in members:
            self.member(path / "members" / one, one)
        sources = "".join(f"{one} = {{ workspace = true }}\n" for one in members)
        with (path / "pyproject.toml").open("a") as file:
            file.write(f'[tool.uv.workspace]\nmembers = ["members/*"]\n[tool.uv.sources]\n{sources}[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\n')
        (path / ".gitignore").write_text(".veneer/\n")
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment())
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        return path

    def test_git_is_asked_once_however_many_members_there_are(self):
        one, many = self.workspace("one", MEMBERS[:1]), self.workspace("many", MEMBERS)
        for path in (one, many):
            self.veneer("build", cwd=path)
        few = self.git_calls("build", cwd=one)
        calls = self.git_calls("build", cwd=many)
        self.assertEqual(len(calls), len(few), "\n".join(calls))
        self.assertLess(len(calls), 12, "\n".join(calls))
        # Each question is put once.
        self.assertEqual(len(set(calls)), len(calls), "\n".join(calls))


if __name__ == "__main__":
    fixtures.main()
