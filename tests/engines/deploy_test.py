#!/usr/bin/env python3
"""`veneer deploy`, `rollback` and `history`: three compose services of one image on a real engine behind a real sshd.

On Docker 20.10 and on 28 with the containerd store, with docker-compose as Debian has it.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import real_registry  # noqa: E402
from relay import Relay  # noqa: E402
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
    network_mode: host
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


# A service behind a proxy: each container has a socket of its own in a folder that the proxy looks at.
FRONT = """\
services:
  web:
    image: {image}
    network_mode: none
    user: "0"
    entrypoint: ["/app/.venv/bin/python", "-m", "shop.front"]
    volumes: ["front:/front"]
    healthcheck:
      test: ["CMD", "/app/.venv/bin/python", "-m", "shop.health"]
      interval: 1s
      retries: 2
    stop_grace_period: 2s
volumes:
  front:
"""
FRONT_SERVE = """\
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.socket(socket.AF_UNIX)
listener.bind("/front/" + socket.gethostname())
listener.listen(100)
while True:
    line, _ = listener.accept()
    line.sendall(b"{text}")
    line.close()
"""
# Counts the rounds in which nobody answered.
PROXY = """\
import glob, signal, socket, time
unanswered = rounds = 0
said, stop = [], []
def ask(path):
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(path)
        return line.recv(100).decode()
    except OSError:
        return ""
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
while not stop:
    answers = {ask(path) for path in glob.glob("/front/*")} - {""}
    unanswered += not answers
    rounds += 1
    said += sorted(answers - set(said))
    time.sleep(0.01)
print(unanswered, rounds, *said, flush=True)
"""


# What a service may have besides, as files say it.
LIMITS = """\
    mem_limit: 200m
    cpus: 0.5
    pids_limit: 100
    restart: "on-failure:3"
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    devices: ["/dev/null:/dev/nothing:rw"]
    dns: 10.0.0.1
    extra_hosts: ["db:10.0.0.2"]
    shm_size: 1m
    ulimits: {{nofile: {{soft: 100, hard: 200}}}}
    security_opt: ["no-new-privileges:true"]
    healthcheck: {{test: "true"}}
    hostname: shop
    init: true
    memswap_limit: 300m
    oom_score_adj: 100
    stdin_open: true
    stop_signal: SIGINT
    logging: {{driver: json-file, options: {{max-size: 1m}}}}
