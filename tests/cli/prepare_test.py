#!/usr/bin/env python3
"""[[tool.veneer.prepare]]: files that the project's own commands make of the finished image, without network, as its user."""

import os
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

MAKE = """\
import os, pathlib, socket, sys
import part1
try:
    socket.create_connection(("127.0.0.1", 9), 1)
except OSError as fault:
    network = fault.strerror
out = pathlib.Path("static")
(out / "deep").mkdir(parents=True)
(out / "deep" / "facts.txt").write_text(f"{os.getuid()} {part1.VALUE} {os.environ['SITE_KEY']} {network}\\n")
(out / "tool").write_text("#!/bin/sh\\n")
(out / "tool").chmod(0o750)
(out / "latest").symlink_to("deep/facts.txt")
pathlib.Path("stray.txt").write_text("lost")
"""


class Prepare(fixtures.SystemTest):
    def project(self, steps: str, **files: str) -> Path:
        project = self.small_project()
        for name, text in {"make": MAKE, **files}.items():
            (project / f"{name}.py").write_text(text)
        settings = (project / "pyproject.toml").read_text().replace(
            '\nfiles = [', '\nfiles = [{ from = "make.py", to = "/app/make.py" }, ')
        (project / "pyproject.toml").write_text(settings + steps)
        fixtures.commit_all(project, "Prepared")
        return project

    def step(self, **keys: str) -> str:
        all_keys = {"command": '["python", "make.py"]', "outputs": '["/app/static"]', "env": '{ SITE_KEY = "dummy" }', **keys}
        return "\n[[tool.veneer.prepare]]\n" + "".join(f"{name} = {value}\n" for name, value in all_keys.items())

    def entries(self, project: Path) -> dict:
        tree = self.json("inspect", "--tree", "--json", cwd=project)["entries"]
        return {entry["path"]: entry for entry in tree if entry["path"].startswith("app/static")}

    def test_their_layer_lies_below_the_code(self):
        project = self.project(self.step(inputs='["make.py"]'))
        first = self.veneer("build", "--json", cwd=project)
        self.assertIn("also wrote /app/stray.txt", first.stderr)
        built = self.json("build", "--json", cwd=project)
        self.assertEqual([layer["kind"] for layer in built["layers"]][-3:], ["environment", "prepared", "application"])
        self.assertEqual(built["layers"][-2]["title"], "python make.py")
        self.assertEqual(built["statistics"]["layers_made"], 0)
        entries = self.entries(project)
        self.assertEqual({path: (entry["type"], entry["mode"]) for path, entry in entries.items() if entry["type"] != "symlink"},
                         {"app/static": ("folder", "0755"), "app/static/deep": ("folder", "0755"),
                          "app/static/deep/facts.txt": ("file", "0644"), "app/static/tool": ("file", "0755")})
        self.assertIn("app/static/latest", entries)
        facts = self.content(project, built, "app/static/deep/facts.txt").split(maxsplit=3)
        self.assertEqual(facts[:3], ["1000", "1", "dummy"])
        self.assertIn("Network is unreachable", facts[3])

        # A file that is no input.
        (project / "run.py").write_text("import shop\nshop.main()\nprint(2)\n")
        fixtures.commit_all(project, "Other code")
        edited = self.json("build", "--json", cwd=project)
        self.assertEqual(built["layers"][-2]["diff_id"], edited["layers"][-2]["diff_id"])
        self.assertEqual([layer["made"] for layer in edited["layers"][-2:]], [False, True])

        (project / "make.py").write_text(MAKE.replace('"stray.txt"', '"static/random"').replace('"lost"', "os.urandom(8).hex()"))
        fixtures.commit_all(project, "Random")
        self.assertTrue(self.json("build", "--json", cwd=project)["layers"][-2]["made"])
        report = self.json("check", "--repeat", "--no-imports", "--json", cwd=project, code=10)
        self.assertEqual([finding["id"] for finding in report["findings"] if finding["severity"] == "problem"], ["repeat:/app/static/random"])

    def content(self, project: Path, built: dict, path: str) -> str:
        blob = project / ".veneer" / "blobs" / "sha256" / built["layers"][-2]["digest"].removeprefix("sha256:")
        with tarfile.open(blob) as layer:
            return layer.extractfile(path).read().decode()

    def test_what_a_step_may_not_do(self):
        outside = 'import os, pathlib\nos.rmdir("static")\npathlib.Path("static").symlink_to("/etc")\npathlib.Path("x").touch()\n'
        cases = [
            (MAKE.replace("import part1", "os.environ['SITE_TOKEN']"), self.step(), 'env = { SITE_TOKEN = "…" }'),
            (outside, self.step(outputs='["/app/static/passwd", "/app/x"]'), "/app/static is no folder"),
            ("", self.step(), "it made no /app/static"),
            ('import os\nos.mkfifo("static")\n', self.step(), "no file, folder or link"),
            ('import pathlib\npathlib.Path("make.py").write_text("")\n', self.step(outputs='["/app/make.py"]'), "it changed /app/make.py"),
        ]
        project = self.project(self.step())
        settings = (project / "pyproject.toml").read_text().split("\n[[tool.veneer.prepare]]")[0]
        for make, step, message in cases if os.environ.get("VENEER_TEST_ALL") else cases[:2]:
            with self.subTest(message):
                (project / "make.py").write_text(make)
                (project / "pyproject.toml").write_text(settings + step)
                fixtures.commit_all(project, message)
                self.assertIn(message, self.veneer("build", cwd=project, code=None).stderr)


if __name__ == "__main__":
    fixtures.main()
