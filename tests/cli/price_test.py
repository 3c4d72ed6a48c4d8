#!/usr/bin/env python3
"""The price of a change before it is merged, against what the same images cost once they are built."""

import json
import random
import subprocess
import sys
import sysconfig
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

LIBRARY = Path(sysconfig.get_path("stdlib"))
PARTS = ["asyncio", "email", "json", "unittest", "xml/dom", "importlib", "html", "logging", "sqlite3", "wsgiref", "zoneinfo", "tomllib"]


class Price(fixtures.SystemTest):
    """A project that is no package, below the top of its repository; wheels with real modules in them."""

    def setUp(self):
        super().setUp()
        self.repository = self.folder / "work"
        self.project = self.repository / "services" / "shop"
        (self.project / "static").mkdir(parents=True)
        names = [f"part-{number}" for number in range(len(PARTS))]
        for number in range(len(PARTS)):
            self.write_wheel(number, 1)
        sources = "\n".join(f'{name} = {{ path = "wheels/{name.replace("-", "_")}-1-py3-none-any.whl" }}' for name in names)
        (self.project / "pyproject.toml").write_text(
            f'[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = {json.dumps(names)}\n'
            f'[tool.uv.sources]\n{sources}\n'
            f'[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\n[tool.veneer.image]\ncmd = ["python", "main.py"]\n')
        (self.project / "main.py").write_text((LIBRARY / "argparse.py").read_text())
        (self.project / "static" / "picture.bin").write_bytes(random.Random(1).randbytes(300_000))
        (self.project / ".gitignore").write_text(".veneer/\n")
        (self.project / ".dockerignore").write_text("notes\n")
        (self.project / "notes").write_text("no part of it\n")
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.repository)], check=True)
        self.commit("First")
        fixtures.git(self.repository, "tag", "v1")

    def write_wheel(self, number: int, value: int) -> None:
        files = {f"part_{number}/{path.name}": path.read_text() for path in sorted((LIBRARY / PARTS[number]).glob("*.py"))}
        files[f"part_{number}/__init__.py"] = f"VALUE = {value}\n"
        if number == 0:
            files["part_0/data.bin"] = random.Random(value).randbytes(2_000_000)
        fixtures.wheel(self.project / "wheels", f"part_{number}", "1", files)

    def commit(self, text: str) -> None:
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=self.project, check=True, env=self.environment())
        fixtures.commit_all(self.repository, text)

    def change(self) -> None:
        """A large distribution, two that share a layer with others, and a line of code."""
        for number in (0, 6, 9):
            self.write_wheel(number, 2)
        with open(self.project / "main.py", "a") as file:
            file.write("# another line\n")
        self.commit("Second")

    def price(self, *words, code: int = 0) -> dict:
        return json.loads(self.veneer("plan", "--from", "v1", "--json", *words, cwd=self.project, code=code).stdout)

    def assert_near(self, priced: dict, wire: dict) -> None:
        """Within 3 % or 20 kB a changed layer, for each kind of host."""
        bytes_of = {row["receiver"]: (row["bytes"], row["layers"]) for row in priced["deploy"]}
        for row in wire["deploy"]:
            told, layers = bytes_of[row["receiver"]]
            sent = [step["bytes"] for step in row["plan"]["steps"] if step["action"] == "send"]
            self.assertEqual(layers, len(sent), row["receiver"])
            allowed = sum(max(0.03 * size, 20_000) for size in sent)
            self.assertLess(abs(told - row["plan"]["bytes"]), allowed / 2, (row["receiver"], told, row["plan"]["bytes"]))

    def test_it_is_what_the_built_images_cost(self):
        self.veneer("build", cwd=self.project)
        pyproject = (self.project / "pyproject.toml").read_text()
        (self.project / "pyproject.toml").write_text(pyproject.replace('version = "1.0"', 'version = "1.1"'))
        self.change()
        before = sorted(path for path in self.cache.rglob("*") if path.is_file())
        priced = self.price()
        self.assertEqual([path for path in before if not path.exists()], [])
        layers = self.json("build", "--json", cwd=self.project)["layers"]
        own = [layer for layer in layers if layer["kind"] == "application"]
        # The wheels lie in the project's folder too, so it has more than 1 MB; pyproject.toml is a file that changed.
        self.assertEqual([(layer["title"], layer["made"]) for layer in own],
                         [("application files in app/static", False), ("application files in app/wheels", True),
                          ("application files", True), ("application", True)])
        self.assertEqual({layer["title"] for layer in priced["layers"] if layer["title"].startswith("application")},
                         {layer["title"] for layer in own if layer["made"]})
        wire = self.json("compare", "shop:1.0", "--json", cwd=self.project)
        self.assert_near(priced, wire)
        self.assertEqual({change["name"] for change in priced["changes"]}, {"part-0", "part-6", "part-9"})
        self.assertEqual(priced["notes"], [])  # that v1 has no veneer.lock yet is no other base
        self.assertEqual([layer["estimated"] for layer in priced["layers"]], [False] * len(priced["layers"]))

    def test_forms_and_budget(self):
        self.change()
        priced = self.price("--max-bytes", "9MB")
        pulled = next(row for row in priced["deploy"] if row["receiver"] == "docker pull, containerd store; podman pull")
        dearest = max(row["bytes"] for row in priced["deploy"])
        self.assertLess(pulled["bytes"], dearest)
        over = self.veneer("plan", "--from", "v1", "--to", "HEAD", "--max-bytes", dearest - 1, cwd=self.project, code=10)
        self.assertIn(f"{dearest} bytes would be sent, {dearest - 1} are allowed", over.stderr)
        self.veneer("plan", "--from", "v1", "--max-bytes", dearest, cwd=self.project)
        table = self.veneer("plan", "--from", "v1", "--markdown", "--max-bytes", "1MB", "--line", "1Mbit", cwd=self.project, code=10).stdout
        self.assertIn("| host | on the wire | layers | about |\n| --- | ---: | ---: | ---: |\n", table)
        self.assertIn("**Over the budget**", table)
        self.assertIn("| part-0 | 1, another file | 2", table)
        same = self.price("--to", "v1")
        self.assertEqual((max(row["bytes"] for row in same["deploy"]), same["layers"], same["changes"]), (0, [], []))
        missing = self.veneer("plan", "--from", "v7", cwd=self.project, code=4)
        self.assertIn("v7 is no commit of", missing.stderr)
        self.veneer("plan", "--from", "v1", "--base", "debian:bookworm", cwd=self.project, code=2)
        self.veneer("plan", "--max-bytes", "1MB", cwd=self.project, code=2)

    def test_two_locks(self):
        old = self.folder / "old.lock"  # whatever it is called
        old.write_text((self.project / "uv.lock").read_text())
        self.change()
        said = self.json("compare", "--lock", old, self.project / "uv.lock", "--json", cwd=self.project)
        self.assertEqual({change["name"] for change in said["changes"]}, {"part-0", "part-6", "part-9"})
        self.assertIn("the application itself is not counted", said["notes"])
        whole = self.price()
        self.assertEqual([layer for layer in whole["layers"] if not layer["title"].startswith("application")], said["layers"])
        self.veneer("compare", "--lock", old, self.project / "uv.lock", "--max-bytes", "1kB", cwd=self.project, code=10)
        self.veneer("compare", "--lock", old, cwd=self.project, code=2)
        self.veneer("compare", old, self.project / "uv.lock", "--markdown", cwd=self.project, code=2)

    def test_a_package_is_estimated(self):
        text = (self.project / "pyproject.toml").read_text()
        (self.project / "pyproject.toml").write_text(text + '[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n')
        (self.project / "src" / "shop").mkdir(parents=True)
        (self.project / "src" / "shop" / "__init__.py").write_text((LIBRARY / "argparse.py").read_text())
        self.commit("A package")
        fixtures.git(self.repository, "tag", "-f", "v1")
        (self.project / "src" / "shop" / "__init__.py").write_text((LIBRARY / "ast.py").read_text())
        self.commit("Other code")
        priced = self.price()
        self.assertEqual([layer["title"] for layer in priced["layers"]], ["application"])
        self.assertTrue(priced["layers"][0]["estimated"])
        built = self.json("build", "--json", cwd=self.project)["layers"][-1]
        self.assertLess(abs(built["size"] - priced["layers"][0]["bytes"]), 10_000)


if __name__ == "__main__":
    fixtures.main()