"""


class OnHost(fixtures.SystemTest):
    """A host with one engine; subclasses name it, and an instance of it that is theirs alone."""

    engine = ""
    instance = "deploy"
    compose_project = "plant"
    front = "docker-compose"  # version 1, a program of its own; "plugin" is version 2

    @classmethod
    def setUpClass(cls):
        cls.unit = f"{cls.engine}@{cls.instance}"
        cls.facts = start_engine(cls, cls.unit)

    def setUp(self):
        super().setUp()
        self.host = SshHost(self.folder / "host", {"docker": self.unit}, variables=(f"XDG_STATE_HOME={self.folder}/host/state",))
        self.addCleanup(self.host.close)
        if self.front == "docker-compose":
            self.host.add_program("docker-compose", f'#!/bin/sh\nDOCKER_HOST={self.facts["DOCKER_HOST"]} exec {shutil.which("docker-compose")} "$@"\n')
        # Of a registry that nobody answers for: what was fetched from there would not come.
        self.live = f"127.0.0.1:1/test/{self.id().rpartition('.')[2]}:live"
        self.project = self.small_project()
        self.write("one")
        self.veneer("build", cwd=self.project)
        self.veneer("ship", "ssh://plant", "--as", self.live, cwd=self.project, PATH=self.host.path())
        self.client("tag", self.live, "other:1")
        self.compose_folder = self.folder / "the site's 100%"
        self.compose_folder.mkdir()
        (self.compose_folder / "compose.yaml").write_text(COMPOSE.format(image=self.live, other="other:1"))
        self.compose("up", "-d")
        self.addCleanup(self.compose, "down", "-t", "1")

    def client(self, *words: str, check: bool = True) -> str:
        return subprocess.run([str(self.host.programs / "docker"), *words], check=check, capture_output=True, text=True, cwd="/tmp").stdout.strip()

    def compose(self, *words: str) -> str:
        program = [self.host.programs / "docker", "compose"] if self.front == "plugin" else [self.host.programs / "docker-compose"]
        return subprocess.run([*program, "-f", self.compose_folder / "compose.yaml", "-p", self.compose_project, *words], check=True, capture_output=True,
                              text=True, cwd=self.compose_folder).stdout

    def write(self, text: str, crash: str = "", healthy: bool = True) -> None:
        package = self.project / "src" / "shop"
        (package / "serve.py").write_text(SERVE.format(text=text, crash=crash) + f"# {self.id()}\n")  # no image is that of another test
        (package / "health.py").write_text("" if healthy else "raise SystemExit(1)\n")
        fixtures.commit_all(self.project, f"Serve {text}")

    def arguments(self, command: str, *words: str) -> list[str]:
        return [command, "ssh://plant", "--as", self.live, *words]

    def deploy(self, *words: str, code: int = 0, **environment) -> dict:
        result = self.veneer(*self.arguments("deploy", "--settle", "2", "--json", *words), cwd=self.project, code=code, PATH=self.host.path(), **environment)
        return json.loads(result.stdout)["hosts"][0] if result.stdout else {"error": result.stderr}

    def history(self) -> list[dict]:
        return self.json(*self.arguments("history", "--json"), cwd=self.project, PATH=self.host.path())["releases"]

    def of_service(self, service: str) -> str:
        """Its containers. Asked of the engine: docker-compose 1 takes thirty times as long to say the same."""
        labels = {"project": self.compose_project, "service": service, "oneoff": "False"}
        return self.client("ps", "-aq", "--no-trunc", *(word for name, value in labels.items() for word in ("--filter", f"label=com.docker.compose.{name}={value}")))

    def serving(self) -> dict[str, str]:
        """What each service said first."""
        return {service: self.client("logs", self.of_service(service)).partition("\n")[0] for service in ("web", "worker")}

    def assert_serves(self, text: str) -> None:
        self.assertEqual(self.serving(), {"web": f"serving {text}", "worker": f"serving {text}"})
        live = self.client("image", "inspect", "--format", "{{.Id}}", self.live)
        for service in ("web", "worker"):
            self.assertEqual(self.client("inspect", "--format", "{{.Image}} {{.State.Running}}", self.of_service(service)), f"{live} true")

    def start(self, project: str, text: str) -> Path:
        """Another compose project; its file."""
        folder = self.folder / "sites" / project
        folder.mkdir(parents=True)
        (folder / "compose.yaml").write_text(text)
        before = self.compose_folder, self.compose_project
        self.compose_folder, self.compose_project = folder, project
        self.compose("up", "-d")
        self.addCleanup(self.stop, folder, project)
        self.compose_folder, self.compose_project = before
        return folder / "compose.yaml"

    def stop(self, folder: Path, project: str) -> None:
        for container in self.client("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split():
            self.client("rm", "-f", container)

    def container(self, project: str, form: str = "{{.Image}} {{.State.Running}}") -> str:
        [container] = self.client("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split()
        return self.client("inspect", "--format", form, container)


class Deploy:
    """Mixed in beside OnHost: releases that are well, and those that are not."""

    def deploy_over_a_line(self) -> dict:
        """One connection, few round trips, and each script once."""
        relay = Relay(("127.0.0.1", self.host.port), round_trip=0.2)
        self.addCleanup(relay.close)
        try:
            self.host.connect_through(relay.port)
            subprocess.run(["ssh", "plant", "true"], check=True, capture_output=True, env=self.environment(PATH=self.host.path()))
            connecting, set_up = relay.round_trips, relay.up
            relay.reset()
            relay.connections = 0
            deployed = self.deploy()
        finally:
            self.host.connect_through(self.host.port)
        print(f"{self.engine}: {relay.up - set_up} B up, {relay.round_trips - connecting} round trips, {deployed['round_trips']} questions")
        self.assertEqual(relay.connections, 1)
        self.assertLessEqual(relay.round_trips - connecting, 6)
        self.assertLessEqual(relay.up - set_up - deployed["bytes_sent"], 25_000)
        return deployed

    def test_releases(self):
        """An edit is live, the next one too; back to the first, after a prune job; the other service is let alone."""
        other = self.of_service("other")
        self.write("two")
        dry = self.veneer(*self.arguments("deploy", "--dry-run", "--json"), cwd=self.project, PATH=self.host.path())
        self.assertLess(json.loads(dry.stdout)["bytes"], 100_000)
        self.assert_serves("one")
        second = self.deploy()
        self.assertEqual((second["outcome"], second["revision"]), ("well", 2))
        self.assertLess(second["bytes_sent"], 100_000)
        self.assert_serves("two")
        self.write("three")
        third = self.deploy_over_a_line()
        self.assert_serves("three")
        self.assertEqual(self.of_service("other"), other)

        pruned = self.client("image", "prune", "-af")
        self.assertNotIn(third["unique_name"], pruned)
        back = self.json(*self.arguments("rollback", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assertEqual((back["outcome"], back["from"]), ("well", 2))
        self.assert_serves("two")
        self.json(*self.arguments("rollback", "--to", "3", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("three")

        releases = self.history()
        self.assertEqual([(row["revision"], row["kind"], row["outcome"], row["present"]) for row in releases],
                         [(1, "found", "well", True), (2, "deploy", "well", True), (3, "deploy", "well", True), (4, "rollback", "well", True),
                          (5, "rollback", "well", True)])
        self.assertEqual(releases[1]["commit"], fixtures.git(self.project, "rev-parse", "HEAD~1").strip()[:12])
        self.assertTrue(releases[4]["live"])

        # What ran before anybody deployed is a release too.
        self.json(*self.arguments("rollback", "--to", "1", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("one")
        # Before it there is none, and nothing leads forward but a number.
        refused = self.veneer(*self.arguments("rollback"), cwd=self.project, code=4, PATH=self.host.path())
        self.assertIn("no release before the one that serves", refused.stderr)
        self.assert_serves("one")
        self.json(*self.arguments("rollback", "--to", "3", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("three")

        # An image that somebody removed: said beforehand, and nothing changes.
        self.client("rm", *self.client("ps", "-aq", "--filter", "label=dev.veneer.keep").split())
        self.client("rmi", "-f", second["unique_name"])
        refused = self.veneer(*self.arguments("rollback", "--to", "2"), cwd=self.project, code=4, PATH=self.host.path())
        self.assertIn("is not on the host any more", refused.stderr)
        self.assert_serves("three")


class BadReleases:
    """Mixed in beside OnHost: what makes a release bad, and that the old one comes back."""

    def test_bad_releases(self):
        """A release that crashes, one that never turns healthy, one whose command before it fails: the old one serves."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        for title, change, words, why in [
            ("crash", {"crash": "sys.exit('no database')"}, (), "no database"),
            ("port", {"crash": f"import socket; socket.create_server(('127.0.0.1', {taken.getsockname()[1]}))"}, ("--service", "worker"), "in use"),
            ("sick", {"healthy": False}, ("--wait", "20"), "unhealthy"),
            ("migration", {}, ("--before", "echo \"it's 50%\" | grep -q migrated || exit 3"), "command before it failed"),
            ("afterwards", {}, ("--after", "exit 3", "--service", "worker"), "command after it failed"),
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
        self.assertEqual(self.deploy("--before", "test \"it's 100%\" = 'it'\\''s 100%'", "--after", "test $HOME; true")["outcome"], "well")
        self.assert_serves("good")
        # The same image again has nothing to go back to.
        again = self.deploy("--probe", "http://127.0.0.1:1/", "--wait", "4", code=1)
        self.assertEqual(again["outcome"], "failed")
        self.assertIn("does not answer", again["why"])


