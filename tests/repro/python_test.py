#!/usr/bin/env python3
"""Which Python an image gets, and uv's interpreter as a layer. Its archive is made of this machine's CPython and served with a
list of downloads on loopback; with VENEER_TEST_ALL=1 a whole image stands on it, and a real archive is taken where one can be reached."""

import functools
import gzip
import hashlib
import http.server
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import uv_archive  # noqa: E402

ASK = """\
import ctypes, json, sqlite3, ssl, subprocess, sys, sysconfig, tempfile, venv
folder = tempfile.mkdtemp()
venv.create(folder)
inner = subprocess.run([folder + "/bin/python", "-c", "import sys; print(sys.prefix == sys.argv[1])", folder], capture_output=True, text=True).stdout
print(json.dumps({
    "minor": sys.version_info[1], "base": sys.base_prefix, "prefix": sysconfig.get_config_var("prefix"), "venv": inner.strip(), "ssl": ssl.HAS_TLSv1_3,
    "sqlite": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0], "ctypes": ctypes.CDLL(None).abs(-3)}))
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class PythonTest(fixtures.SystemTest):
    def project(self, name: str, table: str, version_file: str, requires: str = ">=3.9") -> Path:
        path = self.folder / name
        path.mkdir()
        (path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = "{requires}"\n\n{table}')
        (path / ".python-version").write_text(version_file)
        (path / "main.py").write_text(ASK)
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment(UV_PYTHON=sys.executable))
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        return path

    def serve(self) -> tuple[str, str]:
        """Where the list is, and the version of the one CPython on it."""
        folder = self.folder / "mirror"
        version = uv_archive.make(folder / "cpython.tar.gz")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=folder))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        uv_archive.list_of(folder / "list.json", version, f"{url}/cpython.tar.gz")
        return f"{url}/list.json", version

    def suite_without(self, version: str) -> str:
        """A release of Debian whose python3 is another one."""
        return "bookworm" if version.startswith("3.13.") else "trixie"

    def kept_layer(self, cache: Path) -> tuple[str, Path]:
        """The only layer in a cache in which no base could be made: its diff ID and blob."""
        (entry,) = (cache / "veneer" / "layers").glob("*.json")
        layer = json.loads(entry.read_text())
        return layer["diff_id"], cache / "veneer" / "blobs" / "sha256" / layer["blob"].split(":")[1]


class Pythons(PythonTest):
    def test_uv_interpreter_is_a_layer_that_works_the_same_wherever_it_is_made(self):
        url, version = self.serve()
        # The base cannot be made, but the interpreter was brought before.
        table = (f'[tool.veneer]\nbase = "debian:{self.suite_without(version)}"\n'
                 '[tool.veneer.system]\nmirror = "file:///nowhere/debian"\n')
        minor = version.rpartition(".")[0]
        path = self.project("shop", table, f"# ours\n{minor}\n")
        said = self.veneer("build", cwd=path, code=None, UV_PYTHON_DOWNLOADS_JSON_URL=url).stderr
        self.assertIn(f"Python {minor}, uv's: .python-version:2 says {minor}", said)
        self.assertIn("making the base", said)
        first, blob = self.kept_layer(self.cache)
        # Another project finds it, and the first does so without server, list and uv.
        other = self.project("other", table, f"cpython-{version}-linux-{platform.machine()}-gnu")
        self.veneer("build", cwd=other, code=None, UV_PYTHON_DOWNLOADS_JSON_URL=url)
        self.assertEqual(self.kept_layer(self.cache)[0], first)
        again = self.veneer("build", cwd=path, code=None, UV_PYTHON_DOWNLOADS_JSON_URL=url, UV_OFFLINE="1").stderr
        self.assertNotIn("fetching Python", again)
        # Another machine: other folders and umask.
        elsewhere = subprocess.run([fixtures.binary(), "build"], cwd=path, umask=0o077, capture_output=True, text=True,
                                   env=self.environment(XDG_CACHE_HOME=str(self.folder / "other-cache"), UV_PYTHON_DOWNLOADS_JSON_URL=url, TZ="Asia/Kathmandu"))
        self.assertNotEqual(elsewhere.returncode, 0)
        self.assertEqual(self.kept_layer(self.folder / "other-cache")[0], first)
        # Upon a Debian that has the libraries, which an archive of uv's brings itself.
        root = self.folder / "root"
        root.mkdir()
        base = fixtures.debian_base()
        index = json.loads((base / "index.json").read_text())
        manifest = json.loads((base / "blobs" / "sha256" / index["manifests"][0]["digest"].split(":")[1]).read_text())
        for layer in [base / "blobs" / "sha256" / layer["digest"].split(":")[1] for layer in manifest["layers"]] + [blob]:
            subprocess.run(["tar", "--extract", "--gzip", "--numeric-owner", "--exclude=dev/*", "--file", layer, "--directory", root], check=True)
        self.assertFalse(list((root / "usr/local").rglob("*.a")) + list((root / "usr/local/lib").glob("python3.*/test")))
        ran = subprocess.run(["/usr/sbin/chroot", root, "/usr/local/bin/python3", "-I", "-c", ASK], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(json.loads(ran.stdout), {"minor": int(minor.split(".")[1]), "base": "/usr/local", "prefix": "/usr/local", "venv": "True", "ssl": True,
                                                  "sqlite": 42, "ctypes": 3})

    def test_an_archive_that_was_replaced_is_not_taken_silently(self):
        url, version = self.serve()
        path = self.project("shop", f'[tool.veneer]\nbase = "debian:{self.suite_without(version)}"\n[tool.veneer.system]\nmirror = "file:///nowhere/debian"\n', version)
        self.veneer("build", cwd=path, code=None, UV_PYTHON_DOWNLOADS_JSON_URL=url)
        self.kept_layer(self.cache)[1].unlink()
        archive = self.folder / "mirror" / "cpython.tar.gz"
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()), 2))
        said = self.veneer("build", cwd=path, code=6, UV_PYTHON_DOWNLOADS_JSON_URL=url).stderr
        self.assertIn("another one than before", said)
        # veneer.lock says so to machines that never saw it.
        (path / "veneer.lock").write_text(
            f'version = 1\n\n[[base]]\nname = "debian:{self.suite_without(version)}"\nplatform = "linux/amd64"\nkind = "debian"\n'
            f'interpreter = {{ version = "{version}", url = "https://example.org/cpython.tar.gz", sha256 = "{digest}" }}\n'
            'target = { interpreter = "/usr/local/bin/python3", python = "3", libc = "glibc-2.36", machine = "x86_64" }\npackages = [\n]\n')
        said = self.veneer("build", cwd=path, code=6, UV_PYTHON_DOWNLOADS_JSON_URL=url, XDG_CACHE_HOME=str(self.folder / "another")).stderr
        self.assertIn(f"not sha256:{digest}", said)
        self.assertIn("'veneer base update' takes the new one", said)

    def test_what_cannot_be_had_is_said_with_the_ways_out(self):
        list_file = self.folder / "list.json"
        uv_archive.list_of(list_file, "3.12.9", "http://127.0.0.1:9/cpython.tar.gz")
        settings = {"UV_PYTHON_DOWNLOADS_JSON_URL": list_file.as_uri(), "UV_HTTP_RETRIES": "0"}
        path = self.project("shop", "", "3.12")
        for command in ("build", "plan"):
            said = self.veneer(command, cwd=path, code=5, **settings).stderr
            self.assertIn("Python 3.12, uv's: .python-version:1 says 3.12", said)
            self.assertIn("did not bring Python 3.12.9 from http://127.0.0.1:9/cpython.tar.gz", said)
            self.assertIn("--python 3.13", said)
            self.assertIn("--base", said)
            self.assertNotIn("making the base", said)
        said = self.veneer("plan", "--python", "3.12.99", cwd=path, code=4, **settings).stderr
        self.assertIn("uv has no Python 3.12.99", said)
        for text, why in (("pypy@3.10\n", "is PyPy"), ("3.13t\n", "is free-threaded"), ("/usr/bin/python3\n", "is a path"), ("3.8\n", "requires-python")):
            (path / ".python-version").write_text(text)
            said = self.veneer("plan", cwd=path, code=3, **settings).stderr
            self.assertIn(".python-version:1", said)
            self.assertIn(why, said)

    def test_the_lock_says_for_which_pythons_it_has_wheels(self):
        """As one of 2024: no wheel for 3.13, so the next older Python is taken, which nobody here can bring."""
        path = self.project("shop", "", "# nothing\n")
        files = "".join(f'    {{ url = "http://127.0.0.1:9/old-1.0-cp3{minor}-cp3{minor}-manylinux2014_{platform.machine()}.whl", hash = "sha256:{minor * 32}" }},\n'
                        for minor in ("11", "12"))
        lock = (path / "uv.lock").read_text()
        (path / "uv.lock").write_text(lock.replace('source = { virtual = "." }', 'source = { virtual = "." }\ndependencies = [{ name = "old" }]') + (
            '\n[[package]]\nname = "old"\nversion = "1.0"\nsource = { registry = "http://127.0.0.1:9/simple" }\n'
            f'sdist = {{ url = "http://127.0.0.1:9/old-1.0.tar.gz", hash = "sha256:{"0" * 64}" }}\nwheels = [\n{files}]\n'))
        uv_archive.list_of(self.folder / "list.json", "3.12.9", "http://127.0.0.1:9/cpython.tar.gz")
        settings = {"UV_PYTHON_DOWNLOADS_JSON_URL": (self.folder / "list.json").as_uri(), "UV_HTTP_RETRIES": "0"}
        self.assertIn("Python 3.12, uv's: the lock has no wheel of old for 3.13", self.veneer("plan", cwd=path, code=5, **settings).stderr)

    def test_on_another_base_it_is_a_preference(self):
        table = f'[tool.veneer]\nbase = "oci:{fixtures.debian_base()}"\n'
        path = self.project("shop", table, "3.11")
        plan = self.json("plan", "--json", cwd=path)["python"]
        self.assertEqual((plan["source"], plan["reason"]), ("base", ".python-version:1 says 3.11"))
        for text in ("3.12\n", "pypy\n"):
            (path / ".python-version").write_text(text)
            self.assertIn("the base has 3.11.2", self.veneer("plan", cwd=path).stderr)


if os.environ.get("VENEER_TEST_ALL"):

    class WholeImages(PythonTest):
        def run_image(self, path: Path) -> dict:
            layout = path / ".veneer"
            index = json.loads((layout / "index.json").read_text())
            manifest = json.loads((layout / "blobs/sha256" / index["manifests"][-1]["digest"].split(":")[1]).read_text())
            root = self.folder / f"root-of-{path.name}"
            root.mkdir()
            for layer in manifest["layers"]:
                subprocess.run(["tar", "--extract", "--gzip", "--exclude=dev/*", "--file", layout / "blobs/sha256" / layer["digest"].split(":")[1],
                                "--directory", root], check=True)
            ran = subprocess.run([shutil.which("chroot"), root, "/app/.venv/bin/python", "/app/main.py"], capture_output=True, text=True, env={"PATH": "/usr/bin"})
            self.assertEqual(ran.returncode, 0, ran.stderr)
            return json.loads(ran.stdout)

        def test_a_whole_image_of_a_made_archive(self):
            url, version = self.serve()
            suite = self.suite_without(version)
            mirror = f'mirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() else ""
            path = self.project("shop", f'[tool.veneer]\nbase = "debian:{suite}"\n[tool.veneer.system]\n{mirror}packages = {uv_archive.LIBRARIES[suite]}\n', version)
            built = self.json("build", "--json", cwd=path, UV_PYTHON_DOWNLOADS_JSON_URL=url)
            self.assertEqual([layer["kind"] for layer in built["layers"]].count("interpreter"), 1)
            self.assertEqual((built["python"]["version"], built["python"]["source"]), (version, "uv"))
            self.assertEqual(self.run_image(path)["base"], "/usr/local")

        def test_a_whole_image_of_a_real_archive(self):
            mirror = f'[tool.veneer.system]\nmirror = "{fixtures.mirror()[0]}"\n' if fixtures.mirror() else ""
            for minor in ("3.10", "3.12"):
                path = self.project(f"shop{minor[2:]}", mirror, minor)
                result = self.veneer("build", cwd=path, code=None)
                if result.returncode == 5 and "uv did not bring" in result.stderr:
                    self.skipTest("no archive of uv's can be reached here")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(self.run_image(path), {"minor": int(minor[2:]), "base": "/usr/local", "prefix": "/usr/local", "venv": "True", "ssl": True,
                                                        "sqlite": 42, "ctypes": 3})


if __name__ == "__main__":
    fixtures.main()
