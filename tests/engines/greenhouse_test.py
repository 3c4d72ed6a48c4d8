#!/usr/bin/env python3
"""The example project from its lock to running containers on real engines: what an operator and a visitor see, how many
bytes travel, and that the environment in the image is the one that uv makes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))
import fixtures  # noqa: E402
import layouts  # noqa: E402
import real_registry  # noqa: E402
import roots  # noqa: E402
import uv_tree  # noqa: E402
from relay import Relay  # noqa: E402
from ssh_host import SshHost  # noqa: E402

ENGINES = fixtures.SOURCE / "tests" / "support" / "engines"
HISTORY = fixtures.SOURCE / "tools" / "demo" / "make_history.py"
WIRE_BYTES_OF_AN_EDIT = 600_000
APP_LAYER_BYTES = 500_000

# Imports every module and package that the installed distributions bring at the top of site-packages, each in a process
# of its own, and prints those that fail.
IMPORT_ALL = r"""
import importlib.metadata, pathlib, subprocess, sys
names = set()
for distribution in importlib.metadata.distributions():
    for file in distribution.files or []:
        parts = pathlib.PurePosixPath(str(file)).parts
        if parts[0] in ("..", "__pycache__") or parts[0].endswith((".dist-info", ".libs", ".pth")):
            continue
        name = parts[0] if len(parts) > 1 else parts[0].split(".")[0] if parts[0].endswith((".py", ".so")) else ""
        if name.isidentifier():
            names.add(name)
failed = []
for name in sorted(names):
    done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True)
    if done.returncode:
        failed.append(f"{name}: {done.stderr.strip().splitlines()[-1]}")
print(len(names), "modules")
print("\n".join(failed))
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch(url: str, seconds: float = 120) -> bytes:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if time.monotonic() > end:
                raise AssertionError(f"{url} does not answer: {error}") from None
            time.sleep(0.2)


