#!/usr/bin/env python3
"""`veneer check` on images that work and on images that were broken in one place each."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402

SITE = "app/.venv/lib/python3.11/site-packages"
CERTIFICATES = {"etc/ssl/certs/ca-certificates.crt": b"of authorities"}  # which the base of the tests lacks


class Check(fixtures.SystemTest):
    @classmethod
    def setUpClass(cls):
        """One image for all tests, which only read it."""
        builder = fixtures.SystemTest()
        builder.setUp()
        cls.addClassCleanup(builder.doCleanups)
        project = builder.small_project()
        builder.veneer("build", cwd=project)
        cls.layout = project / ".veneer"

    def check(self, files: dict | None = None, change=lambda config: None, options: tuple = (), code: int = 10) -> dict:
        changed = layouts.with_layer(self.layout, self.folder / "changed", CERTIFICATES | (files or {}), change)
        return self.json("check", "--json", f"oci:{changed}", *options, code=code)

    def problems(self, files: dict | None = None, change=lambda config: None, options: tuple = ()) -> dict:
        """id -> message"""
        return {finding["id"]: finding["message"] for finding in self.check(files, change, options)["findings"] if finding["severity"] == "problem"}

    def test_a_good_image_has_no_finding(self):
        report = self.check({}, code=0)
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["distributions"], 4)
        self.assertEqual(report["imports"], 7)  # four modules, two commands, run.py
        self.assertEqual(report["scripts"], 2)
        self.assertGreater(report["libraries"], 3)
        printed = self.veneer("check", "--no-imports", f"oci:{self.layout}")
        self.assertIn("no problem", printed.stderr)
        self.assertRegex(printed.stdout, r"^note +certificates\n")

    def test_a_module_that_cannot_be_imported(self):
        found = self.problems({f"{SITE}/part0/__init__.py": b"import ctypes\nctypes.CDLL('libnothere.so.7')\n"})
        self.assertIn("libnothere.so.7", found.pop("import:part0"))
        self.assertEqual(found, {})

    def test_modules_that_end_crash_or_print(self):
        found = self.problems({f"{SITE}/part0/__init__.py": b"import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
                               f"{SITE}/part1/__init__.py": b"import sys\nsys.exit(3)\n",
                               f"{SITE}/part2/__init__.py": b"print('[\"module\", \"part2\", \"a lie\"]' * 10000)\n"})
        self.assertEqual(set(found), {"import:part0", "import:part1", "command:part1"})
        self.assertIn("signal 11", found["import:part0"])
        self.assertIn("SystemExit", found["import:part1"])

    def test_modules_that_leave_processes_behind(self):
        """Neither holds up the check nor fills its memory."""
        endless = b"import os\nif os.fork() == 0:\n    while True:\n        os.write(1, b'x' * 65536)\n"
        self.assertEqual(self.check({f"{SITE}/part0/__init__.py": endless}, code=0)["findings"], [])

    def test_a_command_without_its_function(self):
        found = self.problems({f"{SITE}/shop/__init__.py": b"\n"})
        self.assertIn("main", found.pop("command:shop"))
        self.assertEqual(found, {})

    def test_requirements_as_pip_check(self):
        metadata = b"Metadata-Version: 2.1\nName: part0\nVersion: 1.0\nRequires-Dist: absent>=1\nRequires-Dist: part1>=2\n" \
                   b"Requires-Dist: other; extra == 'more'\nRequires-Dist: windows-only; sys_platform == 'win32'\nRequires-Python: >=3.12\n"
        found = self.problems({f"{SITE}/part0-1.0.dist-info/METADATA": metadata}, options=("--no-imports",))
        self.assertEqual(set(found), {"requires:part0:absent", "requires:part0:part1", "python:part0"})
        self.assertIn("1.0 is installed", found["requires:part0:part1"])

    # aspect-build/rules_py#1191
    def test_a_distribution_that_is_there_twice(self):
        found = self.problems({f"{SITE}/part0-0.9.dist-info/METADATA": b"Name: part0\nVersion: 0.9\n",
                               f"{SITE}/part0-0.9.dist-info/RECORD": b""}, options=("--no-imports",))
        self.assertEqual(set(found), {"twice:part0"})

    # astral-sh/uv#6782, #7758: bin/python leads into the home of root.
    def test_case_16_an_interpreter_in_the_home_of_root(self):
        inside = {"root": (None, 0o700), "root/python": (None, 0o755), "root/python/python3.11": "/usr/bin/python3.11",
                  "app/.venv/bin/python": "/root/python/python3.11"}
        found = self.problems(inside, options=("--no-imports",))
        message = found["interpreter:/app/.venv/bin/python"]
        self.assertIn("/app/.venv/bin/python -> /root/python/python3.11 -> /usr/bin/python3.11", message)
        dangling = {"app/.venv/bin/python": "/root/.local/share/uv/python/bin/python3.11"}
        message = self.problems(dangling)["interpreter:/app/.venv/bin/python"]
        self.assertIn("/root/.local/share/uv/python/bin/python3.11 (not there)", message)
        # The folder that is closed is named with its mode.
        closed = {"root": (None, 0o700), "root/python3.11": (b"\x7fELF", 0o755), "app/.venv/bin/python": "/root/python3.11"}
        message = self.problems(closed, options=("--no-imports",))["interpreter:/app/.venv/bin/python"]
        self.assertIn("/root (mode 0700, owner 0:0) is closed to user 1000", message)

    def test_files_that_the_user_may_not_read(self):
        found = self.problems({f"{SITE}/part0/__init__.py": (b"VALUE = 1\n", 0o600)})
        self.assertIn(f"/{SITE}/part0/__init__.py (mode 0600, owner 0:0)", found["user:/app/.venv"])
        self.assertIn("PermissionError", found["import:part0"])
        self.assertEqual(self.problems_of_root({f"{SITE}/part0/__init__.py": (b"VALUE = 1\n", 0o600)}), {})

    def problems_of_root(self, files: dict) -> dict:
        def as_root(config):
            config["config"]["User"] = ""

        report = self.check(files, as_root, code=0)
        return {finding["id"]: finding["message"] for finding in report["findings"]}

    def test_scripts_without_interpreter(self):
        found = self.problems({"app/.venv/bin/old": (b"#!/opt/python2/bin/python\n", 0o755), "app/.venv/bin/crlf": (b"#!/bin/sh\r\n", 0o755),
                               "app/.venv/bin/lost": (b"#!/usr/bin/env ruby\n", 0o755), "app/.venv/bin/fine": (b"#!/usr/bin/env python\n", 0o755),
                               "app/.venv/bin/long": (b"#!/bin/sh\n'''exec' \"/far/away/python\" \"$0\" \"$@\"\n' '''\n", 0o755)},
                              options=("--no-imports",))
        self.assertEqual(set(found), {f"script:/app/.venv/bin/{name}" for name in ("old", "crlf", "lost", "long")})
        self.assertIn("/opt/python2/bin/python (not there)", found["script:/app/.venv/bin/old"])
        self.assertIn("ruby, which is not on PATH", found["script:/app/.venv/bin/lost"])

    def test_an_entrypoint_that_is_not_there(self):
        def other(config):
            config["config"]["Entrypoint"] = ["serve"]
            config["config"]["Cmd"] = None

        self.assertEqual(set(self.problems({}, other, ("--no-imports",))), {"entrypoint:serve"})

    def test_an_image_that_starts_python_alone_from_a_closed_home(self):
        def other(config):
            config["config"]["Entrypoint"] = None
            config["config"]["Cmd"] = ["python"]
            config["config"]["Env"] = [entry for entry in config["config"]["Env"] if not entry.startswith("HOME=")] + ["HOME=/root"]

        emptied = {"app/run.py": b"", f"{SITE}/shop/__init__.py": b"", "app/.venv/bin/.wh.shop": b""}
        found = {finding["id"]: finding["severity"] for finding in self.check(emptied, other, ("--no-imports",))["findings"]}
        self.assertEqual(found, {"start:python": "problem", "home:/root": "note", "application": "problem"})

    def libraries(self) -> dict:
        """An extension module that needs libone with a version that the second libone lacks."""
        def made(name: str, source: str, *options: str) -> bytes:
            (self.folder / f"{name}.c").write_text(source)
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", name, f"{name}.c", *options], cwd=self.folder, check=True)
            return (self.folder / name).read_bytes()

        (self.folder / "map").write_text("ONE_1 { global: one; };\nONE_2 { global: two; } ONE_1;\n")
        full = made("libone.so.1", "int one(void) { return 1; }\nint two(void) { return 2; }\n", "-Wl,-soname,libone.so.1", "-Wl,--version-script=map")
        user = made("ext.so", "int two(void);\nint three(void) { return two(); }\n", "-L.", "-l:libone.so.1", "-Wl,-rpath,$ORIGIN/../part.libs")
        (self.folder / "map").write_text("ONE_1 { global: one; };\n")
        old = made("libone.old", "int one(void) { return 1; }\n", "-Wl,-soname,libone.so.1", "-Wl,--version-script=map")
        return {"full": full, "user": user, "old": old}

    def test_libraries(self):
        made = self.libraries()
        extension = {f"{SITE}/part0/ext.so": made["user"]}
        found = self.check(extension | {f"{SITE}/part.libs/libone.so.1": made["full"]}, options=("--no-imports",), code=0)
        self.assertEqual(found["findings"], [])

        found = self.problems(extension, options=("--no-imports",))
        self.assertIn(f"/{SITE}/part0/ext.so needs libone.so.1, which is not in the image", found["library:libone.so.1"])
        self.check(extension, options=("--no-imports", "--allow", "library:libone.so.1"), code=0)

        found = self.problems(extension | {f"{SITE}/part.libs/libone.so.1": made["old"]}, options=("--no-imports",))
        self.assertEqual(set(found), {"version:libone.so.1:ONE_2"})

        # Where only a program that loads it itself would find it: a note.
        report = self.check(extension | {f"{SITE}/elsewhere/libone.so.1": made["full"]}, options=("--no-imports",), code=0)
        self.assertEqual([finding["severity"] for finding in report["findings"]], ["note"])

    def test_an_image_without_python(self):
        def gone(config):
            config["config"]["Env"] = []

        empty = layouts.with_layer(self.layout, self.folder / "empty", {".wh.usr": b"", ".wh.app": b"", ".wh.bin": b""}, gone)
        refused = self.veneer("check", f"oci:{empty}", code=3)
        self.assertIn("no Python", refused.stderr)


if __name__ == "__main__":
    fixtures.main()
