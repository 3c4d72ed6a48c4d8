"""What the system tests share: the program under test, small real projects, a real Debian base.

    VENEER_BINARY        the program (default: build/release/veneer of this checkout)
    VENEER_TEST_CACHE    where heavy inputs are kept between runs (default: ~/.cache/veneer-tests)
"""

import base64
import fcntl
import gzip
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

import surroundings

SOURCE = Path(__file__).resolve().parents[3]
FIRST_COMMIT_TIME = 1_767_225_600  # 2026-01-01T00:00:00Z


def binary() -> str:
    return os.environ.get("VENEER_BINARY") or str(SOURCE / "build" / "release" / "veneer")


def test_cache() -> Path:
    given = os.environ.get("VENEER_TEST_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(given) if given else Path(home) / "veneer-tests"
    path.mkdir(parents=True, exist_ok=True)
    return path


def wheel(folder: Path, name: str, version: str, files: dict, entry_points: str = "", modes: dict | None = None) -> Path:
    """Writes a pure wheel with `files` (path -> str or bytes) and a right RECORD; members are deflated."""
    info = f"{name}-{version}.dist-info"
    members = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: fixture\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        members[f"{info}/entry_points.txt"] = entry_points.encode()
    record = ""
    for path, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    members[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | (modes or {}).get(path, 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return target


def debian_base(architecture: str = "amd64") -> Path:
    """An OCI layout with a Debian 12 and its python3, made by mmdebstrap without veneer's help; cached. For another
    machine than this one packages are unpacked and not configured, which needs none of its programs."""
    target = test_cache() / ("base-bookworm-1" if architecture == "amd64" else f"base-bookworm-{architecture}-1")
    with open(test_cache() / "base.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        scratch = Path(tempfile.mkdtemp(prefix="base-", dir=test_cache()))
        try:
            tar = scratch / "layer.tar"
            subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=minbase" if architecture == "amd64" else "--variant=extract",
                 f"--architectures={architecture}", "--include=python3", "--dpkgopt=path-exclude=/usr/share/doc/*",
                 "--dpkgopt=path-exclude=/usr/share/locale/*", "bookworm", str(tar)] + mirror(), check=True)
            layout = scratch / "layout"
            blobs = layout / "blobs" / "sha256"
            blobs.mkdir(parents=True)

            def blob(data: bytes, kind: str) -> dict:
                digest = hashlib.sha256(data).hexdigest()
                (blobs / digest).write_bytes(data)
                return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

            data = tar.read_bytes()
            layer = blob(gzip.compress(data, 6, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
            config = blob(json.dumps({
                "architecture": architecture, "os": "linux", "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest()]},
                "history": [{"created_by": "mmdebstrap"}]}).encode(), "application/vnd.oci.image.config.v1+json")
            manifest = blob(json.dumps({
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                "layers": [layer]}).encode(), "application/vnd.oci.image.manifest.v1+json")
            manifest["annotations"] = {"org.opencontainers.image.ref.name": "bookworm"}
            (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
            (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
            layout.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def mirror() -> list[str]:
    """The Debian mirror that the machine's tests use, as an argument of mmdebstrap; none: its own default."""
    given = os.environ.get("VENEER_DEBIAN_MIRROR")
    return [given] if given else []


def git(folder: Path, *arguments: str, time: int = FIRST_COMMIT_TIME) -> str:
    environment = {**os.environ, "GIT_AUTHOR_DATE": f"{time} +0000", "GIT_COMMITTER_DATE": f"{time} +0000"}
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def follow_no_image(project: Path) -> None:
    """Layers keep their order: with a view to the image before, one that changes would go above those that do not."""
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.veneer]\n", '[tool.veneer]\nprevious = "none"\n'))


def commit_all(folder: Path, message: str, time: int = FIRST_COMMIT_TIME) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message, time=time)


class SystemTest(unittest.TestCase):
    """A test with a private folder, in which HOME and the cache lie too."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="veneer-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.cache = self.folder / "cache"

    def environment(self, **extra: str) -> dict:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VENEER_FAIL", "GIT_", "DOCKER_", "CONTAINER_", "XDG_")) and name != "CI"}
        return {**kept, **surroundings.NO_GIT_SETTINGS, "HOME": str(self.folder / "home"), "XDG_CACHE_HOME": str(self.cache),
                "UV_CACHE_DIR": str(test_cache() / "uv"), "LC_ALL": "C", **extra}

    def veneer(self, *arguments, cwd: Path | None = None, code: int | None = 0, **environment: str):
        """Runs the program; fails unless it ends with `code` (None: any)."""
        result = subprocess.run([binary(), *map(str, arguments)], cwd=cwd or self.folder, capture_output=True, text=True,
                                env=self.environment(**environment), stdin=subprocess.DEVNULL)
        if code is not None:
            self.assertEqual(result.returncode, code, f"veneer {arguments}\n{result.stdout}\n{result.stderr}")
        return result

    def veneer_and_its_memory(self, *arguments, cwd: Path | None = None, **environment: str) -> tuple[int, str, int]:
        """Runs the program: exit code, all that it printed, and the most memory that it had, in KiB.

        A small process starts it and is asked: Linux counts what the starter had when the program was loaded as the program's own.
        """
        starter = ("import os, subprocess, sys\n"
                   "process = subprocess.Popen(sys.argv[2:])\n"
                   "_, status, usage = os.wait4(process.pid, 0)\n"
                   "open(sys.argv[1], 'w').write(f'{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}')")
        with tempfile.NamedTemporaryFile(mode="r") as figures:
            printed = subprocess.run([sys.executable, "-c", starter, figures.name, binary(), *map(str, arguments)], cwd=cwd or self.folder,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     env=self.environment(**environment)).stdout.decode(errors="replace")
            code, kibibytes = map(int, figures.read().split())
        return code, printed, kibibytes

    def json(self, *arguments, **options):
        return json.loads(self.veneer(*arguments, **options).stdout)

    def small_project(self, name: str = "shop", dependencies: int = 3, base: Path | None = None) -> Path:
        """A packaged project in git with path wheels as its dependencies, locked by the real uv, on the Debian base."""
        folder = self.folder / name
        wheels = [
            wheel(folder / "wheels", f"part{i}", "1.0",
                  {f"part{i}/__init__.py": f"VALUE = {i}\n" + ("def main(): print(VALUE)\n" if i == 1 else "") + "# padding that is not random\n" * (5000 if i == 0 else 50),
                   f"part{i}/data.bin": hashlib.sha256(str(i).encode()).digest() * (4000 if i == 0 else 1)},
                  entry_points=f"[console_scripts]\npart{i} = part{i}:main\n" if i == 1 else "")
            for i in range(dependencies)
        ]
        package = folder / "src" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("def main():\n    print('hello')\n")
        (folder / "README.md").write_text("A small project.\n")
        sources = "\n".join(f'{path.name.split("-")[0]} = {{ path = "wheels/{path.name}" }}' for path in wheels)
        names = ", ".join(f'"{path.name.split("-")[0]}"' for path in wheels)
        (folder / "pyproject.toml").write_text(f"""\
[project]
name = "{name}"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = [{names}]

[project.scripts]
{name} = "{name}:main"

[build-system]
requires = ["uv_build>=0.8,<2"]
build-backend = "uv_build"

[tool.uv.sources]
{sources}

[tool.veneer]
base = "oci:{base or debian_base()}"

[tool.veneer.image]
files = [{{ from = "run.py", to = "/app/run.py" }}]
empty_files = ["/app/log/{name}.log"]
writable = ["/app/data", "/app/log"]
""")
        (folder / "run.py").write_text(f"import {name}\n{name}.main()\n")
        (folder / ".gitignore").write_text(".veneer/\n")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True, env=self.environment())
        git(folder, "init", "-q", "-b", "main")
        commit_all(folder, "First")
        return folder


def write_large_parts(test: SystemTest, project: Path, values: dict[int, int]) -> None:
    """Contents of dependencies, each large enough for a layer of its own; the higher its number, the smaller."""
    for number, value in values.items():
        part = f"part{number}"
        data = random.Random(1000 * number + value).randbytes(4_000_000 - 500_000 * number)
        wheel(project / "wheels", part, "1.0", {f"{part}/__init__.py": f"VALUE = {value}\n", f"{part}/data.bin": data})
    subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=project, check=True, env=test.environment())
    commit_all(project, "Other parts")


class TimedResult(unittest.TextTestResult):
    """Says how long each test took."""

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.started:.1f} s ")
        super().addSuccess(test)


def main() -> None:
    sys.dont_write_bytecode = True
    unittest.main(testRunner=unittest.TextTestRunner(verbosity=2, resultclass=TimedResult))