class Verdicts:
    """Mixed in beside OnHost: whose containers count, and what is held against them. tests/host has more of each kind."""

    def test_names_that_end_alike(self):
        """shop is not webshop, and `image: shop` is docker.io/library/shop:latest."""
        service = ('services:\n  web:\n    image: {}\n    network_mode: none\n    stop_grace_period: 1s\n'
                   '    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "web"]\n')
        self.client("tag", self.live, "webshop:latest")
        self.start("webshop", service.format("webshop"))
        self.write("two")
        self.veneer("deploy", "ssh://plant", "--as", "shop", cwd=self.project, code=3, PATH=self.host.path())  # nothing of it runs
        self.veneer("ship", "ssh://plant", "--as", "shop", cwd=self.project, PATH=self.host.path())
        self.start("shop", service.format("shop"))
        webshop = self.container("webshop")
        shop = self.container("shop", "{{.Image}}")
        self.assertNotIn(shop, webshop)
        for title, crash, code in (("three", "", 0), ("bad", "sys.exit('no database')", 7)):
            self.write(title, crash=crash)
            result = self.veneer("deploy", "ssh://plant", "--as", "shop", "--settle", "2", "--json", cwd=self.project, code=code, PATH=self.host.path())
            outcome = json.loads(result.stdout)["hosts"][0]["outcome"]
            self.assertEqual(outcome, "back" if code else "well")
            self.assertEqual(self.container("webshop"), webshop)
            live = self.client("image", "inspect", "--format", "{{.Id}}", "shop")
            self.assertEqual(self.container("shop"), f"{live} true")
            self.assertNotIn(live, (shop, webshop.split()[0]))

    def test_one_container_in_networks(self):
        """`--container`: aliases, addresses and MAC of every network; one that shares its network is refused."""
        networks = {"veneer-front": "10.213.1", "veneer-back": "10.213.2"}
        for network, prefix in networks.items():
            self.client("network", "create", "--subnet", prefix + ".0/24", network)
            self.addCleanup(self.client, "network", "rm", network, check=False)
        run = ("run", "-d", "--entrypoint", "/app/.venv/bin/python", "--stop-timeout", "1")
        given = ("-m", "shop.serve", "given")
        self.client("tag", self.live, "wired:1")
        self.client(*run, "--name", "wired", "--network", "veneer-front", "--ip", "10.213.1.77", "--network-alias", "store", "--mac-address", "02:42:00:00:00:77",
                    "wired:1", *given)
        self.addCleanup(self.client, "rm", "-f", "wired", "wired-veneer-old", "beside", check=False)
        self.client("network", "connect", "--ip", "10.213.2.77", "--alias", "shelf", "veneer-back", "wired")

        def settings() -> dict:
            shown = json.loads(self.client("inspect", "wired"))[0]
            ends = shown["NetworkSettings"]["Networks"]
            return {network: (end["IPAddress"], [alias for alias in end["Aliases"] or [] if not shown["Id"].startswith(alias)],
                              end["MacAddress"] if network == "veneer-front" else "") for network, end in ends.items()}

        before = settings()
        self.assertEqual(before["veneer-front"][2], "02:42:00:00:00:77")
        self.write("two")
        self.veneer("deploy", "ssh://plant", "--as", "wired:1", "--settle", "1", "--container", "wired", cwd=self.project, PATH=self.host.path())
        self.assertEqual(self.client("logs", "wired"), "serving two")
        self.assertEqual(settings(), before)
        self.client(*run, "--name", "beside", "--network", "container:wired", "wired:1", *given)
        self.write("three")
        refused = self.veneer("deploy", "ssh://plant", "--as", "wired:1", "--container", "wired", cwd=self.project, code=3, PATH=self.host.path())
        self.assertIn("the container beside uses its network", refused.stderr)
        self.assertEqual(self.client("logs", "wired"), "serving two")

    def test_health_command_with_a_line_end(self):
        """What fails as it stands is not taken for healthy, though its words apart would succeed."""
        compose = self.compose_folder / "compose.yaml"
        command = '["CMD", "/app/.venv/bin/python", "-c", "import sys\\nsys.exit(1)", ""]'
        text = compose.read_text().replace('["CMD", "/app/.venv/bin/python", "-m", "shop.health"]', command)
        compose.write_text(text.replace("interval: 1s", "interval: 600s"))
        self.write("two")
        result = self.deploy("--service", "web", "--wait", "4", code=1)
        self.assertIn("not healthy yet", result["why"])
        compose.write_text(text.replace("interval: 1s", "interval: 600s").replace("sys.exit(1)", "sys.exit(0)"))
        self.assertEqual(self.deploy("--service", "web")["outcome"], "well")