class OfTheExample(fixtures.SystemTest):
    """One history and one cache for all tests of a class: its first build is the longest part of them."""

    instance = "greenhouse"

    @classmethod
    def setUpClass(cls):
        cls.place = fixtures.test_cache() / cls.__name__.lower()
        shutil.rmtree(cls.place, ignore_errors=True)
        cls.place.mkdir()
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.project = cls.place / "greenhouse"
        subprocess.run([sys.executable, HISTORY, cls.project, "--uv", shutil.which("uv")], check=True, capture_output=True)

    def setUp(self):
        super().setUp()
        self.cache = fixtures.test_cache() / "greenhouse-cache"  # wheels and bases come over the network once

    def build(self, tag: str) -> dict:
        fixtures.git(self.project, "checkout", "--quiet", tag)
        return self.json("build", "--json", cwd=self.project)

    def on_engine(self, engine: str) -> None:
        unit = f"{engine}@{self.instance}"
        subprocess.run([ENGINES, "wipe", unit], check=True, capture_output=True)
        self.addCleanup(subprocess.run, [ENGINES, "wipe", unit], capture_output=True)
        started = subprocess.run([ENGINES, "start", unit], check=True, capture_output=True, text=True).stdout
        self.docker_host = dict(line.replace("'", "").split("=", 1) for line in started.split())["DOCKER_HOST"]
        self.unit = unit

    def docker(self, *words: str) -> str:
        done = subprocess.run([ENGINES, "exec", self.unit, "docker", *words], capture_output=True, text=True, cwd="/tmp")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def compose(self, *words: str) -> str:
        environment = {**os.environ, "DOCKER_HOST": self.docker_host, "GREENHOUSE_PORT": str(self.port),
                       "GREENHOUSE_API_PORT": str(self.api_port), "GREENHOUSE_INTERVAL": "1"}
        done = subprocess.run(["docker-compose", *words], cwd=self.project, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ship(self, built: dict) -> dict:
        return self.json("ship", built["image"], "--as", "greenhouse:live", "--json", cwd=self.project, DOCKER_HOST=self.docker_host)

    def look(self, heading: str) -> None:
        self.assertIn(heading, fetch(f"http://127.0.0.1:{self.port}/").decode())
        self.assertTrue(fetch(f"http://127.0.0.1:{self.port}/label/1.pdf").startswith(b"%PDF-"))
        self.assertEqual(json.loads(fetch(f"http://127.0.0.1:{self.api_port}/healthz"))["status"], "ok")

    def services_run_as_the_user(self) -> None:
        containers = self.compose("ps", "-q").split()
        self.assertEqual(len(containers), 3)
        for container in containers:
            self.assertEqual(self.docker("exec", container, "id", "-u").strip(), "1000")
            self.assertEqual(self.docker("inspect", "--format", "{{.State.Status}} {{.RestartCount}}", container).strip(), "running 0")

    def health(self) -> str:
        api = [name for name in self.compose("ps", "-q", "api").split()][0]
        end = time.monotonic() + 90
        while (status := self.docker("inspect", "--format", "{{.State.Health.Status}}", api).strip()) == "starting":
            self.assertLess(time.monotonic(), end, "the health check never ends")
            time.sleep(1)
        return status

    def releases(self, engine: str) -> None:
        self.on_engine(engine)
        self.port, self.api_port = free_port(), free_port()
        first = self.build("v1.0.0")
        self.assertEqual([line for line in first["findings"] if "asks for" in line], [], "its packages bring these libraries along")
        self.ship(first)
        self.addCleanup(self.compose, "down", "--volumes")
        self.compose("up", "-d")
        self.look("Greenhouse")
        self.services_run_as_the_user()
        self.assertEqual(self.health(), "healthy")

        # A changed line.
        # docker-compose 1.29 cannot recreate the containers of a Docker newer than itself; it can make new ones.
        second = self.build("v1.0.1")
        self.assertLessEqual(second["statistics"]["layers_made"], 1)  # 0 when another test made it
        self.assertLessEqual(second["layers"][-1]["size"], APP_LAYER_BYTES)
        shipped = self.ship(second)
        print(f"{engine}: an edit of one line: {shipped['bytes_sent']} bytes on the wire, application layer "
              f"{second['layers'][-1]['size']} bytes", flush=True)
        self.assertLessEqual(shipped["bytes_sent"], WIRE_BYTES_OF_AN_EDIT)
        self.compose("down")
        self.compose("up", "-d")
        self.look("Greenhouse by the south wall")
        self.services_run_as_the_user()

        # A bumped package: its layer, on a prefix store what lies above it, and the application.
        third = self.build("v1.1.0")
        shipped = self.ship(third)
        print(f"{engine}: a bumped package: {shipped['bytes_sent']} bytes on the wire", flush=True)
        self.assertLess(shipped["bytes_sent"], 5_000_000)
        self.compose("down")
        self.compose("up", "-d")
        self.look("Greenhouse by the south wall")


class Greenhouse(OfTheExample):
    def test_releases_on_a_prefix_store(self):
        self.releases("docker20")
        self.every_module_can_be_imported()

    def every_module_can_be_imported(self):
        printed = self.docker("run", "--rm", "--network", "none", "--entrypoint", "/app/.venv/bin/python", "greenhouse:live", "-c", IMPORT_ALL)
        count, _, failed = printed.partition("\n")
        print(count, flush=True)
        self.assertGreater(int(count.split()[0]), 100)
        self.assertEqual(failed.strip(), "")

    def test_a_removed_library_is_found(self):
        """libpango is opened by name at import time, which no list of needed libraries tells; libpangoft2 needs it too."""
        self.build("v1.0.0")
        tree = self.json("inspect", "--tree", "--json", cwd=self.project)["entries"]
        gone = {f"{entry['path'].rpartition('/')[0]}/.wh.{entry['path'].rpartition('/')[2]}": b"" for entry in tree
                if entry["path"].rpartition("/")[2].startswith("libpango-1.0.so")}
        self.assertTrue(gone)
        broken = layouts.with_layer(self.project / ".veneer", self.folder / "broken", gone)
        found = self.json("check", "--json", f"oci:{broken}", cwd=self.project, code=10)["findings"]
        imports = {finding["id"]: finding["message"] for finding in found}
        self.assertIn("libpango-1.0", imports["import:weasyprint"])
        self.assertEqual([finding for finding in found if "libpango" not in finding["message"]], [], "nothing else is amiss")

    def test_the_environment_is_the_one_that_uv_makes(self):
        """File by file; the differences that may be are in docs/formats.md and in uv_tree."""
        built = self.build("v1.0.0")
        root = self.folder / "root"
        root.mkdir()
        archive = self.folder / "image.tar"
        self.veneer("build", "--output", f"docker-archive:{archive}", cwd=self.project)
        subprocess.run(["skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{self.folder}/layout:it"], check=True)
        subprocess.run(["umoci", "raw", "unpack", "--image", f"{self.folder}/layout:it", str(root)], check=True, capture_output=True)

        # uv's own: the same commit, at the same place, by the same interpreter.
        application = self.folder / "app"
        shutil.copytree(self.project, application, symlinks=True, ignore=shutil.ignore_patterns(".veneer"))
        done = roots.run_inside(
            roots.uv_root("bookworm"), {"/app": application, "/uv-cache": fixtures.test_cache() / "uv"},
            "cd /app\nuv sync --quiet --frozen --no-dev --no-editable --no-python-downloads --python /usr/bin/python3.11",
            UV_CACHE_DIR="/uv-cache", UV_LINK_MODE="copy")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        comparison = uv_tree.compare(application / ".venv", root / "app" / ".venv")
        print(comparison.summary(), flush=True)
        self.assertEqual(comparison.unexpected, [])
        self.assertGreater(comparison.equal_files, 5000)

        done = roots.run_inside(root, {}, "uv pip check --python /app/.venv/bin/python")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(built["image"].startswith("greenhouse:1.0.0"))


if os.environ.get("VENEER_TEST_ALL"):

    class GreenhouseOnBlobs(OfTheExample):
        def test_releases_on_a_store_of_blobs(self):
            self.releases("docker28-c8d")

    class ABumpOfTheExample(OfTheExample):
        """A release with one other wheel, on each kind of store and by each way: as many bytes as was said before."""

        instance = "bump"

        def forecast(self, kind: str, splices: bool) -> int:
            said = self.json("compare", self.before["image"], self.after["image"], "--json", cwd=self.project)["deploy"]
            return next(row["plan"]["bytes"] for row in said if row["kind"] == kind and row["splices"] == splices)

        def changed_layers(self) -> int:
            had = {layer["digest"] for layer in self.before["layers"]}
            return sum(layer["size"] for layer in self.after["layers"] if layer["digest"] not in had)

        def assert_as_said(self, way: str, sent: int, said: int) -> None:
            print(f"[{way}: {sent} bytes, {said} said, {self.changed_layers()} in changed layers]", end=" ", file=sys.stderr)
            self.assertLess(abs(sent - said), 0.02 * said + 4096, way)

        def test_a_bump(self):
            self.before, self.after = self.build("v1.0.1"), self.build("v1.1.0")
            for engine, kind in (("docker20", "prefix"), ("docker28-c8d", "blobs"), ("podman4", "diff_ids")):
                with self.subTest(engine):
                    self.on_engine(engine)
                    self.ship(self.before)
                    self.assert_as_said(engine, self.ship(self.after)["bytes_sent"], self.forecast(kind, splices=False))
            with self.subTest("docker20, spliced by ssh"):
                self.on_engine("docker20")
                host = SshHost(self.folder / "host", {"docker": self.unit})
                self.addCleanup(host.close)
                for built in (self.before, self.after):
                    shipped = self.json("ship", built["image"], "ssh://plant", "--as", "greenhouse:live", "--json", cwd=self.project, PATH=host.path())
                self.assert_as_said("docker20, spliced", shipped["bytes_sent"], self.forecast("prefix", splices=True))
                self.assertLess(shipped["bytes_sent"], 1.02 * self.changed_layers() + 60_000)  # its configuration and manifest

        def test_a_bump_by_docker_pull(self):
            """On overlay2 all above the lowest change comes again: as `veneer plan` said from the two locks."""
            self.on_engine("docker20")
            registry = real_registry.RealRegistry(self.folder / "registry")
            self.addCleanup(registry.close)
            line = Relay(("127.0.0.1", registry.port))
            self.addCleanup(line.close)
            name = f"{registry.address}/team/greenhouse"
            for number, tag in enumerate(("v1.0.1", "v1.1.0")):
                self.build(tag)
                follow = ["--previous", f"{name}:0"] if number else []
                self.veneer("build", "--push", f"{name}:{number}", *follow, cwd=self.project)
            priced = self.json("plan", "--from", "v1.0.1", "--to", "v1.1.0", "--json", cwd=self.project)["deploy"]
            said = next(row["bytes"] for row in priced if row["receiver"].startswith("docker pull") and "overlay2" in row["receiver"])
            self.docker("pull", "--quiet", f"127.0.0.1:{line.port}/team/greenhouse:0")
            line.reset()
            self.docker("pull", "--quiet", f"127.0.0.1:{line.port}/team/greenhouse:1")
            print(f"[{line.down} bytes by docker pull, {said} planned]", end=" ", file=sys.stderr)
            self.assertLess(abs(line.down - said), 0.02 * said)


if __name__ == "__main__":
    fixtures.main()
