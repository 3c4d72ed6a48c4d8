#!/usr/bin/env python3
"""Wheels that are built: with compiled parts in a sandbox of the base, whose interpreter and libc they are for, whatever this
machine has; in a closed environment; from folders that the lock names. With VENEER_TEST_ALL=1 also by a user, and in Rust."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import unittest
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
    def project(self, base: str, options: str = "") -> Path:
        """A project that is no package and needs `part`, of which there is a source distribution alone."""
        folder = self.folder / "shop"
        (folder / "sources").mkdir(parents=True)
        with tarfile.open(folder / "sources" / "part-1.0.tar.gz", "w:gz") as archive:
            for name, text in SOURCE.items():
                entry = tarfile.TarInfo(f"part-1.0/{name}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        (folder / "main.py").write_text("import part\n")
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
        import zipfile

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


if __name__ == "__main__":
    fixtures.main()
