#!/usr/bin/env python3
"""`veneer ship` to real engines: what travels, what stays, and what a crash leaves.

On three engines, one of each kind of store; with VENEER_TEST_ALL=1 on all of them. Each gets an instance of its own.
"""

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
from relay import Relay  # noqa: E402
from ssh_host import CORE_SCENARIOS, ENGINES, run_contract, start_engine  # noqa: E402
from ssh_host import run_engines as engines  # noqa: E402

FAIL_POINTS = ["ship.loaded", "ship.verified", "ship.named"]


def tls_door(context: ssl.SSLContext, path: str) -> int:
    """A port on loopback that speaks TLS and leads to a unix socket.

    Both directions run in one thread: OpenSSL forbids two threads at one connection at a time.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        if sink.can_write_eof():
            with contextlib.suppress(OSError):
                sink.write_eof()
        else:
            sink.close()

    async def lead(near: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        far, requests = await asyncio.open_unix_connection(path)
        await asyncio.gather(copy(near, requests), copy(far, answers))
        requests.close()

    async def serve() -> None:
        server = await asyncio.start_server(lead, sock=listener, ssl=context)
        await server.serve_forever()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    return listener.getsockname()[1]


class OnEngine(fixtures.SystemTest):
    """What every engine must do; subclasses name one."""

    engine = ""
    kind = ""

    @classmethod
    def setUpClass(cls):
        if not cls.engine:
            return
        cls.unit = cls.engine + "@ship"
        cls.facts = start_engine(cls, cls.unit)

    def setUp(self):
        super().setUp()
        self.name = f"test/{self.id().rpartition('.')[2]}:live"

    # ---- the engine, by its own client ----

    def client(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        program = "podman" if self.engine.startswith("podman") else "docker"
        return subprocess.run([str(ENGINES), "exec", self.unit, program, *words], check=check, capture_output=True, cwd="/tmp")

    def full(self, name: str) -> str:
        return f"docker.io/{name}" if self.engine.startswith("podman") else name

    def run_container(self, name: str, *command: str) -> str:
        result = self.client("run", "--rm", "--network", "none", "--entrypoint", command[0], self.full(name), *command[1:],
                             check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode().strip()

    def greeting(self, name: str | None = None) -> str:
        return self.run_container(name or self.name, "/app/.venv/bin/shop")

    def image_id(self, name: str) -> str:
        return self.client("image", "inspect", "--format", "{{.Id}}", self.full(name)).stdout.decode().strip()

    def images(self) -> list[str]:
        listed = self.client("image", "ls", "--all", "--quiet", "--no-trunc").stdout.decode().split()
        return sorted(set(listed))

    def containers(self) -> list[str]:
        return self.client("ps", "--all", "--quiet").stdout.decode().split()

    def assert_saves_whole(self, name: str) -> None:
        """`save` gives every file that its own list names."""
        saved = self.client("save", self.full(name)).stdout
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            members = set(archive.getnames())
            for image in json.load(archive.extractfile("manifest.json")):
                self.assertLessEqual({image["Config"], *image["Layers"]}, members)

    def assert_pushes(self, name: str) -> None:
        """The engine can give the image on, to a registry on loopback."""
        registry = self.engine + "-registry"
        lines = engines("start", f"registry@{registry}", text=True).stdout.split()
        self.addCleanup(engines, "wipe", f"registry@{registry}")
        server = dict(line.replace("'", "").split("=", 1) for line in lines)["REGISTRY"]
        self.client("tag", self.full(name), f"{server}/{name}")
        self.client("push", *(["--tls-verify=false"] if self.engine.startswith("podman") else []), f"{server}/{name}")
        self.client("rmi", f"{server}/{name}")

    # ---- the project ----

    def ship(self, *words: str, **environment) -> dict:
        return self.json("ship", self.built["image"], "--as", self.name, "--json", *words, cwd=self.project,
                         DOCKER_HOST=self.facts["DOCKER_HOST"], **environment)

    def build(self) -> None:
        self.built = self.json("build", "--json", cwd=self.project)

    def edit(self, greeting: str) -> None:
        (self.project / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print({greeting!r})\n")
        fixtures.commit_all(self.project, f"Say {greeting}")

    def actions(self, shipped: dict) -> list[str]:
        return [step["action"] for step in shipped["plan"]["steps"]]

    def first_release(self) -> dict:
        self.project = self.small_project()
        self.build()
        return self.ship()


class Ship:
    """Mixed into a subclass of OnEngine for each engine."""

    scenarios = CORE_SCENARIOS

    def test_contract(self):
        run_contract(self, self.unit, self.facts, "podman" if self.engine.startswith("podman") else "docker", self.scenarios)

    def test_releases(self):
        first = self.first_release()
        self.assertEqual(first["plan"]["receiver"], self.kind)
        self.assertEqual(self.greeting(), "hello")
        self.assertEqual(self.containers(), [])
        self.assertEqual(first["bytes_sent"], first["plan"]["bytes"])

        # The same image again: nothing is loaded, and the engine has what it had (CASE 44).
        before = self.images()
        again = self.ship()
        self.assertFalse(again["plan"]["load"])
        self.assertEqual(again["bytes_sent"], 0)
        self.assertEqual(self.images(), before)

        # A line of code: one layer travels, and both releases run.
        self.edit("good day")
        self.build()
        dry = self.ship("--dry-run")
        self.assertEqual(self.greeting(), "hello")
        second = self.ship()
        self.assertEqual(dry["bytes"], second["bytes_sent"])
        self.assertEqual(self.actions(second), ["keep"] * (len(self.actions(second)) - 1) + ["send"])
        self.assertFalse(second["sent_whole_after_all"], second["plan"]["why"])
        self.assertLess(second["bytes_sent"], 100_000)
        self.assertEqual(self.greeting(), "good day")
        self.assertEqual(self.greeting(first["unique_name"]), "hello")
        self.assertEqual(self.image_id(self.name), self.image_id(second["unique_name"]))
        self.assert_saves_whole(self.name)

        # The configuration only: no layer travels.
        text = (self.project / "pyproject.toml").read_text()
        (self.project / "pyproject.toml").write_text(text + 'env = { GREETING = "salut" }\n')
        fixtures.commit_all(self.project, "Greet in French")
        self.build()
        third = self.ship()
        self.assertNotIn("send", self.actions(third))
        self.assertLess(third["bytes_sent"], 32_000)
        self.assertEqual(self.run_container(self.name, "/bin/sh", "-c", "echo $GREETING"), "salut")

        # A dependency in the middle: on a prefix store with what lies above it.
        fixtures.wheel(self.project / "wheels", "part0", "1.0", {"part0/__init__.py": "VALUE = 7\n"})
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=self.project, check=True, env=self.environment())
        fixtures.commit_all(self.project, "Another part0")
        self.build()
        fourth = self.ship()
        self.assertIn("keep", self.actions(fourth))
        self.assertIn("send", self.actions(fourth))
        self.assertEqual(self.run_container(self.name, "/app/.venv/bin/python", "-c", "import part0; print(part0.VALUE)"), "7")

        # What changes again lies above all others by now: the build follows the one before, and its wheel's layer travels, on a
        # prefix store with the environment and the application above it.
        fixtures.wheel(self.project / "wheels", "part0", "1.0", {"part0/__init__.py": "VALUE = 8\n"})
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=self.project, check=True, env=self.environment())
        fixtures.commit_all(self.project, "part0 once more")
        self.build()
        self.assertEqual(self.built["previous"]["why"], "it was built last here")
        fifth = self.ship()
        self.assertEqual(self.actions(fifth).count("send"), 3 if self.kind == "prefix" else 1, fifth["plan"])
        self.assertEqual(fifth["bytes_sent"], fifth["plan"]["bytes"])
        self.assertEqual(self.run_container(self.name, "/app/.venv/bin/python", "-c", "import part0; print(part0.VALUE)"), "8")
        self.assert_saves_whole(self.name)
        self.assert_pushes(self.name)

        # After the old releases are gone the next one finds what it shares.
        for old in (first, second, third):
            self.client("rmi", self.full(old["unique_name"]))
        self.edit("good night")
        self.build()
        fifth = self.ship()
        self.assertEqual(self.actions(fifth).count("send"), 1)
        self.assertEqual(self.greeting(), "good night")
        self.assertEqual(self.containers(), [])

    def test_upgrade_file(self):
        """A file for a host without a line: only what it lacks is in it, and a host in another state refuses it."""
        self.project = self.small_project(dependencies=3)
        self.build()
        old = self.folder / "old"
        shutil.copytree(self.project / ".veneer", old)
        image = self.built["image"]
        here = {"DOCKER_HOST": self.facts["DOCKER_HOST"]}
        self.json("pull", f"oci:{old}:{image}", "--as", self.name, "--json", **here)
        self.assertEqual(self.greeting(), "hello")

        fixtures.wheel(self.project / "wheels", "part0", "1.0", {"part0/__init__.py": "VALUE = 7\n"})
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=self.project, check=True, env=self.environment())
        self.edit("good day")
        self.build()
        upgrade = self.folder / "upgrade.tar"
        self.veneer("ship", "--to-file", upgrade, "--for", f"oci:{old}:{image}", "--as", self.name, cwd=self.project)
        self.assertLess(upgrade.stat().st_size, 100_000)
        received = self.json("receive", upgrade, "--json", **here)
        self.assertFalse(received["sent_whole_after_all"])
        self.assertEqual(self.greeting(), "good day")
        self.assert_saves_whole(self.name)
        again = self.json("receive", upgrade, "--json", **here)
        self.assertFalse(again["plan"]["load"])

        for name in self.client("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split():
            if "none" not in name:
                self.client("rmi", "--force", name)
        for left in self.images():  # what other tests left without a name
            self.client("rmi", "--force", left, check=False)
        refused = self.veneer("receive", upgrade, code=3, **here)
        self.assertIn(f"is for a host that has oci:{old}:{image}, this one has not", refused.stderr)
        self.assertEqual(self.images(), [])

    def test_a_cut_line(self):
        """Over an API a cut ends the ship, and the next one does not send again what was loaded."""
        self.project = self.small_project(dependencies=4)
        fixtures.write_large_parts(self, self.project, {0: 7, 1: 7, 2: 7, 3: 7})
        self.build()
        relay = Relay(self.facts["DOCKER_HOST"].removeprefix("unix://"))
        self.addCleanup(relay.close)
        arguments = ["ship", f"tcp://127.0.0.1:{relay.port}", "--as", self.name, "--json"]
        whole = self.json(*arguments, "--dry-run", cwd=self.project)["bytes"]
        relay.reset()
        relay.cut_at(whole - 2_000_000)
        self.veneer(*arguments, cwd=self.project, code=5)
        shipped = self.json(*arguments, cwd=self.project)
        self.assertGreater(whole, 13_000_000)
        self.assertLess(shipped["bytes_sent"], 8_000_000)
        self.assertLess(relay.up, whole + 8_000_000)
        self.assertEqual(self.greeting(), "hello")
        self.assertNotIn(b"veneer-step", self.client("image", "ls").stdout)

    def test_killed(self):
        """The live name stands for the old image or the new one, both run, and the next ship ends well."""
        self.first_release()
        for point in FAIL_POINTS:
            with self.subTest(point):
                old = self.greeting()
                self.edit(f"after {point}")
                self.build()
                killed = self.veneer("ship", self.built["image"], "--as", self.name, cwd=self.project, code=None,
                                     DOCKER_HOST=self.facts["DOCKER_HOST"], VENEER_FAIL_POINT=point)
                self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stderr)
                self.assertEqual(self.greeting(), f"after {point}" if point == "ship.named" else old)
                shipped = self.ship()
                self.assertFalse(shipped["plan"]["load"])
                self.assertEqual(self.greeting(), f"after {point}")
                self.assertEqual(self.containers(), [])


class Docker20(Ship, OnEngine):
    engine, kind = "docker20", "prefix"
    scenarios = ()  # all

    def test_contract_with_a_helper(self):
        """What a splice over ssh does, by a container on the host."""
        run_contract(self, self.unit, self.facts, "docker", CORE_SCENARIOS, VENEER_TEST_HELPER="/state/api.sock")
        self.assertEqual(self.containers(), [])
        self.assertNotIn(b"veneer-helper", self.client("image", "ls").stdout)

    def test_an_inventory_of_many_images(self):
        """Many images are asked for over several connections at once, and not over more than sixteen."""
        self.first_release()
        loop = f"for i in $(seq 40); do tar -cf - -T /dev/null | docker import -c \"ENV NUMBER=$i\" - test/many:$i >/dev/null || exit 1; done"
        subprocess.run([str(ENGINES), "exec", self.unit, "sh", "-c", loop], check=True, cwd="/tmp")
        self.addCleanup(self.client, "rmi", *(f"test/many:{number}" for number in range(1, 41)), check=False)
        relay = Relay(self.facts["DOCKER_HOST"].removeprefix("unix://"), round_trip=0.2)
        self.addCleanup(relay.close)
        dry = self.json("ship", self.built["image"], f"tcp://127.0.0.1:{relay.port}", "--as", self.name, "--json", "--dry-run",
                        cwd=self.project)
        print(f"{relay.connections} connections, {relay.round_trips} round trips")
        self.assertEqual(dry["bytes"], 0)
        self.assertGreater(relay.connections, 1)
        self.assertLessEqual(relay.connections, 16)

    def test_helper(self):
        """A host that is reached by its API alone reads its old layers back in a container: what changed travels."""
        self.project = self.small_project(dependencies=4)
        fixtures.follow_no_image(self.project)
        fixtures.write_large_parts(self, self.project, {0: 1, 1: 1, 2: 1, 3: 1})
        self.build()
        self.ship()
        relay = Relay(self.facts["DOCKER_HOST"].removeprefix("unix://"))
        self.addCleanup(relay.close)
        arguments = ["ship", f"tcp://127.0.0.1:{relay.port}", "--as", self.name, "--json"]
        helped = [*arguments, "--helper", "/state/api.sock"]

        fixtures.write_large_parts(self, self.project, {0: 2})
        self.build()
        self.assertGreater(self.json(*arguments, "--dry-run", cwd=self.project)["bytes"], 13_000_000)
        # Images of other tests, if there are any: an inventory asks for many over many connections.
        others = [name for name in self.client("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split() if "test_helper" not in name]
        self.client("rmi", "-f", *others, check=False)
        relay.reset()
        connections = relay.connections
        relay.cut_at(2_000_000, 3_500_000)
        result = self.veneer(*helped, cwd=self.project)
        self.assertLess(relay.connections - connections, 10)  # the pieces go over one, until it is cut
        self.assertIn("a helper container", result.stderr)
        self.assertEqual(result.stderr.count("connection lost"), 2, result.stderr)
        shipped = json.loads(result.stdout)
        self.assertIn("splice", self.actions(shipped))
        self.assertEqual(shipped["bytes_sent"], shipped["plan"]["bytes"])
        print(f"helper: {relay.up} B up for {shipped['plan']['bytes']} B, {shipped['round_trips']} round trips")
        self.assertLess(relay.up, 4_000_000 + 700_000 + 32_000 + 2 * 1_100_000)
        value = "import part0; print(part0.VALUE)"
        self.assertEqual(self.run_container(self.name, "/app/.venv/bin/python", "-c", value), "2")

        # A line of code needs no helper, and neither does a sender that is killed leave one for long.
        self.edit("good day")
        self.build()
        self.assertNotIn("helper", self.veneer(*helped, cwd=self.project).stderr)
        fixtures.write_large_parts(self, self.project, {0: 3})
        self.build()
        self.veneer(*helped, cwd=self.project, code=None, VENEER_FAIL_POINT="ship.piece")
        self.assertEqual(len(self.containers()), 1)
        self.assertEqual(self.greeting(), "good day")
        self.veneer(*helped, cwd=self.project)
        self.assertEqual(self.run_container(self.name, "/app/.venv/bin/python", "-c", value), "3")
        self.assertEqual(self.containers(), [])
        self.assertNotIn(b"veneer-helper", self.client("image", "ls").stdout)

        # No socket there, no helper: said, and the old image stays.
        fixtures.write_large_parts(self, self.project, {0: 4})
        self.build()
        refused = self.veneer(*arguments, "--helper", "/nowhere.sock", cwd=self.project, code=6)
        self.assertIn("helper container", refused.stderr)
        self.assertEqual(self.run_container(self.name, "/app/.venv/bin/python", "-c", value), "3")
        self.assertEqual(self.containers(), [])

    def test_tls(self):
        """tcp:// with certificates on both sides, as Docker's own client; without them nothing is said to anybody."""
        certificates = self.folder / "certificates"
        certificates.mkdir()

        def openssl(*words: str) -> None:
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=certificates)

        for name in ("ca", "server", "client"):
            openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr")
        (certificates / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "ca.csr", "-signkey", "ca-key.pem", "-days", "2", "-out", "ca.pem")
        for name in ("server", "client"):
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2",
                    "-extfile", "names", "-out", f"{name}-cert.pem")
        for given, wanted in (("client-cert.pem", "cert.pem"), ("client-key.pem", "key.pem")):
            (certificates / given).rename(certificates / wanted)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server-cert.pem", certificates / "server-key.pem")
        context.load_verify_locations(certificates / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        port = tls_door(context, self.facts["DOCKER_HOST"].removeprefix("unix://"))

        self.project = self.small_project()
        self.build()
        server = f"tcp://127.0.0.1:{port}"
        refused = self.veneer("ship", server, "--as", self.name, cwd=self.project, code=5)
        self.assertIn("127.0.0.1", refused.stderr)
        shipped = self.json("ship", server, "--as", self.name, "--json", cwd=self.project, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
        self.assertEqual(shipped["image_id"], self.image_id(self.name))
        self.assertEqual(self.greeting(), "hello")


class OnBlobs:
    """Mixed into a subclass of OnEngine whose store is one of blobs."""

    def test_an_upgrade_for_a_foreign_image(self):
        """A file for a host that has the base as somebody else built it: which blobs that has, the engine is asked."""
        base = fixtures.debian_base()
        layout = self.folder / "base.tar"
        with tarfile.open(layout, "w") as archive:
            archive.add(base, ".")
        with open(layout, "rb") as archive:
            subprocess.run([str(ENGINES), "exec", self.unit, "docker", "load"], stdin=archive, check=True, capture_output=True, cwd="/tmp")
        self.project = self.small_project()
        self.build()
        upgrade = self.folder / "upgrade.tar"
        self.veneer("ship", "--to-file", upgrade, "--for", f"oci:{base}:bookworm", "--as", self.name, cwd=self.project)
        self.assertLess(upgrade.stat().st_size, 1_000_000)
        received = self.json("receive", upgrade, "--json", DOCKER_HOST=self.facts["DOCKER_HOST"])
        self.assertFalse(received["sent_whole_after_all"])
        self.assertEqual(self.actions(received)[0], "keep")
        self.assertEqual(self.greeting(), "hello")
        self.assert_saves_whole(self.name)


class Docker28Containerd(Ship, OnBlobs, OnEngine):
    engine, kind = "docker28-c8d", "blobs"


class Podman4(Ship, OnEngine):
    engine, kind = "podman4", "diff_ids"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker26(Ship, OnEngine):
        engine, kind = "docker26", "prefix"

    class Docker26Containerd(Ship, OnBlobs, OnEngine):
        engine, kind = "docker26-c8d", "blobs"

    class Docker28(Ship, OnEngine):
        engine, kind = "docker28", "prefix"

    class Podman5(Ship, OnEngine):
        engine, kind = "podman5", "diff_ids"


class WithoutEngine(fixtures.SystemTest):
    def test_addresses(self):
        """What cannot be reached is said by name, with the documented exit code."""
        project = self.small_project()
        self.veneer("build", cwd=project)
        for host, code, words in [
            ("tcp://127.0.0.1", 2, "tcp://127.0.0.1"),
            ("tcp://127.0.0.1:1", 5, "127.0.0.1:1"),
            ("npipe:////./pipe/docker_engine", 2, "npipe"),
            ("ssh://user:secret@host.example", 2, "password"),
            ("unix:///nowhere/docker.sock", 5, "/nowhere/docker.sock"),
        ]:
            with self.subTest(host):
                result = self.veneer("ship", cwd=project, code=code, DOCKER_HOST=host)
                self.assertIn(words, result.stderr)
                self.assertNotIn("localhost", result.stderr)


if __name__ == "__main__":
    fixtures.main()