class Given:
    """Mixed in beside OnHost: what services have against what they would get, and how their engine counts restarts."""

    def test_restarted_long_ago(self):
        """A container that was restarted once before is not held against a deploy of what runs already."""
        compose = self.compose_folder / "compose.yaml"
        once = '"/bin/sh", "-c", "[ -e /tmp/once ] || { touch /tmp/once; exit 1; }; exec /app/.venv/bin/python -m shop.serve worker"'
        compose.write_text(compose.read_text().replace('"/app/.venv/bin/python", "-m", "shop.serve", "worker"', once).replace("    network_mode: host\n", '    network_mode: host\n    restart: "on-failure"\n'))
        self.compose("up", "-d")
        worker = self.of_service("worker")
        for _ in range(100):
            if self.client("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", worker) == "1 running":
                break
            time.sleep(0.1)
        else:
            self.fail("the worker was not restarted")
        self.assertEqual(self.deploy()["outcome"], "well")
        self.assertEqual(self.client("inspect", "--format", "{{.RestartCount}}", worker), "1")

    def test_what_the_services_were_given(self):
        """Variables of a file, a number of containers and profiles stay; what would be lost is refused by its name."""
        service = ('    image: {0}\n    network_mode: none\n    stop_grace_period: 0s\n'
                   '    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "web"]\n')
        self.client("tag", self.live, "given:1")
        folder = self.folder / "sites" / "given"
        folder.mkdir(parents=True)
        text = ("services:\n  one:\n" + service + "    environment:\n      TOKEN: ${{TOKEN}}\n      MONEY: 5$$\n    volumes: [kept:/kept]\n"
                + LIMITS + "  two:\n" + service + "    profiles: [night]\n  never:\n" + service + "    profiles: [day]\nvolumes:\n  kept:\n").format("given:1")
        (folder / "compose.yaml").write_text(text)
        (folder / "prod.env").write_text("TOKEN=unspeakable\n")
        before = self.compose_folder, self.compose_project
        self.compose_folder, self.compose_project = folder, "given"
        self.addCleanup(self.stop, folder, "given")
        self.compose("--env-file", str(folder / "prod.env"), "--profile", "night", "up", "-d", "--scale", "one=2", "one", "two")
        self.compose_folder, self.compose_project = before

        def deploy(*words: str, code: int = 0):
            result = self.veneer("deploy", "ssh://plant", "--as", "given:1", "--settle", "1", *words, cwd=self.project, code=code, PATH=self.host.path())
            self.assertNotIn("unspeakable", result.stdout + result.stderr)
            return result

        def running() -> list[str]:
            ids = self.client("ps", "-q", "--filter", "label=com.docker.compose.project=given").split()
            live = self.client("image", "inspect", "--format", "{{.Id}}", "given:1")
            shown = json.loads(self.client("inspect", *ids))
            return sorted((container["Config"]["Labels"]["com.docker.compose.service"], container["Image"] == live, "TOKEN=unspeakable" in container["Config"]["Env"])
                          for container in shown)

        all_well = [("one", True, True), ("one", True, True), ("two", True, False)]
        self.assertEqual(running(), all_well)
        self.write("two")
        result = deploy("--json")
        notes = json.loads(result.stdout)["hosts"][0].get("notes", [])
        self.assertEqual(notes, [])
        self.assertEqual(running(), all_well)
        self.veneer("rollback", "ssh://plant", "--as", "given:1", cwd=self.project, PATH=self.host.path())
        self.assertEqual(running(), all_well)

        (folder / "prod.env").write_text("OTHER=1\n")
        for line in ("volumes: [kept:/kept]", "mem_limit: 200m", "memswap_limit: 300m", "hostname: shop", "init: true"):
            text = text.replace(f"    {line}\n", "")
        (folder / "compose.yaml").write_text(text.replace("MONEY", "CASH"))
        self.write("three")
        for words in ((), ("--dry-run",)):
            result = deploy(*words, code=3)
            for word in ("one: the variable TOKEN becomes empty", "one: the variable MONEY goes", "one: the volume at /kept goes", "one: the memory limit goes",
                         "one: the host name goes", "one: the init process goes", "--accept-changes"):
                self.assertIn(word, result.stderr)
            self.assertEqual(running(), all_well)
        result = deploy("--accept-changes", "--json")
        self.assertIn("one: the variable CASH is new", result.stdout)
        self.assertRegex(result.stdout, "note|TOKEN.*not set")
        self.assertEqual(running(), [("one", True, False), ("one", True, False), ("two", True, False)])


