#!/usr/bin/env python3
"""Pushes to Debian's docker-registry: what an edit costs, by TLS with tokens and by users, with a line that breaks and a
registry that dies; and that skopeo and veneer read what the other has written."""

import json
import os
import random
import re
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402
import real_registry  # noqa: E402
import relay  # noqa: E402
from made_images import MANIFEST, image_digest, layer, make_image, manifest_of  # noqa: E402

MIB = 1 << 20
INDEX = "application/vnd.oci.image.index.v1+json"
EVERYTHING = bool(os.environ.get("VENEER_TEST_ALL"))


def log_in(folder: Path, address: str, user: str, password: str) -> None:
    """In the home of a test."""
    (folder / "home" / ".docker").mkdir(parents=True, exist_ok=True)
    auth = real_registry.base64.b64encode(f"{user}:{password}".encode()).decode()
    (folder / "home" / ".docker" / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))


class RealTest(fixtures.SystemTest):
    def registry(self, name: str = "registry", **options) -> real_registry.RealRegistry:
        registry = real_registry.RealRegistry(self.folder / name, **options)
        self.addCleanup(registry.close)
        return registry

    def line(self, registry: real_registry.RealRegistry, **options) -> relay.Relay:
        line = relay.Relay(("127.0.0.1", registry.port), **options)
        self.addCleanup(line.close)
        return line


