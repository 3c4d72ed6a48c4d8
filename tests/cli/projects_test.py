#!/usr/bin/env python3
"""Projects of different shapes, as a developer would have them: what one command makes of each."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))
import fixtures  # noqa: E402
import layouts  # noqa: E402
import shapes  # noqa: E402

BUILD_SYSTEM = '[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n'


class Projects(fixtures.SystemTest):
    def project(self, folder: str, pyproject: str, files: dict | None = None) -> Path:
        """A project without a repository, not yet locked."""
        path = self.folder / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "pyproject.toml").write_text(pyproject)
        for name, text in (files or {}).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)
        return path

    def lock(self, path: Path) -> None:
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment())

    def metadata(self, name: str, extra: str = "", requires: str = ">=3.11") -> str:
        return f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = "{requires}"\n{extra}\n'

    def veneer_table(self) -> str:
        return f'[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\n'

    def python_table(self) -> str:
        """For a project of which nothing says what it starts."""
        return self.veneer_table() + 'image = { cmd = ["python"] }\n'

    def run_config(self, path: Path) -> dict:
        """Of the image that was built last."""
        layout = path / ".veneer"
        index = fixtures.json.loads((layout / "index.json").read_text())

        def blob(digest: str) -> dict:
            return fixtures.json.loads((layout / "blobs" / "sha256" / digest.split(":")[1]).read_text())

        return blob(blob(index["manifests"][-1]["digest"])["config"]["digest"])["config"]

    def paths(self, path: Path) -> list[str]:
        return [entry["path"] for entry in self.json("inspect", "--tree", "--json", cwd=path)["entries"]]

    def test_a_project_that_is_no_package_brings_its_files(self):
        path = self.project("plain", self.metadata("plain") + self.veneer_table(),
                            {"main.py": "print('hi')\n", "pages/a.html": "a", "tests/test_a.py": "", ".env": "SECRET=1"})
        self.lock(path)
        self.veneer("build", cwd=path)
        paths = self.paths(path)
        for there in ("app/main.py", "app/pages/a.html"):
            self.assertIn(there, paths)
        for absent in ("app/.env", "app/tests/test_a.py", "app/uv.lock"):
            self.assertNotIn(absent, paths)
        self.assertEqual(self.run_config(path)["Cmd"], ["/app/.venv/bin/python", "main.py"])
        # The folder that it makes is none of git's business.
        fixtures.git(path, "init", "-q")
        self.assertNotIn(".veneer", fixtures.git(path, "status", "--short"))

    def test_a_package_starts_its_script(self):
        path = self.project("shop", self.metadata("shop", '[project.scripts]\nserve = "shop:main"\n') + BUILD_SYSTEM + self.veneer_table(),
                            {"src/shop/__init__.py": "def main(): print('x')\n"})
        self.lock(path)
        self.veneer("build", cwd=path)
        self.assertEqual(self.run_config(path)["Entrypoint"], ["/app/.venv/bin/serve"])

    def test_what_starts_is_said_and_a_dockerfile_is_taken(self):
        path = self.project("web", self.metadata("web") + self.veneer_table(), {
            "serve.py": "print('hi')\n", "main.py": "def main():\n    print('Hello from web!')\n\n\nif __name__ == '__main__':\n    main()\n",
            "run.sh": "#!/bin/sh\nset -e\nexec \"$@\"\n",
            "Dockerfile": "FROM python:3.11\nWORKDIR /srv\nENV MODE=live API_TOKEN=x\nCOPY . .\nRUN chmod +x run.sh\nUSER 1234:1234\n"
                          "EXPOSE 9000\nHEALTHCHECK CMD curl localhost\nENTRYPOINT [\"./run.sh\"]\nCMD [\"uv\", \"run\", \"python\", \"serve.py\"]\n"})
        self.lock(path)
        planned = self.veneer("plan", cwd=path)
        self.assertIn("starts: ./run.sh python serve.py  (ENTRYPOINT and CMD, Dockerfile:9)\n", planned.stdout)
        self.assertIn("Dockerfile:8: HEALTHCHECK is not taken: curl is not in the image", planned.stdout)
        self.assertIn("Dockerfile:3: ENV API_TOKEN is not taken", planned.stdout)
        built = self.json("build", "--json", cwd=path)
        self.assertEqual((built["start"]["entrypoint"], built["start"]["cmd"]), (["./run.sh"], ["python", "serve.py"]))
        config = self.run_config(path)
        self.assertEqual([config[key] for key in ("Entrypoint", "Cmd", "WorkingDir", "User", "ExposedPorts")],
                         [["./run.sh"], ["python", "serve.py"], "/srv", "1234:1234", {"9000/tcp": {}}])
        self.assertIn("MODE=live", config["Env"])
        self.assertFalse([entry for entry in config["Env"] if "TOKEN" in entry])
        tree = {entry["path"]: entry for entry in self.json("inspect", "--tree", "--json", cwd=path)["entries"]}
        self.assertEqual(tree["srv/run.sh"]["mode"], "0755")
        self.assertIn("srv/serve.py", tree)

        # Nobody says anything: the lines to paste. What uv wrote is not one of them.
        (path / "pyproject.toml").write_text((path / "pyproject.toml").read_text() + "dockerfile = false\n")
        (path / "bot.py").write_text("if __name__ == '__main__':\n    print(1)\n")
        (path / "app.py").write_text("if __name__ == '__main__':\n    print(2)\n")
        refused = self.veneer("plan", cwd=path, code=3).stderr
        self.assertIn('cmd = ["python", "app.py"]', refused)
        self.assertIn('cmd = ["python", "bot.py"]', refused)
        self.assertIn("main.py is what `uv init` wrote", refused)
        self.assertIn("starts: python bot.py -v  (--cmd)\n", self.veneer("plan", "--cmd", "python bot.py -v", cwd=path).stdout)
        self.assertIn("not the words of one command", self.veneer("plan", "--cmd", "a && b", cwd=path, code=2).stderr)

    def test_a_project_in_a_subfolder_of_its_repository(self):
        """However the folder is spelled, the same image; and never one without the application."""
        repository = self.folder / "repository"
        path = self.project("repository/api", self.metadata("api") + self.veneer_table(),
                            {"main.py": "print('hi')\n", "pages/a.html": "a", "caf\u00e9 \"x\".txt": "quoted by git", "deleted.txt": ""})
        self.project("repository/api2", self.metadata("api2"), {"other.py": ""})
        self.lock(path)
        fixtures.git(repository, "init", "-q", "-b", "main")
        fixtures.commit_all(repository, "First")
        (path / "deleted.txt").unlink()
        (path / "new.py").write_text("")
        link, parent = self.folder / "link", self.folder / "parent"
        link.symlink_to(path)
        parent.symlink_to(repository)
        spellings = [(path, []), (path, ["--project", "."]), (path, ["--project", f"{path}/"]), (path / "pages", ["--project", ".."]),
                     (path / "pages", ["--project", "../"]), (repository, ["--project", "api"]), (repository, ["--project", "api/"]),
                     (repository, ["--project", "./api2/../api"]), (self.folder, ["--project", link]), (self.folder, ["--project", f"{link}/"]),
                     (link, []), (parent, ["--project", "api/"]), (self.folder, ["--project", f"{parent}/api/pages/.."]),
                     (self.folder, ["--project", link, "--lock", f"{parent}/api//uv.lock"])]
        manifests = set()
        for cwd, options in spellings:
            with self.subTest(cwd=cwd, options=options):
                manifests.add(self.json("build", "--json", *options, cwd=cwd)["manifest"])
                self.assertEqual([name for name in self.paths(path) if name.startswith("app/") and not name.startswith("app/.venv")],
                                 ["app/caf\u00e9 \"x\".txt", "app/main.py", "app/new.py", "app/pages", "app/pages/a.html", "app/pyproject.toml"])
        self.assertEqual(len(manifests), 1)
        # What was built is found where it was put, not where we are.
        self.assertEqual(self.json("plan", "--json", "--project", "api/", cwd=repository)["deploy_from"], "api:1.0")

    def test_an_application_without_a_file_is_an_error(self):
        path = self.project("outer/app", self.metadata("app") + self.veneer_table(), {"main.py": "print()\n"})
        self.lock(path)
        fixtures.git(path.parent, "init", "-q")
        (path.parent / ".gitignore").write_text("/app\n")
        for command in ("build", "plan"):
            refused = self.veneer(command, cwd=path, code=3).stderr
            self.assertIn(f"git ignores all that is in {path}", refused)
            self.assertIn("files = []", refused)
        pyproject = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(pyproject + "[tool.veneer.image]\nfiles = []\n")
        self.veneer("build", cwd=path)

        # What tells of a project is no application.
        (path.parent / ".gitignore").write_text("main.py\n")
        (path / "pyproject.toml").write_text(pyproject)
        (path / "README.md").write_text("")
        for command in ("build", "plan"):
            refused = self.veneer(command, cwd=path, code=3).stderr
            self.assertIn(f"no file of app would be in the image but README.md, pyproject.toml: what else lies in {path} is left out", refused)
            self.assertIn("files = []", refused)
        (path / "pyproject.toml").write_text(pyproject + '[tool.veneer.image]\ncmd = ["python"]\nfiles = [{ from = "README.md", to = "/app/README.md" }]\n')
        self.veneer("build", cwd=path)

        # A folder that is named and holds nothing for the image: the reason is the true one.
        (path.parent / ".gitignore").write_text("*.tmp\n")
        (path / "pyproject.toml").write_text(pyproject + '[tool.veneer.image]\nfiles = [{ from = "assets", to = "/app/assets" }]\n')
        (path / "assets").mkdir()
        self.assertIn("it is empty", self.veneer("build", cwd=path, code=4).stderr)
        (path / "assets" / "a.tmp").write_text("")
        self.assertIn("git ignores what is in it", self.veneer("build", cwd=path, code=4).stderr)

        # A lock from which the project was left out.
        path = self.small_project()
        (path / "pyproject.toml").write_text(re.sub(r"\[tool.veneer.image\].*", "", (path / "pyproject.toml").read_text(), flags=re.DOTALL))
        exported = subprocess.run(["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--format", "pylock.toml"], cwd=path,
                                  check=True, env=self.environment(), capture_output=True, text=True).stdout
        (path / "pylock.toml").write_text(exported)
        self.assertIn("the lock does not hold it", self.veneer("build", "--lock", "pylock.toml", cwd=path, code=3).stderr)

    def test_a_submodule_that_is_not_checked_out_is_said(self):
        library = self.project("library", self.metadata("library"), {"lib.py": ""})
        fixtures.git(library, "init", "-q", "-b", "main")
        fixtures.commit_all(library, "First")
        origin = self.project("origin", self.metadata("origin") + self.veneer_table(), {"main.py": "print()\n"})
        self.lock(origin)
        fixtures.git(origin, "init", "-q", "-b", "main")
        fixtures.git(origin, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "library")
        fixtures.commit_all(origin, "First")
        self.assertEqual(self.json("build", "--json", cwd=origin)["findings"], [])
        self.assertIn("app/library/lib.py", self.paths(origin))
        clone = self.folder / "clone"
        fixtures.git(self.folder, "clone", "-q", str(origin), str(clone))
        self.assertEqual(self.json("build", "--json", cwd=clone)["findings"],
                         ["the submodule library is not checked out, so its files are not in the image"])
        self.assertIn("app/main.py", self.paths(clone))

    def test_names_are_compared_in_their_normal_form(self):
        """As packaging tools do: my_app, My.App and my-app are one name."""
        sources = '[tool.uv.sources]\nLib_A = { workspace = true }\n'
        path = self.project("my_app", self.metadata("my_app", 'dependencies = ["lib.a"]\n[project.optional-dependencies]\n"Big_Extra" = ["Lib_A"]\n'
                            '[project.scripts]\nma = "my_app:main"\nmy_app = "my_app:main"\n[dependency-groups]\n"My.Group" = []') + BUILD_SYSTEM +
                            self.veneer_table() + 'extras = ["big.EXTRA"]\ngroups = ["MY_group"]\npackage = "My.App"\n' + sources +
                            '[tool.uv.workspace]\nmembers = ["members/*"]\n', {"src/my_app/__init__.py": "def main(): pass\n"})
        self.project("my_app/members/lib_a", self.metadata("Lib.A", '[project.scripts]\n"Lib.a" = "lib_a:main"\nother = "lib_a:main"\n') + BUILD_SYSTEM,
                     {"src/lib_a/__init__.py": "def main(): pass\n"})
        self.lock(path)
        self.assertEqual(self.json("build", "--json", cwd=path)["image"], "my-app:1.0")
        self.assertEqual(self.run_config(path)["Entrypoint"], ["/app/.venv/bin/my_app"])
        self.assertIn("app/.venv/lib/python3.11/site-packages/lib_a/__init__.py", self.paths(path))
        self.veneer("build", "--extra", "BIG-extra", "--group", "my_GROUP", "--package", "my.app", cwd=path)
        self.assertEqual(self.json("build", "--json", "--package", "LIB_A", cwd=path)["image"], "lib-a:1.0")
        self.assertEqual(self.run_config(path)["Entrypoint"], ["/app/.venv/bin/Lib.a"])

    def test_what_a_deploy_would_cost(self):
        """plan before the build and compare after it, and both are near what is then shipped (tests/engines)."""
        path = self.small_project()
        self.veneer("build", cwd=path)
        self.assertIn("Nothing has changed since shop:1.0.0: nothing would travel", self.veneer("plan", cwd=path).stdout)
        self.assertNotIn("deploy", self.json("plan", "--json", cwd=self.small_project("other")))
        before = path / "before"
        fixtures.shutil.copytree(path / ".veneer", before)
        (path / "src" / "shop" / "__init__.py").write_text("def main():\n    print('good day')\n")
        fixtures.commit_all(path, "Greet by day")
        planned = self.json("plan", "--json", cwd=path)
        self.assertEqual(planned["deploy_from"], "shop:1.0.0")
        self.veneer("build", cwd=path)
        compared = self.json("compare", f"oci:{before}:shop:1.0.0", "--json", cwd=path)
        self.assertEqual(compared["new"], "shop:1.0.0")
        self.assertEqual([row["kind"] for row in compared["deploy"]], ["prefix", "prefix", "blobs", "diff_ids"])
        for was, now in zip(planned["deploy"], compared["deploy"], strict=True):
            actions = [step["action"] for step in now["plan"]["steps"]]
            self.assertEqual(actions, ["keep"] * 5 + ["send"])
            self.assertAlmostEqual(was["plan"]["bytes"], now["plan"]["bytes"], delta=1024)
        self.veneer("compare", f"oci:{before}:shop:1.0.0", "--max-bytes", "1MB", cwd=path)
        refused = self.veneer("compare", f"oci:{before}:shop:1.0.0", "--max-bytes", "2kB", cwd=path, code=10)
        self.assertIn("2000 are allowed", refused.stderr)
        self.assertIn("about", self.veneer("compare", "shop:1.0.0", "--line", "1Mbit", cwd=path).stdout)

    def test_the_forecast_of_layers_that_do_not_exist_yet(self):
        """A new bundle and new layers of their own, of real wheels: what plan says before is what they take after."""
        pyproject = self.metadata("shop", "dependencies = [{}]") + self.veneer_table()
        path = self.project("shop", pyproject.format(""), {"main.py": "print('hello')\n"})
        self.lock(path)
        self.veneer("build", cwd=path)
        for wanted in (["click", "jinja2", "requests", "pyyaml"], ["pygments", "rich", "httpx", "numpy", "babel"]):
            with self.subTest(wanted):
                (path / "pyproject.toml").write_text(pyproject.format(", ".join(f'"{name}"' for name in wanted)))
                self.lock(path)
                planned = self.json("plan", "--json", cwd=path)
                before = self.folder / "before"
                fixtures.shutil.rmtree(before, ignore_errors=True)
                fixtures.shutil.copytree(path / ".veneer", before)
                self.veneer("build", cwd=path)
                compared = self.json("compare", f"oci:{before}", "--json", cwd=path)
                for was, now in zip(planned["deploy"], compared["deploy"], strict=True):
                    self.assertAlmostEqual(was["plan"]["bytes"] / now["plan"]["bytes"], 1, delta=0.02)
                    for step, real in zip(was["plan"]["steps"], now["plan"]["steps"], strict=True):
                        if real["size"] > 10_000:  # the application's is not known before
                            self.assertAlmostEqual(step["size"] / real["size"], 1, delta=0.02, msg=f"{step} {real}")

    def test_a_member_of_a_workspace(self):
        sources = "[tool.uv.sources]\nlib-a = { workspace = true }\n"
        path = self.project("space", self.metadata("space", 'dependencies = ["lib-a"]') + BUILD_SYSTEM + self.python_table() + sources +
                            '[tool.uv.workspace]\nmembers = ["members/*"]\n', {"src/space/__init__.py": ""})
        self.project("space/members/lib-a", self.metadata("lib-a") + BUILD_SYSTEM, {"src/lib_a/__init__.py": ""})
        self.project("space/members/app-b", self.metadata("app-b", 'dependencies = ["lib-a"]\n[project.scripts]\nb = "app_b:main"\n') +
                     BUILD_SYSTEM + sources, {"src/app_b/__init__.py": ""})
        self.lock(path)
        site = "app/.venv/lib/python3.11/site-packages"
        self.assertEqual(self.json("build", "--json", cwd=path)["image"], "space:1.0")
        self.assertIn(f"{site}/lib_a/__init__.py", self.paths(path))
        self.assertNotIn(f"{site}/app_b/__init__.py", self.paths(path))
        # By name from the root, on the root's base, into the store of the folder that we are in; and in its own folder.
        built = self.json("build", "--json", "--package", "app-b", cwd=path)
        self.assertEqual(built["image"], "app-b:1.0")
        self.assertEqual(self.run_config(path)["Entrypoint"], ["/app/.venv/bin/b"])
        inspected = self.json("inspect", "--json", "app-b:1.0", cwd=path)
        self.assertEqual(inspected["manifest"], built["manifest"])
        refused = self.veneer("build", "--package", "other", cwd=path, code=4)
        self.assertIn("no member other", refused.stderr)

    def test_what_cannot_be_built_is_said(self):
        lonely = self.project("lonely", self.metadata("lonely"))
        self.assertIn("hint: run: uv lock", self.veneer("build", cwd=lonely, code=4).stderr)

        newer = self.project("newer", self.metadata("newer", requires=">=3.12") + self.veneer_table(), {"main.py": "print()\n",
                              "uv.lock": 'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n\n[[package]]\nname = "newer"\nversion = "1.0"\n'
                                         'source = { virtual = "." }\n'})
        self.assertIn("3.12", self.veneer("build", cwd=newer, code=3).stderr)

        unknown = self.project("unknown", self.metadata("unknown") + self.veneer_table() + "colour = 1\n", {"main.py": "print()\n"})
        self.lock(unknown)
        self.assertIn("colour", self.veneer("build", cwd=unknown, code=3).stderr)

    def test_a_wheel_that_is_not_what_the_lock_says(self):
        path = self.small_project()
        fixtures.wheel(path / "wheels", "part1", "1.0", {"part1/__init__.py": "EVIL = 1\n"})
        refused = self.veneer("build", cwd=path, code=6)
        self.assertIn("part1", refused.stderr)

    def test_a_pylock_gives_the_same_layers(self):
        path = self.small_project()
        first = self.json("build", "--json", cwd=path)
        exported = subprocess.run(["uv", "export", "--quiet", "--frozen", "--no-dev", "--format", "pylock.toml", "--no-editable"], cwd=path,
                                  check=True, env=self.environment(), capture_output=True, text=True).stdout
        (path / "pylock.toml").write_text(exported)
        second = self.json("build", "--json", "--lock", "pylock.toml", cwd=path)
        self.assertEqual([layer["diff_id"] for layer in first["layers"][:-1]], [layer["diff_id"] for layer in second["layers"][:-1]])
        selected = self.json("select", "pylock.toml", "--python", "3.11.2", "--json", cwd=path)
        self.assertEqual(selected, self.json("select", "uv.lock", "--python", "3.11.2", "--json", cwd=path) | {"packages": [
            package if package["name"] != "shop" else package | {"version": None} for package in
            self.json("select", "uv.lock", "--python", "3.11.2", "--json", cwd=path)["packages"]]})

    def test_a_requirements_file_gives_the_same_layers(self):
        path = self.small_project()
        first = self.json("build", "--json", cwd=path)
        self.export(path, "requirements.txt")
        second = self.json("build", "--json", "--lock", "requirements.txt", cwd=path)
        # Path wheels have no hash there; what they are does not change by that.
        self.assertEqual([layer["diff_id"] for layer in first["layers"]], [layer["diff_id"] for layer in second["layers"]])

    def export(self, path: Path, file: str) -> None:
        exported = subprocess.run(["uv", "export", "--quiet", "--frozen", "--no-dev", "--format", file], cwd=path, check=True,
                                  env=self.environment(), capture_output=True, text=True).stdout
        (path / file).write_text(exported)

    def test_exports_of_real_locks_select_the_same(self):
        """Locks of many shapes, with markers, extras, git and paths: by name and version in each form, and by file where
        the form names files."""
        for shape in ("fastapi", "zope", "notebooks", "workspace", "conflicts", "git", "wheel", "sources"):
            with self.subTest(shape):
                path = self.folder / shape
                shapes.make(shape, path, self.environment())
                for file in ("pylock.toml", "requirements.txt"):
                    extras = [word for extra in shapes.SHAPES[shape].extras for word in ("--extra", extra)]
                    exported = subprocess.run(["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-editable", *extras, "--format", file], cwd=path,
                                              check=True, env=self.environment(), capture_output=True, text=True).stdout
                    (path / file).write_text(exported)
                    locked = self.json("select", "uv.lock", *extras, "--python", "3.11.2", "--json", cwd=path)["packages"]
                    found = self.json("select", file, "--python", "3.11.2", "--json", cwd=path)["packages"]
                    self.assertEqual([one["name"] for one in found], [one["name"] for one in locked], file)
                    for ours, theirs in zip(found, locked):
                        # Folders and commits need not have a version there.
                        if ours["version"] or theirs["kind"] in ("wheel", "sdist"):
                            self.assertEqual(ours["version"], theirs["version"], ours["name"])
                        if file == "pylock.toml":
                            self.assertEqual((ours["kind"], ours["sha256"]), (theirs["kind"], theirs["sha256"]), ours["name"])

    # astral-sh/uv#16818
    def test_case_4_a_file_without_hash(self):
        path = self.small_project()
        first = self.json("build", "--json", cwd=path)
        lock = (path / "uv.lock").read_text()
        (path / "uv.lock").write_text(re.sub(r', hash = "sha256:[0-9a-f]+"', "", lock, count=1))
        fixtures.commit_all(path, "Less", fixtures.FIRST_COMMIT_TIME)
        second = self.json("build", "--json", cwd=path)
        self.assertEqual([layer["diff_id"] for layer in first["layers"]], [layer["diff_id"] for layer in second["layers"]])
        self.assertRegex("\n".join(second["findings"]), r"part0 has no hash in the lock; its file has sha256:[0-9a-f]{64}")
        refused = self.veneer("build", "--strict", cwd=path, code=3)
        self.assertIn("no hash of part0", refused.stderr)

    def test_a_hash_by_another_algorithm_is_verified(self):
        path = self.small_project()
        file = path / "wheels" / "part0-1.0-py3-none-any.whl"
        right = hashlib.sha512(file.read_bytes()).hexdigest()
        lock = (path / "uv.lock").read_text()
        (path / "uv.lock").write_text(re.sub(r'(part0[^}]*hash = ")sha256:[0-9a-f]+', rf"\1sha512:{right}", lock))
        self.assertIn("sha512", (path / "uv.lock").read_text())
        self.veneer("build", "--strict", cwd=path)
        (path / "uv.lock").write_text(re.sub(r'(part0[^}]*hash = ")sha256:[0-9a-f]+', rf"\1sha512:{'0' * 128}", lock))
        self.assertIn("part0", self.veneer("build", cwd=path, code=6).stderr)

    def test_one_of_several_hashes_must_be_right(self):
        path = self.small_project()
        right = hashlib.sha256((path / "wheels" / "part0-1.0-py3-none-any.whl").read_bytes()).hexdigest()
        line = "part0 @ wheels/part0-1.0-py3-none-any.whl --hash=sha256:{} --hash=sha256:" + "0" * 64 + "\n-e .\n"
        (path / "requirements.txt").write_text(line.format(right))
        self.assertIn("'part1' is not in the lock", self.veneer("build", "--lock", "requirements.txt", cwd=path, code=3).stderr)
        self.veneer("build", "--strict", "--frozen", "--lock", "requirements.txt", cwd=path)
        (path / "requirements.txt").write_text(line.format("1" * 64))
        self.assertIn("but the lock says", self.veneer("build", "--frozen", "--lock", "requirements.txt", cwd=path, code=6).stderr)

    # astral-sh/uv#15055; ls1intum/edutelligence#1002
    def test_case_2_absolute_paths_in_a_lock(self):
        path = self.small_project()
        self.assertNotIn("path of this machine", self.veneer("build", cwd=path).stderr)
        moved = self.folder / "elsewhere"
        path.rename(moved)
        self.veneer("build", cwd=moved)  # relative paths work from any folder
        for file in ("uv.lock", "pyproject.toml"):
            text = (moved / file).read_text()
            (moved / file).write_text(text.replace('path = "wheels/', f'path = "{moved}/wheels/'))
        self.assertIn(f"by a path of this machine, {moved}/wheels/part0", self.veneer("build", cwd=moved).stderr)
        again = self.folder / "again"
        moved.rename(again)
        refused = self.veneer("build", "--cache", self.folder / "fresh", cwd=again, code=4)
        self.assertIn(f"is not there: {moved}/wheels/part0", refused.stderr)
        self.assertIn("make it relative", refused.stderr)

    def test_files_that_the_wheel_lacks(self):
        path = self.project("lacking", self.metadata("lacking") + '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                            "[tool.setuptools.package-data]\nlacking = ['*.txt']\n" + self.python_table(),
                            {"src/lacking/__init__.py": "", "src/lacking/in.txt": "x", "src/lacking/page.html": "x", "src/lacking/.gitignore": "*.tmp\n", "docs/x.md": ""})
        self.lock(path)
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        self.assertEqual(self.json("build", "--json", cwd=path)["findings"],
                         ["1 of the package's files in git is not in the wheel of lacking: src/lacking/page.html"])

    def test_a_log_that_the_wheel_would_take_is_empty_there(self):
        path = self.project("logging", self.metadata("logging") + BUILD_SYSTEM + self.python_table(), {"src/logging/__init__.py": ""})
        self.lock(path)
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        for name in ("src/logging/run.log", "run.log"):
            (path / name).write_text("a secret")
        commit = fixtures.git(path, "rev-parse", "--short=12", "HEAD").strip()
        self.assertEqual(self.json("build", "--json", cwd=path)["findings"],
                         ["git neither tracks nor ignores src/logging/run.log; in the wheel of logging it is empty",
                          f"the work tree differs from commit {commit}; the version is 1.0"])

    def test_the_project_replaces_a_file_of_a_dependency(self):
        path = self.small_project()
        (path / "src" / "part0").mkdir()
        (path / "src" / "part0" / "data.bin").write_text("mine\n")
        text = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(text + '\n[tool.uv.build-backend]\nmodule-name = ["shop", "part0"]\nnamespace = true\n')
        fixtures.commit_all(path, "Replace")
        built = self.json("build", "--json", cwd=path)
        self.assertIn("part0 and shop install different files as app/.venv/lib/python3.11/site-packages/part0/data.bin; that of shop is used",
                      built["findings"])

    def test_another_platform(self):
        """Wheels of an arm64 image are chosen, and its files made, on any machine; what must be compiled is refused."""
        base = fixtures.debian_base("arm64")
        path = self.project("arm", self.metadata("arm", 'dependencies = ["markupsafe"]') + f'[tool.veneer]\nbase = "oci:{base}"\n', {"main.py": "print()\n"})
        self.lock(path)
        self.assertIn("linux/amd64", self.veneer("build", cwd=path, code=4).stderr)
        built = self.json("build", "--json", "--platform", "linux/arm64", cwd=path)
        self.assertTrue(any("aarch64-linux-gnu.so" in name for name in self.paths(path)))
        self.assertEqual(built["layers"][0]["kind"], "base")
        report = self.json("check", "--json", cwd=path)
        self.assertIn("runs on this machine", report["without_imports"])
        self.assertGreater(report["libraries"], 3)
        self.assertIn("byte code", self.veneer("build", "--platform", "linux/arm64", "--byte-code", cwd=path, code=1).stderr)
        text = (path / "pyproject.toml").read_text().replace(f"oci:{base}", "debian:bookworm")
        (path / "pyproject.toml").write_text(text)
        self.assertIn("cannot be made here", self.veneer("build", "--platform", "linux/s390x", cwd=path, code=3).stderr)
        self.assertIn("--platform wants", self.veneer("build", "--platform", "windows/amd64", cwd=path, code=2).stderr)

    def test_a_base_that_contradicts_its_interpreter(self):
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "base", change=lambda config: config.update(architecture="arm64"))
        path = self.project("arm", self.metadata("arm") + f'[tool.veneer]\nbase = "oci:{base}"\n', {"main.py": "print()\n"})
        self.lock(path)
        refused = self.veneer("build", "--platform", "linux/arm64", cwd=path, code=3).stderr
        self.assertIn("configuration says linux/arm64, but its /usr/bin/python3.11 is a program for x86_64", refused)
        self.assertIn("hint:", refused)

    def test_a_base_from_docker_save(self):
        """Its layers, which are not compressed, are gzip in what is built, with the same bytes from any cache."""
        saved = layouts.saved(fixtures.debian_base(), self.folder / "saved.tar")
        path = self.project("shop", self.metadata("shop") + f'[tool.veneer]\nbase = "docker-archive:{saved}"\n', {"main.py": "print()\n"})
        self.lock(path)
        fixtures.git(path, "init", "-q")
        fixtures.commit_all(path, "The shop")
        built = [self.json("build", "--json", cwd=path, XDG_CACHE_HOME=str(self.folder / name)) for name in ("one", "two")]
        self.assertEqual(built[0]["manifest"], built[1]["manifest"])
        self.veneer("inspect", "--verify", cwd=path)
        self.assertLess(sum(blob.stat().st_size for blob in (path / ".veneer" / "blobs" / "sha256").iterdir()), 0.6 * saved.stat().st_size)

    def test_extras_and_groups(self):
        path = self.small_project()
        text = (path / "pyproject.toml").read_text()
        text = text.replace('dependencies = ["part0", "part1", "part2"]', 'dependencies = ["part0"]')
        text = text.replace("[project.scripts]", '[project.optional-dependencies]\nmore = ["part1"]\n\n[dependency-groups]\ndev = ["part2"]\n\n[project.scripts]')
        (path / "pyproject.toml").write_text(text)
        self.lock(path)
        site = "app/.venv/lib/python3.11/site-packages"

        def parts(*options: str) -> list[str]:
            self.veneer("build", *options, cwd=path)
            return [part for part in ("part0", "part1", "part2") if f"{site}/{part}/__init__.py" in self.paths(path)]

        self.assertEqual(parts(), ["part0"])
        self.assertEqual(parts("--extra", "more"), ["part0", "part1"])
        self.assertEqual(parts("--group", "dev"), ["part0", "part2"])
        self.assertIn("no extra", self.veneer("build", "--extra", "less", cwd=path, code=4).stderr)

        # Those that the Dockerfile installs, also by way of another stage; its group dev is for development.
        (path / "Dockerfile").write_text("FROM python:3.11 AS made\nRUN uv sync --locked --extra=More --extra old --group dev\n"
                                         "FROM python:3.11\nCOPY --from=made /app/.venv /app/.venv\n")
        self.assertEqual(parts(), ["part0", "part1"])
        planned = self.veneer("plan", cwd=path)
        self.assertIn("installed as by Dockerfile: extra more (:2)", planned.stderr)
        self.assertIn("Dockerfile:2: the extra old is not taken: the project has none", planned.stdout)
        (path / "pyproject.toml").write_text(text.replace("[tool.veneer]\n", "[tool.veneer]\nextras = []\n"))
        self.assertNotIn("installed as by", self.veneer("plan", cwd=path).stderr)

    def test_a_project_of_another_folder(self):
        """What `build --project` builds, other commands find by the same option."""
        path = self.small_project()
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        name = self.json("build", "--json", "--project", str(path), cwd=elsewhere)["image"]
        for project in (str(path), "../shop", str(path / "src")):
            for words in (["inspect", "--json"], ["inspect", name, "--json"]):
                self.assertEqual(self.json(*words, "--project", project, cwd=elsewhere)["name"], name)
        self.assertEqual(self.json("check", "--no-imports", "--json", "--project", str(path), cwd=elsewhere)["image"], name)
        self.assertEqual(self.json("compare", name, "--json", "--project", str(path), cwd=elsewhere)["new"], name)
        self.veneer("ship", "--to-file", "upgrade.tar", "--for", name, "--project", str(path), cwd=elsewhere)
        self.assertTrue((elsewhere / "upgrade.tar").exists())
        for command in ("history", "rollback"):
            self.assertIn("which live name?", self.veneer(command, "ssh://nowhere.invalid", cwd=elsewhere, code=2).stderr)
            self.veneer(command, "ssh://nowhere.invalid", "--project", str(path), cwd=elsewhere, code=5)
        self.assertIn("nothing was built", self.veneer("inspect", cwd=elsewhere, code=4).stderr)
        self.assertIn("there is no folder", self.veneer("inspect", "--project", "absent", cwd=elsewhere, code=4).stderr)

    def test_dependency_layers(self):
        """The option goes before the project, the project before the default; a base of many layers leaves fewer."""
        path = self.small_project()
        fixtures.write_large_parts(self, path, {0: 1, 1: 2, 2: 3})

        def dependencies(*options: str) -> int:
            layers = self.json("plan", "--json", *options, cwd=path)["layers"]
            return sum(layer["kind"] == "distribution" for layer in layers)

        self.assertEqual(dependencies(), 3)
        self.assertEqual(dependencies("--dependency-layers", "2"), 2)
        text = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(text.replace("[tool.veneer]\n", "[tool.veneer]\ndependency_layers = 1\n"))
        self.assertEqual(dependencies(), 1)
        self.assertEqual(dependencies("--dependency-layers", "3"), 3)
        built = self.json("build", "--json", cwd=path)
        self.assertEqual([layer["kind"] for layer in built["layers"]].count("distribution"), 1)
        self.assertIn("--python wants", self.veneer("build", "--python", "3.x", cwd=path, code=2).stderr)
        for wrong in ("0", "126", "some"):
            self.assertIn("--dependency-layers", self.veneer("build", "--dependency-layers", wrong, cwd=path, code=2).stderr)

        (path / "pyproject.toml").write_text(text)
        base_layers = len(self.json("inspect", f"oci:{fixtures.debian_base()}", "--json", cwd=path)["layers"])
        for wanted in (120, 121, 124, 126):
            base = layouts.with_layer(fixtures.debian_base(), self.folder / "many", {"etc/more": b""}, times=wanted - base_layers)
            if wanted <= 121:
                built = self.json("build", "--json", "--previous", "none", "--base", f"oci:{base}", cwd=path)
                self.assertEqual(len(built["layers"]), 125)
                held = "the dependencies get 2 instead of 60" in str(built["findings"])
                self.assertEqual(held, wanted == 121)
            else:
                refused = self.veneer("build", "--base", f"oci:{base}", cwd=path, code=3).stderr
                self.assertIn(f"the base has {wanted}", refused)
                self.assertIn("a base of fewer layers", refused)

    def test_a_shallow_clone_is_refused_when_the_version_comes_from_git(self):
        path = self.project("versioned", '[project]\nname = "versioned"\ndynamic = ["version"]\nrequires-python = ">=3.11"\n'
                            '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\nbuild-backend = "setuptools.build_meta"\n'
                            "[tool.setuptools_scm]\n" + self.python_table(), {"src/versioned/__init__.py": "", ".gitignore": "*.egg-info\n"})
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        fixtures.git(path, "tag", "v2.5")
        self.lock(path)
        fixtures.commit_all(path, "Lock")
        fixtures.git(path, "tag", "v2.6")
        self.assertEqual(self.json("build", "--json", cwd=path)["image"], "versioned:2.6")
        shallow = self.folder / "shallow"
        fixtures.git(self.folder, "clone", "-q", "--depth", "1", f"file://{path}", str(shallow))
        refused = self.veneer("build", cwd=shallow, code=3)
        self.assertIn("shallow", refused.stderr)
        self.assertIn("hint:", refused.stderr)
        # A clone without tags has a version, if not the one that was meant: it is shown.
        fixtures.git(path, "tag", "-d", "v2.5", "v2.6")
        planned = self.json("plan", "--json", cwd=path)
        self.assertRegex(planned["image"], r"^versioned:0\.1\.dev2")
        self.assertRegex(planned["findings"][0], r"^setuptools-scm found no tags in git, so the version is 0\.1\.dev2.*; if there should be some, run: git fetch --tags$")


if __name__ == "__main__":
    fixtures.main()