class Moments:
    """Mixed in beside OnHost: what ends, listens, dies or was left behind, and the verdict on it."""

    def test_ports(self):
        """A service without a health check is waited for on the port on which the one before it listened."""
        ports = []
        for _ in range(2):
            with socket.create_server(("127.0.0.1", 0)) as taken:
                ports.append(taken.getsockname()[1])
        # Low ones, since nobody waits for what the kernel gives to whoever asks.
        own, shared = 8000 + ports[0] % 1000, 9000 + ports[1] % 1000
        listen = f"import socket\nlistener = socket.create_server(('127.0.0.1', {own} if sys.argv[1] == 'web' else {shared}))"
        compose = self.compose_folder / "compose.yaml"
        text = compose.read_text()
        begin, end = text.index("    healthcheck:"), text.index("    stop_grace_period")
        text = text[:begin] + text[end:]
        compose.write_text(text.replace("stop_grace_period: 1s", "stop_grace_period: 6s", 1))
        self.write("listening", crash=listen)
        first = self.deploy()  # the one before it listened nowhere
        compose.write_text(text)
        self.assertEqual(first["outcome"], "well")
        self.assertIn("web took its whole grace time to stop", " ".join(first["notes"]))
        self.assertIn("init: true", " ".join(first["notes"]))
        # Another process has the port in the machine's own network: that is not its own.
        for title, crash, service, port in (("deaf", "", "web", own), ("half deaf", listen.replace(str(shared), "0"), "worker", shared)):
            with self.subTest(title):
                self.write(title, crash=crash)
                result = self.deploy("--service", service, "--wait", "6", code=7)
                self.assertEqual(result["outcome"], "back")
                self.assertIn(f"{service} does not listen on port {port}", result["why"])
                self.assert_serves("listening")
        self.write("deaf on purpose")
        result = self.deploy("--no-port-wait")
        self.assertEqual(result["outcome"], "well")
        self.assertIn("no ports were waited for (--no-port-wait)", result["notes"])
        self.assert_serves("deaf on purpose")

    def test_one_shot(self):
        """A service that ends with 0, as the one before it did, is well; one that does not end so is not."""
        compose = self.compose_folder / "compose.yaml"
        once = (f'  migrate:\n    image: {self.live}\n    network_mode: none\n    restart: "{{}}"\n'
                '    entrypoint: ["/app/.venv/bin/python", "-m", "shop.migrate"]\n')
        text = compose.read_text()
        (self.project / "src" / "shop" / "migrate.py").write_text("")
        self.write("migrated")
        self.deploy()
        for restart in ("no", "on-failure"):
            with self.subTest(restart):
                compose.write_text(text.replace("  other:\n", once.format(restart) + "  other:\n"))
                self.compose("up", "-d")
                time.sleep(1)
                self.write(f"after {restart}")
                self.assertEqual(self.deploy()["outcome"], "well")
                self.assert_serves(f"after {restart}")
        (self.project / "src" / "shop" / "migrate.py").write_text("raise SystemExit(3)\n")
        self.write("not migrated")
        result = self.deploy(code=7)
        self.assertRegex(result["why"], "migrate ended")
        self.assertEqual(result["outcome"], "back")
        self.assert_serves("after on-failure")

    def test_engine_dies(self):
        """The engine is killed while services restart and comes again later: what is said is what is there."""
        self.write("two")
        self.assertEqual(self.deploy()["outcome"], "well")
        name = "docker-compose" if self.front == "docker-compose" else "docker"
        program = self.host.programs / name
        mark = self.folder / "died"
        engines = f"{fixtures.SOURCE}/tests/support/engines"
        script = program.read_text()
        self.host.add_program("compose-itself", script)
        self.host.add_program(name, f"""#!/bin/sh
case " $* " in *" up -d "*)
  if mkdir {mark} 2>/dev/null; then
    {engines} kill {self.unit} >/dev/null 2>&1
    (sleep 3; exec {engines} start {self.unit}) >/dev/null 2>&1 </dev/null &
    echo 'Cannot connect to the Docker daemon' >&2
    exit 1
  fi ;;
esac
exec {self.host.programs}/compose-itself "$@"
""")
        self.write("three")
        result = self.deploy(code=7)
        self.assertTrue(mark.exists())
        self.assertEqual((result["outcome"], self.history()[-1]["outcome"]), ("back", "back"))
        self.assertIn("engine", result["timeline"])
        self.assert_serves("two")
        self.host.add_program(name, script)
        self.assertEqual(self.deploy()["outcome"], "well")
        self.assert_serves("three")

    def test_start_first_that_was_killed(self):
        """Its new containers are left beside the old ones: the way back is to what was well, and ends with that alone."""
        compose = self.compose_folder / "compose.yaml"
        compose.write_text(FRONT.format(image=self.live).replace("shop.front", "shop.serve"))
        self.compose("up", "-d", "--remove-orphans")
        self.write("two")
        self.veneer(*self.arguments("deploy", "--strategy", "start-first"), cwd=self.project, code=5, PATH=self.host.path(), VENEER_HOST_FAIL_POINT="restarted")
        self.write("sick", healthy=False)
        for strategy in ("start-first", "stop-first"):
            with self.subTest(strategy):
                result = self.deploy("--strategy", strategy, "--wait", "20", code=7)
                self.assertEqual(result["outcome"], "back")
                live = self.client("image", "inspect", "--format", "{{.Id}}", self.live)
                running = [self.client("inspect", "--format", "{{.Image}}", container) for container in self.of_service("web").split()]
                self.assertEqual(running, [live])
                self.assertEqual(self.client("logs", self.of_service("web")).partition("\n")[0], "serving one")


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
        compose.write_text(text.replace("    network_mode: none\n", "    network_mode: none\n    pull_policy: always\n", 1))
        result = self.veneer(*self.arguments("deploy", "--service", "web"), cwd=self.project, code=3, PATH=self.host.path())
        self.assertRegex(result.stderr, "pull_policy: always|cannot be read")  # docker-compose 1 does not know it
        compose.write_text(text)
        result = self.veneer("deploy", "ssh://plant", "--as", "unknown:live", cwd=self.project, code=3, PATH=self.host.path())
        self.assertIn("no container of a compose project", result.stderr)
        self.assertIn("nothing was deployed", self.veneer("history", "ssh://plant", "--as", "unknown:live", cwd=self.project, PATH=self.host.path()).stdout)

    def test_retention(self):
        """Of older releases than --keep says the images go; the live one and those that are held stay."""
        for text in ("two", "three", "four"):
            self.write(text)
            if text == "four":
                (self.project / "notes").write_text("not in any commit")
            self.deploy("--keep", "2", "--compose", str(self.compose_folder / "compose.yaml"))
        # Of the first there is a container, that of the service `other`.
        self.assertEqual([row["present"] for row in self.history()], [True, False, True, True])
        self.assertEqual([row["commit"].endswith("-dirty") for row in self.history()], [False, False, False, True])
        self.assertRegex(self.history()[-1]["who"], r"^\w+@[^@]+$")
        # Another account of this engine is refused by name, and told whose it is.
        other = SshHost(self.folder / "other", {"docker": self.unit}, variables=(f"XDG_STATE_HOME={self.folder}/other/state",))
        self.addCleanup(other.close)
        refused = self.veneer(*self.arguments("history"), cwd=self.project, code=3, PATH=other.path())
        self.assertIn(f"has its releases in {self.folder}/host/state/veneer", refused.stderr)
        group = hashlib.sha256(self.live.encode()).hexdigest()[:12]
        self.assertEqual(len(self.client("ps", "-aq", "--filter", f"label=dev.veneer.keep={group}").split()), 3)
        refused = self.veneer(*self.arguments("rollback", "--to", "2"), cwd=self.project, code=4, PATH=self.host.path())
        self.assertIn("is not on the host any more", refused.stderr)
        self.json(*self.arguments("rollback", "--settle", "2", "--json"), cwd=self.project, PATH=self.host.path())
        self.assert_serves("three")

    def proxied(self, *words: str, code: int = 0) -> tuple[int, list[str], dict]:
        """A deploy with a proxy that asks all the time: how often nobody answered, and what was answered."""
        self.client("run", "-d", "--name", "proxy", "--network", "none", "--user", "0", "-v", "plant_front:/front", "--entrypoint", "/app/.venv/bin/python",
                    self.live, "-c", PROXY)
        result = self.deploy(*words, code=code)
        self.client("stop", "proxy")
        unanswered, _, *said = self.client("logs", "proxy").split()
        self.client("rm", "proxy")
        return int(unanswered), said, result

    def test_start_first(self):
        """Behind a proxy somebody answers all the time; where a second container cannot start, that is said."""
        refused = self.veneer(*self.arguments("deploy", "--strategy", "later"), cwd=self.project, code=2, PATH=self.host.path())
        self.assertIn("stop-first or start-first", refused.stderr)
        compose = self.compose_folder / "compose.yaml"
        text = compose.read_text()
        for line in ("container_name: only", "ports: ['8099:80']", "ports: [{target: 80, published: 8099}]"):
            compose.write_text(text.replace("    network_mode: none\n", f"    {line}\n", 1))
            refused = self.veneer(*self.arguments("deploy", "--strategy", "start-first"), cwd=self.project, code=3, PATH=self.host.path())
            self.assertIn("start beside", refused.stderr)
        compose.write_text(text)
        self.compose("down", "-t", "1")

        def front(text: str) -> None:
            (self.project / "src" / "shop" / "front.py").write_text(FRONT_SERVE.format(text=text))
            fixtures.commit_all(self.project, f"Answer {text}")

        front("one")
        self.veneer("build", cwd=self.project)
        self.veneer("ship", "ssh://plant", "--as", self.live, cwd=self.project, PATH=self.host.path())
        compose.write_text(FRONT.format(image=self.live))
        self.compose("up", "-d")
        front("two")
        unanswered, said, _ = self.proxied()
        self.assertGreater(unanswered, 0)
        print(f"{self.engine}: {unanswered} rounds of 10 ms without an answer when the old container stops first")
        self.assertEqual(said, ["one", "two"])
        front("three")
        unanswered, said, result = self.proxied("--strategy", "start-first")
        self.assertEqual((unanswered, said), (0, ["two", "three"]))
        self.assertIn("stop", result["timeline"])
        self.assertEqual(len(self.of_service("web").split()), 1)
        # One that is not well goes again, and the old one has answered all the time.
        (self.project / "src" / "shop" / "health.py").write_text("raise SystemExit(1)\n")
        front("four")
        unanswered, said, result = self.proxied("--strategy", "start-first", "--wait", "20", code=7)
        self.assertEqual((unanswered, result["outcome"]), (0, "back"))
        self.assertEqual(len(self.of_service("web").split()), 1)
        unanswered, said, _ = self.proxied("--before", "exit 3", "--strategy", "start-first", code=7)
        self.assertEqual((unanswered, said), (0, ["three"]))
        # Nobody's deploy fetches an image or leaves a container.
        self.assertEqual(self.client("ps", "-aq", "--filter", "status=exited"), "")

    def test_one_container(self):
        """A container that somebody started by `docker run`: the next image in it, with all that it was given."""
        self.compose("rm", "-sf", "web", "worker")
        self.client("run", "-d", "--name", "alone", "--network", "none", "--env", "PLACE=it's \"here\"", "--label", "site=plant", "--restart", "on-failure:3",
                    "--volume", "/data", "--volume", "named:/named:ro", "--memory", "200m", "--hostname", "shop", "--user", "0", "--stop-timeout", "1", "--health-interval", "1s",
                    "--health-cmd", "test -e /data", "--entrypoint", "/app/.venv/bin/python", self.live, "-m", "shop.serve", "given")
        self.addCleanup(self.client, "rm", "-f", "alone", "alone-veneer-old", check=False)

        def settings() -> dict:
            shown = json.loads(self.client("inspect", "alone"))[0]
            config, host = shown["Config"], shown["HostConfig"]
            return {"env": [value for value in config["Env"] if value.startswith("PLACE")], "site": config["Labels"]["site"], "memory": host["Memory"],
                    "restart": host["RestartPolicy"], "hostname": config["Hostname"], "user": config["User"], "command": config["Cmd"],
                    "health": config["Healthcheck"], "mounts": sorted((mount["Name"], mount["Destination"], mount["RW"]) for mount in shown["Mounts"])}

        given = settings()
        self.client("exec", "alone", "touch", "/data/kept")
        self.write("two")
        self.assertEqual(self.deploy("--container", "alone")["outcome"], "well")
        self.assertEqual(self.client("logs", "alone"), "serving two")
        self.assertEqual(settings(), given)
        self.client("exec", "alone", "test", "-e", "/data/kept")
        label = self.client("inspect", "--format", '{{index .Config.Labels "org.opencontainers.image.revision"}}', "alone")
        self.assertEqual(label, fixtures.git(self.project, "rev-parse", "HEAD").strip())
        self.write("three", crash="sys.exit(4)")
        self.assertEqual(self.deploy("--container", "alone", code=7)["outcome"], "back")
        self.assertEqual(self.client("logs", "--tail", "1", "alone"), "serving two")
        self.assertEqual(settings(), given)
        self.json(*self.arguments("rollback", "--container", "alone", "--json"), cwd=self.project, PATH=self.host.path())
        self.assertEqual(self.client("logs", "--tail", "1", "alone"), "serving one")
        # The host's script dies between the two: the next deploy ends well.
        self.write("four")
        self.veneer(*self.arguments("deploy", "--container", "alone"), cwd=self.project, code=5, PATH=self.host.path(), VENEER_HOST_FAIL_POINT="restarted")
        self.assertEqual(self.deploy("--container", "alone")["outcome"], "well")
        self.assertEqual(settings(), given)
        self.assertEqual(self.client("ps", "-a", "--filter", "name=alone", "--format", "{{.Names}}"), "alone")
        refused = self.veneer(*self.arguments("deploy", "--container", "nobody"), cwd=self.project, code=3, PATH=self.host.path())
        self.assertIn("there is no container nobody", refused.stderr)

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


