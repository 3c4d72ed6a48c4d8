#!/usr/bin/env python3
"""Wheels that are built: with compiled parts in a sandbox of the base, whose interpreter and libc they are for, whatever this
machine has; in a closed environment; from folders that the lock names. With VENEER_TEST_ALL=1 also in Rust, where this machine has a toolchain."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

# A back end of its own, so that no index is asked: it compiles `part.c`, says where, and what it was told.
BACK_END = '''
import hashlib, os, subprocess, sys, sysconfig, zipfile
def build_wheel(folder, settings=None, metadata=None):
    os.makedirs("made", exist_ok=True)
    module = "part" + sysconfig.get_config_var("EXT_SUFFIX")
    subprocess.run(["gcc", "-shared", "-fPIC", "-I" + sysconfig.get_path("include"), "part.c", "-o", "made/" + module], check=True)
    tag = "cp%d%d" % sys.version_info[:2]
    info = "part-1.0.dist-info/"
    release = open("/etc/debian_version").read() + str(os.path.exists("/var/lib/dpkg/info/python3-dev.list"))
    files = {module: open("made/" + module, "rb").read(),
             "part_built.py": ("WHERE = %r\\nTOLD = %r\\n" % (release, os.environ.get("PART_VERSION"))).encode(),
             info + "METADATA": b"Metadata-Version: 2.1\\nName: part\\nVersion: 1.0\\n",
             info + "WHEEL": ("Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: %s-%s-linux_x86_64\\n" % (tag, tag)).encode()}
    files[info + "RECORD"] = "".join("%s,,\\n" % name for name in [*files, info + "RECORD"]).encode()
    wheel = "part-1.0-%s-%s-linux_x86_64.whl" % (tag, tag)
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel
'''
C_MODULE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "part", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_part(void) { return PyModule_Create(&module); }
"""
SOURCE = {
    "pyproject.toml": '[project]\nname = "part"\nversion = "1.0"\n\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "PKG-INFO": "Metadata-Version: 2.2\nName: part\nVersion: 1.0\n",
    "backend.py": BACK_END,
    "part.c": C_MODULE,
}


class BuildsTest(fixtures.SystemTest):
    source = SOURCE

    def project(self, base: str, options: str = "") -> Path:
        """A project that is no package and needs `part`, of which there is a source distribution alone."""
        folder = self.folder / "shop"
        (folder / "sources").mkdir(parents=True)
        with tarfile.open(folder / "sources" / "part-1.0.tar.gz", "w:gz") as archive:
            for name, text in self.source.items():
                entry = tarfile.TarInfo(f"part-1.0/{name}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        (folder / "main.py").write_text("import part\nprint(part)\n")
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["part"]\n\n'
            f'[tool.uv.sources]\npart = {{ path = "sources/part-1.0.tar.gz" }}\n\n[tool.veneer]\nbase = "{base}"\n{options}')
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True, env=self.environment())
        fixtures.git(folder, "init", "-q", "-b", "main")
        fixtures.commit_all(folder, "First")
        return folder

    def built_text(self, project: Path) -> str:
        """What the wheel says of where it was built."""
        wheels = list(Path(self.environment()["XDG_CACHE_HOME"]).glob("veneer/built/*/part-*.whl"))
        self.assertEqual(len(wheels), 1, "a wheel that was built elsewhere is not kept")
        return zipfile.ZipFile(wheels[0]).read("part_built.py").decode()

    def assert_works(self, project: Path) -> None:
        report = self.json("check", "--json", cwd=project)
        self.assertEqual([finding for finding in report["findings"] if finding["severity"] == "problem"], [])
        self.assertGreater(report["imports"], 0)


class Builds(BuildsTest):
    def test_a_module_in_c_is_built_in_the_base(self):
        project = self.project(f"oci:{fixtures.debian_base()}")
        first = self.veneer("build", cwd=project, PART_VERSION="9.9")
        self.assertIn("for builds only", first.stderr)
        self.assertIn("g++ gcc libc6-dev python3-dev", first.stderr)
        text = self.built_text(project)
        self.assertIn("True", text)  # the headers are there as Debian has them in that root
        self.assertIn("TOLD = None", text)
        self.assert_works(project)
        again = self.veneer("build", cwd=project)
        self.assertNotIn("for builds only", again.stderr)
        # The compilers are pinned, and are no package of the image.
        lock = (project / "veneer.lock").read_text()
        packages, _, of_builds = lock.partition("build_packages = [")
        self.assertIn('{ name = "gcc", version = "', of_builds)
        self.assertIn('{ name = "python3-dev", version = "', of_builds)
        self.assertNotIn('"gcc"', packages)
        self.veneer("build", "--locked", cwd=project)


class Folders(BuildsTest):
    def test_an_editable_folder_outside_of_the_workspace_is_installed_as_a_wheel(self):
        library = self.folder / "library"
        library.mkdir()
        (library / "pyproject.toml").write_text(SOURCE["pyproject.toml"])
        back_end = ("import os, zipfile\ndef build_wheel(folder, settings=None, metadata=None):\n"
                    "    wheel = zipfile.ZipFile(os.path.join(folder, 'part-1.0-py3-none-any.whl'), 'w')\n"
                    "    files = {'part.py': '', 'part-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\\nName: part\\nVersion: 1.0\\n',\n"
                    "             'part-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'}\n"
                    "    files['part-1.0.dist-info/RECORD'] = ''.join(n + ',,\\n' for n in [*files, 'part-1.0.dist-info/RECORD'])\n"
                    "    [wheel.writestr(*item) for item in files.items()]\n    wheel.close()\n    return 'part-1.0-py3-none-any.whl'\n")
        (library / "backend.py").write_text(back_end)
        project = self.folder / "shop"
        project.mkdir()
        (project / "main.py").write_text("import part\nprint(part)\n")
        (project / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["part"]\n\n[tool.uv.sources]\n'
            f'part = {{ path = "../library", editable = true }}\n\n[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\n')
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
        self.veneer("build", cwd=project)
        tree = self.json("inspect", "--tree", "--json", cwd=project)["entries"]
        self.assertIn("part.py", [Path(entry["path"]).name for entry in tree])
        self.assertEqual([entry["path"] for entry in tree if entry["path"].endswith(".pth") and "part" in entry["path"]], [])


if os.environ.get("VENEER_TEST_ALL"):

    class Rust(BuildsTest):
        def test_a_toolchain_is_used_where_it_lies_and_its_targets_are_kept(self):
            if not shutil.which("cargo"):
                self.skipTest("this machine has no cargo")
            SOURCE_IN_RUST = BACK_END.replace(
                '["gcc", "-shared", "-fPIC", "-I" + sysconfig.get_path("include"), "part.c", "-o", "made/" + module]',
                '["sh", "-c", "cargo --version && touch ${CARGO_TARGET_DIR:-.}/kept && gcc -shared -fPIC -I$1 part.c -o made/$2", "sh", '
                'sysconfig.get_path("include"), module]')
            self.source = {**SOURCE, "backend.py": SOURCE_IN_RUST}
            project = self.project(f"oci:{fixtures.debian_base()}", "" if os.environ.get("CARGO_HOME") else '\n[tool.veneer.build]\npackages = ["cargo"]\n')
            self.veneer("build", cwd=project)
            self.assert_works(project)
            self.assertEqual(len(list(self.cache.glob("veneer/workshops/*/cargo/part/kept"))), 1)


if __name__ == "__main__":
    fixtures.main()