class Edit(RealTest):
    """A project is built and pushed, edited, and pushed again."""

    def asked(self, registry: real_registry.RealRegistry) -> list[str]:
        """Requests so far, but for those that ask who asks."""
        log = (registry.folder / "log").read_text()
        return [found for found in re.findall(r'"([A-Z]+ \S+) HTTP/', log) if not found.endswith(" /v2/")]

    def edit(self, path: Path, text: str) -> None:
        (path / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print('{text}')\n")
        fixtures.commit_all(path, text)

    def bound(self, path: Path, digest: str) -> float:
        """Of the bytes that may go up after an edit."""
        blobs = path / ".veneer" / "blobs" / "sha256"
        manifest = json.loads((blobs / digest.split(":")[1]).read_text())
        size = manifest["layers"][-1]["size"] + manifest["config"]["size"] + (blobs / digest.split(":")[1]).stat().st_size
        return size * 1.02 + 4096

    def test_what_an_edit_costs(self):
        registry = self.registry()
        line = self.line(registry)
        name = f"127.0.0.1:{line.port}/team/shop"
        path = self.small_project()
        self.veneer("build", "--push", f"{name}:1", cwd=path)
        self.edit(path, "by build")
        before = len(self.asked(registry))
        line.reset()
        built = json.loads(self.veneer("build", "--push", f"{name}:2", "--json", cwd=path).stdout)
        self.assertEqual(registry.tag("team/shop", "2"), built["manifest"])
        self.assertEqual(built["push"]["names"], [f"{name}:2"])
        self.assertLessEqual(line.up, self.bound(path, built["manifest"]))
        # Two of them look for the image before: its tag and latest.
        self.assertLessEqual(len(self.asked(registry)) - before, 8, self.asked(registry)[before:])

        # Where one of the names is there, the image before and what the registry has are one question.
        self.edit(path, "of the same tag")
        before = len(self.asked(registry))
        line.reset()
        built = json.loads(self.veneer("build", "--push", f"{name}:2", "--json", cwd=path).stdout)
        self.assertEqual(registry.tag("team/shop", "2"), built["manifest"])
        self.assertLessEqual(line.up, self.bound(path, built["manifest"]))
        self.assertLessEqual(len(self.asked(registry)) - before, 6, self.asked(registry)[before:])

        self.edit(path, "by push")  # on a machine that knows nothing of the last push
        built = json.loads(self.veneer("build", "--json", cwd=path).stdout)
        for file in (self.cache / "veneer" / "registries").iterdir():
            file.unlink()
        before = len(self.asked(registry))
        line.reset()
        self.veneer("push", f"{name}:2", "--also-tag", f"{name}:latest", cwd=path)
        self.assertLessEqual(line.up, self.bound(path, built["manifest"]) + 4096)
        self.assertLessEqual(len(self.asked(registry)) - before, 8, self.asked(registry)[before:])
        self.assertEqual(registry.tag("team/shop", "latest"), built["manifest"])
        before = len(self.asked(registry))
        self.edit(path, "by push, again")
        self.veneer("build", cwd=path)
        self.veneer("push", f"{name}:3", "--also-tag", "latest", cwd=path)
        self.assertLessEqual(len(self.asked(registry)) - before, 7, self.asked(registry)[before:])

        self.edit(path, "as in CI")  # the new tag is looked for in vain, and the second one is one more
        before = len(self.asked(registry))
        built = json.loads(self.veneer("build", "--push", f"{name}:4", "--also-tag", "latest", "--json", cwd=path, CI="true").stdout)
        self.assertEqual({registry.tag("team/shop", tag) for tag in ("4", "latest")}, {built["manifest"]})
        self.assertLessEqual(len(self.asked(registry)) - before, 8, self.asked(registry)[before:])

        # Of an image that is there nothing is sent, though its tag was looked at before.
        again = json.loads(self.veneer("build", "--push", f"{name}:4", "--json", cwd=path).stdout)
        self.assertEqual((again["manifest"], again["push"]["bytes_sent"]), (built["manifest"], 0))


if EVERYTHING:

    class BaseInTheRegistry(RealTest):
        def test_its_layers_are_mounted(self):
            registry = self.registry()
            base = f"{registry.address}/team/base:1"
            self.veneer("push", f"oci:{fixtures.debian_base()}", base)
            path = self.small_project()
            text = (path / "pyproject.toml").read_text()
            (path / "pyproject.toml").write_text(text.replace(f"oci:{fixtures.debian_base()}", base))
            fixtures.commit_all(path, "On a registry's base")
            built = json.loads(self.veneer("build", "--push", f"{registry.address}/team/shop:1", "--json", cwd=path).stdout)
            self.assertEqual(built["push"]["plan"]["steps"][0]["action"], "mount")
            self.assertLess(built["push"]["bytes_sent"], MIB)
            plan = json.loads(self.veneer("push", f"{registry.address}/team/other:1", "--dry-run", "--json", cwd=path).stdout)
            self.assertEqual(plan["steps"][0]["action"], "mount")
            copied = json.loads(self.veneer("push", f"registry:{registry.address}/team/shop:1", f"{registry.address}/team/copy:1", "--json").stdout)
            self.assertEqual({step["action"] for step in copied["plan"]["steps"]}, {"mount"})
            self.assertEqual(registry.tag("team/copy", "1"), built["manifest"])


class ColdBuilder(RealTest):
    """A builder that has veneer.lock, and nothing of the base."""

    def python_image(self) -> Path:
        """In the shape of the official images of Python: CPython in /usr/local above a Debian, PATH, a version, CMD."""
        blobs = fixtures.debian_base() / "blobs" / "sha256"
        manifest = manifest_of(fixtures.debian_base())
        with tarfile.open(blobs / manifest["layers"][0]["digest"].split(":")[1]) as debian:
            python = next(debian.extractfile(member).read() for member in debian if member.name.endswith("usr/bin/python3.11"))

        def change(config: dict) -> None:
            config["config"] = {"Env": ["PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON_VERSION=3.11.2"], "Cmd": ["python3"]}

        return layouts.with_layer(fixtures.debian_base(), self.folder / "python", {
            "usr/local": None, "usr/local/bin": None, "usr/local/bin/python3.11": (python, 0o755), "usr/local/bin/python3": "python3.11"}, change)

    def test_a_base_of_which_nothing_is_here(self):
        registry = self.registry()
        line = self.line(registry)
        base = f"127.0.0.1:{line.port}/library/python:3.11-slim"
        self.veneer("push", f"oci:{self.python_image()}", base)
        path = self.small_project()
        text = (path / "pyproject.toml").read_text().replace("[tool.veneer]\n", "[tool.veneer]   # ours\r\n")
        (path / "pyproject.toml").write_text(text, newline="")
        (path / "Dockerfile").write_text(f"ARG PYTHON=3.11\nFROM {base.replace('3.11', '${PYTHON}')} AS base\nFROM base\n")
        fixtures.commit_all(path, "On Python's image")
        self.veneer("base", "use", "127.0.0.1:1/none:1", cwd=path, code=5)
        self.assertEqual((path / "pyproject.toml").read_bytes().decode(), text, "what cannot be had is not written")
        used = json.loads(self.veneer("base", "use", "--json", cwd=path).stdout)
        self.assertEqual((used["base"], used["place"], used["changed"]), (base, "Dockerfile:2", True))
        self.assertEqual((path / "pyproject.toml").read_bytes().decode(), text.replace(f"oci:{fixtures.debian_base()}", base))
        self.assertIn("/usr/local/bin/python3.11", (path / "veneer.lock").read_text())
        self.veneer("build", cwd=path)
        self.assertLess((path / "veneer.lock").stat().st_size, 6000)
        fixtures.commit_all(path, "Pinned")
        first = json.loads(self.veneer("build", "--json", "--locked", cwd=path).stdout)  # of that commit
        first_cache = self.cache

        second_path = self.folder / "elsewhere" / "shop"
        fixtures.git(self.folder, "clone", "-q", str(path), str(second_path))
        self.cache = self.folder / "second"
        line.reset()
        second = json.loads(self.veneer("build", "--push", f"127.0.0.1:{line.port}/team/shop:1", "--json", cwd=second_path).stdout)
        print(f"[{line.down} bytes of the base]", end=" ", file=sys.stderr)
        self.assertLess(line.down, 100_000)
        self.assertEqual(second["manifest"], first["manifest"])
        self.assertEqual(registry.tag("team/shop", "1"), first["manifest"])
        self.assertEqual(fixtures.git(second_path, "status", "--porcelain"), "", "veneer.lock says what it said before")

        # What needs the layers gets them.
        listed = self.veneer("inspect", "shop:1.0.0", "--tree", cwd=second_path).stdout
        self.assertIn("usr/local/bin/python3.11", listed)
        self.assertGreater(line.down, 1_000_000)

        # What somebody changed is found where the layers are.
        lock = (path / "veneer.lock").read_text()
        self.assertIn("root:x:0:0:root:", lock)
        (path / "veneer.lock").write_text(lock.replace("root:x:0:0:root:", "root:x:0:0:moot:"))
        self.cache = first_cache
        refused = self.veneer("build", cwd=path, code=6).stderr
        self.assertIn("etc/passwd", refused)


class Logins(RealTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = Path(fixtures.tempfile.mkdtemp(prefix="veneer-test-"))
        cls.addClassCleanup(fixtures.shutil.rmtree, cls.shared, ignore_errors=True)
        cls.authority = real_registry.Authority(cls.shared / "ca")

    def trusting(self) -> dict:
        return {"SSL_CERT_FILE": str(self.authority.ca)}

    def skopeo(self, *words: str) -> str:
        result = subprocess.run(["skopeo", *words], capture_output=True, text=True, env=self.environment(**self.trusting()))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_tokens_over_tls_and_skopeo(self):
        tokens = real_registry.TokenServer(self.authority, {"me": "secret word"}, over_tls=True)
        self.addCleanup(tokens.close)
        registry = self.registry(authority=self.authority, tokens=tokens)
        image = make_image(self.folder / "image", [layer("a"), layer("b", 20 * MIB)])
        name = f"{registry.address}/team/app"
        refused = self.veneer("push", f"oci:{image}", f"{name}:1", code=5, **self.trusting()).stderr
        self.assertIn("login", refused)
        log_in(self.folder, registry.address, "me", "secret word")
        self.veneer("push", f"oci:{image}", f"{name}:1", code=5)  # a certificate that nobody vouches for
        self.veneer("push", f"oci:{image}", f"{name}:1", **self.trusting())
        self.assertEqual({user for user, _ in tokens.asked}, {"", "me"})
        credentials = ("--authfile", str(self.folder / "home" / ".docker" / "config.json"))
        self.skopeo("copy", "--quiet", *credentials, f"docker://{name}:1", f"oci:{self.folder}/read:1")
        self.assertEqual(image_digest(self.folder / "read"), image_digest(image))
        other = make_image(self.folder / "other", [layer("a"), layer("c")])
        self.skopeo("copy", "--quiet", *credentials, f"oci:{other}:1", f"docker://{name}:other")
        self.assertEqual(registry.tag("team/app", "other"), image_digest(other))
        plan = json.loads(self.veneer("push", f"oci:{other}", f"{name}:again", "--dry-run", "--json", **self.trusting()).stdout)
        self.assertEqual([step["action"] for step in plan["steps"]], ["keep", "keep"])
        found = json.loads(self.veneer("inspect", f"registry:{name}:other", "--json", **self.trusting()).stdout)
        self.assertIn(image_digest(other), json.dumps(found))

    def test_users(self):
        registry = self.registry(users={"me": "secret word"})
        image = make_image(self.folder / "image", [layer("a")])
        for password, code in (("wrong", 5), ("secret word", 0)):
            log_in(self.folder, registry.address, "me", password)
            result = self.veneer("push", f"oci:{image}", f"{registry.address}/app:1", code=code)
            self.assertNotIn(password, result.stdout + result.stderr)
        self.assertEqual(registry.tag("app", "1"), image_digest(image))

    # podman-container-tools/skopeo#2525: over HTTP/2 a hundred questions take one round trip.
    def test_a_hundred_layers_over_a_slow_line(self):
        registry = self.registry(authority=self.authority)
        image = make_image(self.folder / "image", [layer(f"layer {number}") for number in range(100)])
        self.veneer("push", f"oci:{image}", f"{registry.address}/app:1", **self.trusting())
        (registry.folder / "data/docker/registry/v2/repositories/app/_manifests/tags/1/current/link").unlink()
        line = self.line(registry, round_trip=0.2)
        trips = relay.Relay(("127.0.0.1", line.port))
        self.addCleanup(trips.close)
        self.cache = self.folder / "another-cache"
        result = json.loads(self.veneer("push", f"oci:{image}", f"127.0.0.1:{trips.port}/app:2", "--json", **self.trusting()).stdout)
        self.assertEqual({step["action"] for step in result["plan"]["steps"]}, {"keep"})
        print(f"[{trips.round_trips} round trips, {trips.connections} connections]", end=" ", file=sys.stderr)
        self.assertLessEqual(trips.connections, 4)
        # Setting up a connection turns the line twice: greetings, then settings of HTTP/2 with tickets of TLS.
        self.assertLessEqual(trips.round_trips - 2 * trips.connections, 5)


class Sbom(RealTest):
    """docker-registry 2.8 knows no referrers: what belongs to an image is listed by a tag (distribution specification 1.1)."""

    def get(self, registry: real_registry.RealRegistry, path: str) -> tuple[int, bytes]:
        connection = registry.connection()
        connection.request("GET", f"/v2/team/shop/{path}", headers={"Accept": ", ".join((INDEX, MANIFEST))})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_it_is_listed_by_a_tag(self):
        registry = self.registry()
        name = f"{registry.address}/team/shop"
        path = self.small_project()
        built = json.loads(self.veneer("build", "--push", f"{name}:1", "--json", cwd=path).stdout)
        subject = built["manifest"]
        self.assertEqual(self.get(registry, f"referrers/{subject}")[0], 404)
        tag = subject.replace(":", "-")
        self.assertEqual(self.get(registry, f"manifests/{tag}")[0], 404)
        for _ in range(2):  # the second time nothing changes
            pushed = json.loads(self.veneer("push", f"{name}:1", "--sbom", "--json", cwd=path).stdout)
            status, text = self.get(registry, f"manifests/{tag}")
            self.assertEqual(status, 200)
            listed = json.loads(text)
            self.assertEqual((listed["mediaType"], [entry["digest"] for entry in listed["manifests"]]), (INDEX, [pushed["sbom"]]))
        self.assertEqual(listed["manifests"][0]["artifactType"], "application/spdx+json")
        manifest = json.loads(self.get(registry, f"manifests/{pushed['sbom']}")[1])
        self.assertEqual((manifest["subject"]["digest"], manifest["artifactType"]), (subject, "application/spdx+json"))
        document = self.get(registry, f"blobs/{manifest['layers'][0]['digest']}")[1]
        self.assertEqual(document.decode(), self.veneer("sbom", f"registry:{name}:1").stdout)
        self.assertIn("part0", {package["name"] for package in json.loads(document)["packages"]})
        # Another program reads what the tag stands for.
        raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}:{tag}"], check=True, capture_output=True).stdout
        self.assertEqual(raw, text)
        # Another image has a list of its own.
        (path / "src/shop/__init__.py").write_text("def main():\n    print('again')\n")
        fixtures.commit_all(path, "Again")
        self.veneer("build", cwd=path)
        self.veneer("push", f"{name}:2", "--sbom", cwd=path)
        self.assertEqual(self.get(registry, f"manifests/{tag}")[1], text)


class Accidents(RealTest):
    CUTS = 30 if EVERYTHING else 5

    def setUp(self):
        super().setUp()
        self.chance = random.Random(int(os.environ.get("VENEER_TEST_SEED", "16")))
        self.real = self.registry()
        self.relay = self.line(self.real)
        self.name = f"127.0.0.1:{self.relay.port}/team/app:1"
        self.old = make_image(self.folder / "old", [layer("base")])
        self.veneer("push", f"oci:{self.old}", self.name)
        self.new = make_image(self.folder / "new", [layer("base"), *(layer(f"new {number}", 6 * MIB) for number in range(6))])
        self.size = sum(one["size"] for one in manifest_of(self.new)["layers"])

    def watch(self, stop: threading.Event, seen: set) -> None:
        while not stop.wait(0.005):
            found = self.real.tag("team/app", "1")
            if found:
                seen.add(found)

    def test_cuts(self):
        self.relay.reset()
        self.relay.cut_at(*(self.chance.randrange(self.size) for _ in range(self.CUTS)))
        self.veneer("push", f"oci:{self.new}", self.name, "--patience", "2")
        self.assertEqual(self.real.tag("team/app", "1"), image_digest(self.new))
        most = self.size + self.CUTS * 4 * 6 * MIB  # what was under way, of four layers at once
        self.assertLessEqual(self.relay.up, most)

    def test_a_registry_and_a_sender_that_die(self):
        stop, seen = threading.Event(), set()
        watcher = threading.Thread(target=self.watch, args=(stop, seen))
        watcher.start()
        try:
            for moment in ("registry", "sender"):
                self.relay.reset()
                at = self.chance.randrange(self.size // 4)
                process = subprocess.Popen([fixtures.binary(), "push", f"oci:{self.new}", self.name], cwd=self.folder, env=self.environment(),
                                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                while self.relay.up < at and process.poll() is None:
                    time.sleep(0.001)
                if moment == "registry":
                    self.real.kill()
                    self.real.start()
                    said = process.communicate()[0]
                    self.assertEqual(process.returncode, 0, said)
                    self.assertEqual(self.real.tag("team/app", "1"), image_digest(self.new))
                    self.veneer("push", f"oci:{self.old}", self.name)
                    fixtures.shutil.rmtree(self.real.folder / "data/docker/registry/v2/repositories/team/app/_layers/sha256")
                else:
                    process.kill()
                    process.communicate()
            self.veneer("push", f"oci:{self.new}", self.name)
        finally:
            stop.set()
            watcher.join()
        self.assertLessEqual(seen, {image_digest(self.old), image_digest(self.new)})
        self.assertEqual(self.real.tag("team/app", "1"), image_digest(self.new))


class Users(RealTest):
    """Two users of one machine push to one tag at a time."""

    @fixtures.unittest.skipUnless(os.geteuid() == 0, "only root can be other users")
    def test_two_push_one_tag(self):
        registry = self.registry()
        name = f"{registry.address}/team/app"
        images = {user: make_image(self.folder / str(user), [layer("base", MIB), *(layer(f"{number} of {user}", 200_000) for number in range(8))]) for user in (2001, 2002)}
        self.folder.chmod(0o755)
        program = fixtures.shutil.copy2(fixtures.binary(), self.folder / "veneer")  # where both can read it
        for shared in (False, True):  # a cache each; one that both may write
            for turn in range(3):
                running = []
                for user, image in images.items():
                    cache = self.folder / ("shared" if shared else f"cache-{user}")
                    cache.mkdir(exist_ok=True)
                    cache.chmod(0o777)
                    home = {"HOME": str(self.folder / "none"), "XDG_CACHE_HOME": str(cache)}
                    running.append(subprocess.Popen(
                        [program, "push", f"oci:{image}", f"{name}:{shared}-{turn}"], cwd="/", env={**self.environment(), **home}, umask=0, user=user, group=user,
                        extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
                for process in running:
                    said = process.communicate()[0]
                    self.assertEqual(process.returncode, 0, said)
                winner = registry.tag("team/app", f"{shared}-{turn}")
                self.assertIn(winner, {image_digest(image) for image in images.values()})
                self.veneer("inspect", f"registry:{name}:{shared}-{turn}", "--contents")


if __name__ == "__main__":
    fixtures.main()