class Killed:
    """Mixed in beside OnHost: the script is killed at each of its points. accident_test.py has some of them by default."""

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
        # The sender: what it began goes on, and the next deploy waits for its end.
        for point in ("deploy.prepare", "deploy.restart", "deploy.health"):
            with self.subTest(point):
                self.write(f"after {point}")
                known = len(self.history())
                killed = self.veneer(*self.arguments("deploy", "--settle", "2"), cwd=self.project, code=None, PATH=self.host.path(), VENEER_FAIL_POINT=point)
                self.assertEqual(killed.returncode, -signal.SIGKILL)
                self.assertEqual(self.deploy()["outcome"], "well")
                self.assert_serves(f"after {point}")
                self.assertEqual([row["outcome"] for row in self.history()][known:], ["well"] if point == "deploy.prepare" else ["well", "well"])


class Fleet(fixtures.SystemTest):
    """Eight hosts in five states, by one command."""

    RUNNING = ("docker20", "docker20", "docker28-c8d")  # hosts on which the service runs: one, two, three

    def start(self, alias: str, engine: str | None) -> SshHost:
        programs = {}
        if engine:
            unit = f"{engine}@fleet-{alias}"
            facts = start_engine(type(self), unit)
            programs = {"docker": unit}
        host = SshHost(self.folder / alias, programs, variables=(f"XDG_STATE_HOME={self.folder}/{alias}/state",), alias=alias)
        self.addCleanup(host.close)
        if engine:
            host.add_program("docker-compose", f'#!/bin/sh\nDOCKER_HOST={facts["DOCKER_HOST"]} exec {shutil.which("docker-compose")} "$@"\n')
        return host

    def docker(self, alias: str, *words: str) -> str:
        return subprocess.run([str(self.folder / alias / "remote-bin" / "docker"), *words], check=True, capture_output=True, text=True,
                              cwd="/tmp").stdout.strip()

    def serving(self, alias: str) -> str:
        return self.docker(alias, "logs", self.docker(alias, "ps", "-q", "--filter", "label=com.docker.compose.service=web"))

    def write(self, text: str, crash: str = "") -> None:
        (self.project / "src" / "shop" / "serve.py").write_text(SERVE.format(text=text, crash=crash))
        fixtures.commit_all(self.project, f"Serve {text}")

    def deploy(self, *words: str, code: int) -> tuple[dict, str]:
        result = self.veneer("deploy", "--as", "shop:live", "--settle", "2", "--json", *words, cwd=self.project, code=code, PATH=self.path)
        return {row["host"].removeprefix("ssh://"): row for row in json.loads(result.stdout)["hosts"]}, result.stderr

    def test_eight_hosts(self):
        self.project = self.small_project()
        self.write("one")
        self.veneer("build", cwd=self.project)
        running = ("one", "two", "three")
        hosts = [self.start(alias, engine) for alias, engine in zip(running, self.RUNNING, strict=True)]
        hosts += [self.start("four", "docker20"), self.start("five", None), self.start("six", None)]
        self.path = hosts[0].path(*hosts[1:])
        config = self.folder / "one" / "ssh_config"
        config.write_text(config.read_text() + "".join(f"Host {alias}\n  HostName 127.0.0.1\n  Port 1\n\n" for alias in ("seven", "eight")))
        compose = self.folder / "compose.yaml"
        compose.write_text("services:\n  web:\n    image: shop:live\n    network_mode: none\n    stop_grace_period: 1s\n"
                           '    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve"]\n')
        for alias in running:
            self.veneer("ship", f"ssh://{alias}", "--as", "shop:live", cwd=self.project, PATH=self.path)
            up = [str(self.folder / alias / "remote-bin" / "docker-compose"), "-f", str(compose), "-p", "site", "up", "-d"]
            subprocess.run(up, check=True, capture_output=True)
        # One has the new image already, one has nothing, one has no service, two have no engine, two are not there.
        self.write("two")
        self.veneer("build", cwd=self.project)
        self.veneer("ship", "ssh://two", "--as", "shop:next", cwd=self.project, PATH=self.path)
        sites = self.folder / "sites.txt"
        sites.write_text("# all of them\nssh://eight\nssh://five\nssh://one   # the canary that counts\n\n"
                         + "".join(f"ssh://{alias}\n" for alias in ("two", "three", "four", "six", "seven")))
        plans = json.loads(self.veneer("deploy", "--as", "shop:live", "--hosts", sites, "--dry-run", "--json", cwd=self.project, code=5,
                                       PATH=self.path).stdout)["hosts"]
        self.assertEqual({row["host"].removeprefix("ssh://") for row in plans}, {"one", "two", "three", "four"})
        rows, errors = self.deploy("--hosts", str(sites), "--canary", "1", "--parallel", "3", code=5)
        self.assertEqual({alias: row["state"] for alias, row in rows.items()},
                         {"one": "well", "two": "well", "three": "well", "four": "untouched", "five": "untouched", "six": "untouched",
                          "seven": "untouched", "eight": "untouched"})
        self.assertIn("eight", errors)
        self.assertEqual(rows["two"]["bytes_sent"], 0)
        for alias in ("one", "three"):
            self.assertLess(rows[alias]["bytes_sent"], 100_000)
        self.assertGreater(rows["four"]["bytes_sent"], 1_000_000)
        self.assertIn("no container of a compose project", rows["four"]["error"])
        self.assertIn("has no engine for this user", rows["five"]["error"])
        for alias in running:
            self.assertIn("serving two", self.serving(alias))

        # A release that is not well on the canary is brought to no other; what nobody allowed to cost is sent to none.
        self.write("bad", crash="sys.exit('no database')")
        rows, _ = self.deploy("ssh://three", "ssh://one", "ssh://two", "--canary", "1", "--parallel", "2", code=7)
        self.assertEqual({alias: row["state"] for alias, row in rows.items()}, {"three": "back", "one": "not begun", "two": "not begun"})
        for alias in running:
            self.assertIn("serving two", self.serving(alias))
        refused = self.veneer("deploy", "--as", "shop:live", "ssh://one", "ssh://two", "--max-bytes", "1kB", cwd=self.project, code=10, PATH=self.path)
        self.assertIn("nothing was sent to any host", refused.stderr)

        # Killed in the middle, each host is old or new, and the next deploy ends well everywhere.
        self.write("three")
        killed = self.veneer("deploy", "--as", "shop:live", "--settle", "2", "ssh://one", "ssh://two", "ssh://three", "--parallel", "3",
                             cwd=self.project, code=None, PATH=self.path, VENEER_FAIL_POINT="ship.sending")
        self.assertLess(killed.returncode, 0)
        for alias in running:
            self.assertIn("serving two", self.serving(alias))
        events = self.veneer("deploy", "--as", "shop:live", "--settle", "2", "ssh://one", "ssh://two", "ssh://three", "--parallel", "3", "--events",
                             cwd=self.project, PATH=self.path).stdout.splitlines()
        told = [json.loads(line) for line in events]
        self.assertEqual(sum(event["event"] == "planned" for event in told), 3)
        self.assertEqual({event["host"] for event in told if event["event"] == "finished" and event["outcome"] == "well"},
                         {f"ssh://{alias}" for alias in running})
        self.assertEqual((told[-1]["event"], told[-1]["not_begun"]), ("end", 0))
        for alias in running:
            self.assertIn("serving three", self.serving(alias))
        table = self.veneer("deploy", "--as", "shop:live", "--settle", "1", "ssh://one", "ssh://two", cwd=self.project, PATH=self.path).stdout
        self.assertRegex(table, r"(?m)^ssh://one +well ")


