#!/usr/bin/env python3
"""Byte code in layers: python/cpython#129724 (astral-sh/uv#10619). What is compiled depends on the file and its
path alone; it is what uv makes, but for the time that uv writes into it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import roots  # noqa: E402

SITE = "app/.venv/lib/python3.11/site-packages"
# The same constants and names in several files: whoever compiles them in one process gets other bytes in another order.
SHARED = """\
def {name}(first_argument, second_argument):
    '''shared documentation text'''
    return ("shared constant", frozenset({{"one", "two", "three"}}), first_argument, second_argument, {name!r})
"""


class ByteCode(fixtures.SystemTest):
    def layered(self, files: dict, *options: str, cache: str = "cache") -> dict:
        """Builds a project with one wheel of `files`; diff IDs and the byte code, by path below site-packages."""
        project = self.folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        fixtures.wheel(project / "wheels", "shared", "1.0", files)
        (project / "pyproject.toml").write_text(
            '[project]\nname = "project"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["shared"]\n'
            '[tool.uv.sources]\nshared = { path = "wheels/shared-1.0-py3-none-any.whl" }\n'
            f'[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\nimage.cmd = ["python"]\n')
        environment = {"XDG_CACHE_HOME": str(self.folder / cache)}
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
        self.json("build", "--json", "--byte-code", *options, cwd=project, **environment)
        tree = self.json("inspect", "--tree", "--json", cwd=project, **environment)
        return {entry["path"].removeprefix(SITE + "/"): entry["sha256"] for entry in tree["entries"]
                if entry["path"].startswith(SITE) and entry["path"].endswith(".pyc")}

    def test_case_53_each_file_by_itself(self):
        files = {f"shared/{name}.py": SHARED.format(name=name) for name in ("a", "b", "c")}
        together = self.layered(files, "--jobs", "1")
        self.assertEqual(sorted(together), [f"shared/__pycache__/{name}.cpython-311.pyc" for name in "abc"])
        self.assertEqual(self.layered(dict(reversed(files.items())), "--jobs", "8", cache="second"), together)
        alone = {}
        for path, text in files.items():
            alone |= self.layered({path: text}, cache=path)
        self.assertEqual(alone, together)

    def test_what_is_no_python_is_left_without(self):
        compiled = self.layered({"shared/good.py": "x = 1\n", "shared/template.py": "{{ name }} = =\n", "shared/nul.py": "x = 1\0\n",
                                 "shared/latin.py": b"# -*- coding: latin-1 -*-\nx = '\xe4'\n", "shared/wrong.py": b"x = '\xe4'\n"})
        self.assertEqual(sorted(compiled), ["shared/__pycache__/good.cpython-311.pyc", "shared/__pycache__/latin.cpython-311.pyc"])

    def test_it_can_be_left_out(self):
        project = self.small_project()
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace("[tool.veneer]\n", "[tool.veneer]\nbyte_code = true\n"))

        def compiled(*options: str) -> int:
            self.veneer("build", *options, cwd=project)
            tree = self.json("inspect", "--tree", "--json", cwd=project)
            return sum(entry["path"].startswith(SITE) and entry["path"].endswith(".pyc") for entry in tree["entries"])

        self.assertGreater(compiled(), 3)
        self.assertEqual(compiled("--no-byte-code"), 0)
        self.veneer("build", "--byte-code", "--no-byte-code", cwd=project, code=2)

    def test_it_is_what_uv_compiles(self):
        """Names and code objects, of the example's own shape: a wheel, a package, another's test files."""
        project = self.small_project()
        archive = self.folder / "image.tar"
        self.veneer("build", "--byte-code", "--output", f"docker-archive:{archive}", cwd=project)
        root = self.folder / "root"
        root.mkdir()
        subprocess.run(["skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{self.folder}/layout:it"], check=True)
        subprocess.run(["umoci", "raw", "unpack", "--image", f"{self.folder}/layout:it", str(root)], check=True, capture_output=True)
        application = self.folder / "app"
        shutil.copytree(project, application, symlinks=True, ignore=shutil.ignore_patterns(".veneer"))
        done = roots.run_inside(
            root, {"/app": application, "/uv-cache": fixtures.test_cache() / "uv"},
            "cd /app\nuv sync --quiet --frozen --no-dev --no-editable --compile-bytecode --no-python-downloads --python /usr/bin/python3.11",
            UV_CACHE_DIR="/uv-cache", UV_LINK_MODE="copy")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        script = ("import json, marshal, pathlib, sys\n"
                  "def shape(code):\n"
                  "    return [code.co_code.hex(), code.co_names, code.co_varnames, code.co_filename, code.co_firstlineno,\n"
                  "            [shape(c) if hasattr(c, 'co_code') else repr(c) for c in code.co_consts]]\n"
                  "site = pathlib.Path(sys.argv[1])\n"
                  "print(json.dumps({str(p.relative_to(site)): shape(marshal.loads(p.read_bytes()[16:])) for p in sorted(site.rglob('*.pyc'))\n"
                  "                  if not p.name.startswith('_virtualenv')}))\n")

        def shapes(environment: Path) -> dict:
            listed = roots.run_inside(root, {"/look": environment / "lib" / "python3.11" / "site-packages"},
                                      f"python3 -c \"$SCRIPT\" /look", SCRIPT=script)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            return json.loads(listed.stdout)

        ours, theirs = shapes(root / "app" / ".venv"), shapes(application / ".venv")
        self.assertGreater(len(ours), 3)
        self.assertEqual(ours, theirs)

    def test_the_interpreter_takes_it_whatever_the_source_says(self):
        """Unchecked: no file is compared with its source when a container starts."""
        project = self.small_project()
        layout = self.folder / "layout"
        self.veneer("build", "--byte-code", "--output", f"oci:{layout}:it", cwd=project)
        root = self.folder / "root"
        root.mkdir()
        subprocess.run(["umoci", "raw", "unpack", "--image", f"{layout}:it", str(root)], check=True, capture_output=True)
        (root / SITE / "part1" / "__init__.py").write_text("VALUE = 'changed'\n")
        done = roots.run_inside(root, {}, "/app/.venv/bin/python -c 'import part1; print(part1.VALUE)'")
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"), done.stderr)


if __name__ == "__main__":
    fixtures.main()
