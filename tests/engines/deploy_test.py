#!/usr/bin/env python3
"""`veneer deploy`, `rollback` and `history`: three compose services of one image on a real engine behind a real sshd.

On Docker 20.10 and on 28 with the containerd store, with docker-compose as Debian has it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
from ssh_host import SshHost, start_engine  # noqa: E402


COMPOSE = """\
services:
  web:
    image: {image}
    network_mode: none
    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "web"]
    healthcheck:
      test: ["CMD", "/app/.venv/bin/python", "-m", "shop.health"]
      interval: 1s
      retries: 2
    stop_grace_period: 1s
  worker:
    image: {image}
    network_mode: none
    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "worker"]
    stop_grace_period: 1s
  other:
    image: {other}
    network_mode: none
    command: ["/app/.venv/bin/python", "-c", "import time; time.sleep(3600)"]
    entrypoint: []
    stop_grace_period: 1s
"""
SERVE = """\
import sys, time
print("serving {text}", flush=True)
{crash}
time.sleep(3600)
"""


class Deploy:
    """Mixed into a subclass that names an engine."""

    engine = ""
    front = "docker-compose"  # version 1, a program of its own; "plugin" is version 2

    @classmethod
    def setUpClass(cls):
        cls.unit = cls.engine + "@deploy"
        cls.facts = start_engine(cls, cls.unit)

    def setUp(self):
        super().setUp()
        self.host = SshHost(self.folder / "host", {"docker": self.unit}, variables=(f"XDG_STATE_HOME={self.folder}/host/state",))
        self.addCleanup(self.host.close)
        if self.front == "docker-compose":
            self.host.add_program("docker-compose", f'#!/bin/sh\nDOCKER_HOST={self.facts["DOCKER_HOST"]} exec {shutil.which("docker-compose")} "$@"\n')
        self.live = f"test/{self.id().rpartition('.')[2]}:live"
        self.project = self.small_project()
        self.write("one")
        self.veneer("build", cwd=self.project)
        self.veneer("ship", "ssh://plant", "--as", self.live, cwd=self.project, PATH=self.host.path())
        self.client("tag", self.live, "other:1")
        self.compose_folder = self.folder / "site"
        self.compose_folder.mkdir()
        (self.compose_folder / "compose.yaml").write_text(COMPOSE.format(image=self.live, other="other:1"))
        self.compose("up", "-d")
        self.addCleanup(self.compose, "down", "-t", "1")

    def client(self, *words: str, check: bool = True) -> str:
        return subprocess.run([str(self.host.programs / "docker"), *words], check=check, capture_output=True, text=True, cwd="/tmp").stdout.strip()

    def compose(self, *words: str) -> str:
        program = [self.host.programs / "docker", "compose"] if self.front == "plugin" else [self.host.programs / "docker-compose"]
        return subprocess.run([*program, "-f", self.compose_folder / "compose.yaml", "-p", "site", *words], check=True, capture_output=True,
                              text=True, cwd=self.compose_folder).stdout

    def write(self, text: str, crash: str = "", healthy: bool = True) -> None:
        package = self.project / "src" / "shop"
        (package / "serve.py").write_text(SERVE.format(text=text, crash=crash))
        (package / "health.py").write_text("" if healthy else "raise SystemExit(1)\n")
        fixtures.commit_all(self.project, f"Serve {text}")

    def arguments(self, command: str, *words: str) -> list[str]:
        return [command, "ssh://plant", "--as", self.live, *words]

    def deploy(self, *words: str, code: int = 0, **environment) -> dict:
        result = self.veneer(*self.arguments("deploy", "--settle", "2", "--json", *words), cwd=self.project, code=code, PATH=self.host.path(), **environment)
        return json.loads(result.stdout)["hosts"][0] if result.stdout else {"error": result.stderr}

    def history(self) -> list[dict]:
        return self.json(*self.arguments("history", "--json"), cwd=self.project, PATH=self.host.path())["releases"]

    def serving(self) -> dict[str, str]:
        """What each service said first."""
        return {service: self.client("logs", self.compose("ps", "-q", service).strip()).partition("\n")[0] for service in ("web", "worker")}

    def assert_serves(self, text: str) -> None:
        self.assertEqual(self.serving(), {"web": f"serving {text}", "worker": f"serving {text}"})
        live = self.client("image", "inspect", "--format", "{{.Id}}", self.live)
        for service in ("web", "worker"):
            container = self.compose("ps", "-q", service).strip()
            self.assertEqual(self.client("inspect", "--format", "{{.Image}} {{.State.Running}}", container), f"{live} true")

    def test_releases(self):
        """An edit is live, the next one too; back to the first, after a prune job; the other service is let alone."""
        other = self.compose("ps", "-q", "other")
        self.write("two")
        dry = self.veneer(*self.arguments("deploy", "--dry-run", "--json"), cwd=self.project, PATH=self.host.path())
        self.assertLess(json.loads(dry.stdout)["bytes"], 100_000)
        self.assert_serves("one")
        second = self.deploy()
        self.assertEqual((second["outcome"], second["revision"]), ("well", 1))
        self.assertLess(second["bytes_sent"], 100_000)
        self.assert_serves("two")
        self.write("three")
        third = self.deploy()
        self.assert_serves("three")
        self.assertEqual(self.compose("ps", "-q", "other"), other)

        pruned = self.client("image", "prune", "-af")
        self.assertNotIn(third["unique_name"], pruned)
        back = self.json(*self.arguments("rollback", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assertEqual((back["outcome"], back["from"]), ("well", 1))
        self.assert_serves("two")
        self.json(*self.arguments("rollback", "--to", "2", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("three")

        releases = self.history()
        self.assertEqual([(row["revision"], row["kind"], row["outcome"], row["present"]) for row in releases],
                         [(1, "deploy", "well", True), (2, "deploy", "well", True), (3, "rollback", "well", True), (4, "rollback", "well", True)])
        self.assertEqual(releases[0]["commit"], fixtures.git(self.project, "rev-parse", "HEAD~1").strip()[:12])
        self.assertTrue(releases[3]["live"])

        # An image that somebody removed: said beforehand, and nothing changes.
        self.client("rm", *self.client("ps", "-aq", "--filter", "label=dev.veneer.keep").split())
        self.client("rmi", "-f", second["unique_name"])
        refused = self.veneer(*self.arguments("rollback", "--to", "1"), cwd=self.project, code=4, PATH=self.host.path())
        self.assertIn("is not on the host any more", refused.stderr)
        self.assert_serves("three")

    def test_bad_releases(self):
        """A release that crashes, one that never turns healthy, one whose command before it fails: the old one serves."""
        for title, change, words, why in [
            ("crash", {"crash": "sys.exit('no database')"}, (), "no database"),
            ("sick", {"healthy": False}, ("--wait", "20"), "unhealthy"),
            ("migration", {}, ("--before", "echo migrating and exit 3 && exit 3"), "command before it failed"),
        ]:
            with self.subTest(title):
                before = self.serving()
                self.write(title, **change)
                result = self.deploy(*words, code=7)
                self.assertEqual(result["outcome"], "back")
                self.assertIn(why, result["why"] + result["logs"])
                self.assertEqual(self.serving(), before)
                self.assert_serves("one")
                self.assertEqual(self.history()[-1]["outcome"], "back")
        self.write("good")
        self.assertEqual(self.deploy("--before", "echo migrated")["outcome"], "well")
        self.assert_serves("good")
        # The same image again has nothing to go back to.
        again = self.deploy("--probe", "http://127.0.0.1:1/", "--wait", "4", code=1)
        self.assertEqual(again["outcome"], "failed")
        self.assertIn("does not answer", again["why"])


class Corners:
    """Mixed in beside Deploy: what needs no second store to be seen."""

    def test_refusals(self):
        """What cannot go well is said before anything changes."""
        for words, code, why in [
            (("--max-bytes", "1kB"), 10, "are allowed"),
            (("--compose", "/nowhere/compose.yaml"), 3, "there is no file"),
            (("--service", "other"), 3, "does not use the image"),
        ]:
            with self.subTest(words):
                self.write("new " + words[0])
                result = self.veneer(*self.arguments("deploy", *words), cwd=self.project, code=code, PATH=self.host.path())
                self.assertIn(why, result.stderr)
                self.assert_serves("one")
        compose = self.compose_folder / "compose.yaml"
        text = compose.read_text()
        compose.write_text(text.replace(f"image: {self.live}", f"image: {self.live}@sha256:{'0' * 64}", 1))
        result = self.veneer(*self.arguments("deploy", "--service", "web"), cwd=self.project, code=3, PATH=self.host.path())
        self.assertIn("pins a digest", result.stderr)
        compose.write_text(text)
        result = self.veneer("deploy", "ssh://plant", "--as", "unknown:live", cwd=self.project, code=3, PATH=self.host.path())
        self.assertIn("no container of a compose project", result.stderr)
        self.assertIn("nothing was deployed", self.veneer("history", "ssh://plant", "--as", "unknown:live", cwd=self.project, PATH=self.host.path()).stdout)

    def test_retention(self):
        """Of older releases than --keep says the images go; the live one and those that are held stay."""
        for text in ("two", "three", "four"):
            self.write(text)
            self.deploy("--keep", "2")
        self.assertEqual([row["present"] for row in self.history()], [False, True, True])
        self.assertEqual(len(self.client("ps", "-aq", "--filter", "label=dev.veneer.keep").split()), 2)
        refused = self.veneer(*self.arguments("rollback", "--to", "1"), cwd=self.project, code=4, PATH=self.host.path())
        self.assertIn("is not on the host any more", refused.stderr)
        self.json(*self.arguments("rollback", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("three")

    def test_killed(self):
        """The sender or the host's script dies at each point: the history tells the truth, the next deploy ends well."""
        for point in ("tagged", "restarted", "recorded"):
            with self.subTest(point):
                self.write(f"after {point}")
                killed = self.veneer(*self.arguments("deploy", "--settle", "2"), cwd=self.project, code=5, PATH=self.host.path(), VENEER_HOST_FAIL_POINT=point)
                self.assertIn("error:", killed.stderr)
                known = [row["outcome"] for row in self.history()]
                self.assertEqual(self.deploy()["outcome"], "well")
                self.assert_serves(f"after {point}")
                self.assertEqual([row["outcome"] for row in self.history()], [*known, "well"])

    def test_without_compose(self):
        """A container that somebody starts by a command of theirs."""
        self.client("run", "-d", "--name", "alone", "--network", "none", "--entrypoint", "/app/.venv/bin/python", self.live, "-m", "shop.serve")
        self.addCleanup(self.client, "rm", "-f", "alone")
        self.host.add_program("restart-alone", f"#!/bin/sh\ndocker rm -f alone && exec docker run -d --name alone --network none --entrypoint /app/.venv/bin/python {self.live} -m shop.serve\n")
        self.compose("rm", "-sf", "web", "worker")
        self.write("two")
        self.assertEqual(self.deploy("--restart-with", "restart-alone")["outcome"], "well")
        self.assertEqual(self.client("logs", "alone"), "serving two")
        self.write("three", crash="sys.exit(4)")
        self.assertEqual(self.deploy("--restart-with", "restart-alone", code=7)["outcome"], "back")
        self.assertEqual(self.client("logs", "alone"), "serving two")


class Docker20(Deploy, Corners, fixtures.SystemTest):
    engine = "docker20"


class Docker28Containerd(Deploy, fixtures.SystemTest):
    engine, front = "docker28-c8d", "plugin"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker28OldCompose(Deploy, Corners, fixtures.SystemTest):
        """docker-compose 1 cannot recreate containers on this engine; a deploy makes new ones."""

        engine = "docker28-c8d"


if __name__ == "__main__":
    fixtures.main()