class Docker20(Deploy, BadReleases, Verdicts, Given, OnHost):
    engine = "docker20"


class Docker20Moments(Moments, OnHost):
    engine, instance = "docker20", "moments"


class Docker20Corners(Corners, OnHost):
    engine, instance = "docker20", "corners"


class Docker28Containerd(Deploy, Given, OnHost):
    engine, front = "docker28-c8d", "plugin"


class Podman(fixtures.SystemTest):
    """A host with podman: what restarts its containers is the user's own."""

    def test_restart_with(self):
        unit = "podman4@deploy"
        start_engine(type(self), unit)
        host = SshHost(self.folder / "host", {"podman": unit}, variables=(f"XDG_STATE_HOME={self.folder}/host/state",))
        self.addCleanup(host.close)
        project = self.small_project()

        def podman(*words: str) -> str:
            return subprocess.run([str(host.programs / "podman"), *words], check=True, capture_output=True, text=True, cwd="/tmp").stdout.strip()

        def write(text: str, crash: str = "") -> None:
            (project / "src" / "shop" / "serve.py").write_text(SERVE.format(text=text, crash=crash))
            fixtures.commit_all(project, f"Serve {text}")

        def deploy(*words: str, code: int = 0) -> subprocess.CompletedProcess:
            return self.veneer("deploy", "ssh://plant", "--as", "shop:live", "--engine", "podman", "--settle", "2", *words, cwd=project, code=code,
                               PATH=host.path())

        start = "podman run -d --name shop --network none --entrypoint /app/.venv/bin/python docker.io/library/shop:live -m shop.serve"
        host.add_program("restart-shop", f"#!/bin/sh\npodman rm -f -t 0 shop && exec {start}\n")
        write("one")
        self.veneer("build", cwd=project)
        self.veneer("ship", "ssh://plant", "--engine", "podman", "--as", "shop:live", cwd=project, PATH=host.path())
        podman(*start.split()[1:])
        write("two")
        self.assertIn("--restart-with", deploy(code=3).stderr)
        self.assertEqual(podman("logs", "shop"), "serving one")
        deploy("--restart-with", "restart-shop")
        self.assertEqual(podman("logs", "shop"), "serving two")
        write("three", crash="sys.exit(4)")
        deploy("--restart-with", "restart-shop", code=7)
        self.assertEqual(podman("logs", "shop"), "serving two")
        releases = self.json("history", "ssh://plant", "--as", "shop:live", "--engine", "podman", "--json", cwd=project, PATH=host.path())["releases"]
        self.assertEqual([row["outcome"] for row in releases], ["well", "well", "back"])


if os.environ.get("VENEER_TEST_ALL"):

    class Docker28ContainerdMoments(BadReleases, Verdicts, Moments, OnHost):
        engine, front, instance = "docker28-c8d", "plugin", "moments"

    class Docker28Overlay(Deploy, Given, OnHost):
        engine, front, instance = "docker28", "plugin", "overlay"

    class Docker20FromRegistry(OnHost):
        engine, instance = "docker20", "from-registry"

        def test_a_release_comes_from_a_registry(self):
            """By a machine that has neither the project nor anything of the image: it fetches what the host lacks."""
            registry = real_registry.RealRegistry(self.folder / "registry")
            self.addCleanup(registry.close)
            self.write("two")
            built = self.json("build", "--push", f"{registry.address}/team/shop:2", "--json", cwd=self.project)
            relay = Relay(("127.0.0.1", registry.port))
            self.addCleanup(relay.close)
            self.cache = self.folder / "another"
            name = f"127.0.0.1:{relay.port}/team/shop:2"
            done = self.json("deploy", name, "ssh://plant", "--as", self.live, "--settle", "2", "--json", PATH=self.host.path())
            self.assertEqual(done["hosts"][0]["outcome"], "well")
            self.assert_serves("two")
            application = built["layers"][-1]["size"]
            self.assertLess(relay.down, application + 40_000)
            fetched = [path.name for path in (self.cache / "veneer" / "registry-blobs").iterdir()]
            self.assertNotIn(built["layers"][0]["digest"].split(":")[1], fetched)

    class Docker20Killed(Killed, OnHost):
        engine, instance = "docker20", "killed"

    class Docker28OldCompose(Deploy, BadReleases, Corners, Killed, OnHost):
        """docker-compose 1 cannot recreate containers on this engine; a deploy makes new ones."""

        engine, instance = "docker28-c8d", "old-compose"


if __name__ == "__main__":
    fixtures.main()
