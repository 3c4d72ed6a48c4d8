#!/usr/bin/env python3
"""`veneer ship ssh://…` to real engines behind a real sshd: what travels on the line, counted by a relay, and what cuts,
crashes, odd shells and hostile hosts do.

On three engines, one of each kind of store; with VENEER_TEST_ALL=1 on all of them.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
from relay import Relay  # noqa: E402
from ssh_host import CORE_SCENARIOS, ENGINES, SshHost, run_contract, start_engine  # noqa: E402
from ssh_host import run_engines as engines  # noqa: E402

HOST_FAIL_POINTS = ["received", "spliced", "loaded", "verified", "named"]


class OverSsh(fixtures.SystemTest):
    """A host with one engine; subclasses name it."""

    engine = ""
    instance = "ssh"
    kind = ""
    program = "docker"

    @classmethod
    def setUpClass(cls):
        cls.unit = f"{cls.engine}@{cls.instance}"
        cls.facts = start_engine(cls, cls.unit)

    def setUp(self):
        super().setUp()
        self.name = f"test/{self.id().rpartition('.')[2]}:live"
        self.host = self.start_host()

    def start_host(self, **options) -> SshHost:
        host = SshHost(self.folder / f"host{len(list(self.folder.glob('host*')))}", {self.program: self.unit}, **options)
        self.addCleanup(host.close)
        return host

    def through_relay(self, **line) -> Relay:
        """A relay before the host, with what `ssh HOST true` costs as its `setup`: (bytes up, round trips)."""
        relay = Relay(("127.0.0.1", self.host.port), **line)
        self.addCleanup(relay.close)
        self.host.connect_through(relay.port)
        subprocess.run(["ssh", "plant", "true"], check=True, capture_output=True, env=self.environment(PATH=self.host.path()))
        relay.setup = (relay.up, relay.round_trips)
        relay.reset()
        return relay

    def client(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run([str(ENGINES), "exec", self.unit, self.program, *words], check=check, capture_output=True, cwd="/tmp")

    def full(self, name: str) -> str:
        return f"docker.io/{name}" if self.program == "podman" else name

    def greeting(self, name: str | None = None) -> str:
        result = self.client("run", "--rm", "--network", "none", "--entrypoint", "/app/.venv/bin/shop", self.full(name or self.name),
                             check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode().strip()

    def assert_tidy(self) -> None:
        """Nothing of a ship is left on the host but images, and the file for locks, with nobody in it."""
        self.assertEqual({path.name: path.stat().st_size for path in self.host.staging.iterdir()}, {"turn": 0})
        self.assertEqual(self.client("ps", "--all", "--quiet").stdout, b"")

    def words_of_lock(self) -> list[str]:
        lock = self.host.staging / "turn"
        return lock.read_text().split() if lock.exists() else []

    # ---- the project ----

    def build(self) -> None:
        self.built = self.json("build", "--json", cwd=self.project)

    def edit(self, greeting: str) -> None:
        (self.project / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print({greeting!r})\n")
        fixtures.commit_all(self.project, f"Say {greeting}")
        self.build()

    def write_parts(self, values: dict[int, int]) -> None:
        fixtures.write_large_parts(self, self.project, values)
        self.build()

    def arguments(self, *words: str) -> list[str]:
        return ["ship", self.built["image"], "ssh://plant", "--as", self.name, "--engine", self.program, *words]

    def ship(self, *words: str, **environment) -> dict:
        return self.json(*self.arguments("--json", *words), cwd=self.project, PATH=self.host.path(), **environment)

    def start_ship(self, *words: str, **environment) -> subprocess.Popen:
        return subprocess.Popen([fixtures.binary(), *self.arguments(*words)], cwd=self.project, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(PATH=self.host.path(), **environment))

    def actions(self, shipped: dict) -> list[str]:
        return [step["action"] for step in shipped["plan"]["steps"]]

    def first_release(self) -> dict:
        self.project = self.small_project(dependencies=4)
        fixtures.follow_no_image(self.project)
        self.write_parts({0: 1, 1: 1, 2: 1, 3: 1})
        return self.ship()


class Ship:
    """Mixed into a subclass of OverSsh for each engine."""

    scenarios = CORE_SCENARIOS

    def test_contract(self):
        run_contract(self, self.unit, self.facts, self.program, self.scenarios, PATH=self.host.path(), VENEER_TEST_SSH="ssh://plant",
                     VENEER_TEST_PROGRAM=self.program)

    def test_bytes(self):
        """What goes up the line for each kind of change, and in how many round trips."""
        first = self.first_release()
        relay = self.through_relay()

        known = set()

        def shipped_within(envelope: int, trips: int) -> dict:
            relay.reset()
            shipped = self.ship()
            up, round_trips = relay.up - relay.setup[0], relay.round_trips - relay.setup[1]
            changed = sum(step["size"] for step in shipped["plan"]["steps"] if step["diff_id"] not in known)
            known.update(step["diff_id"] for step in shipped["plan"]["steps"])
            print(f"{self.engine}: {up} B up for {changed} B of new layers, {round_trips} round trips, {self.actions(shipped)}")
            self.assertLessEqual(up, changed * 1.02 + envelope)
            self.assertLessEqual(round_trips, trips)
            self.assertFalse(shipped["sent_whole_after_all"], shipped["plan"]["why"])
            return shipped

        known.update(step["diff_id"] for step in first["plan"]["steps"])
        self.edit("good day")
        shipped_within(16 * 1024, 8)
        self.assertEqual(self.greeting(), "good day")

        again = shipped_within(16 * 1024, 8)
        self.assertFalse(again["plan"]["load"])

        # Below three other layers: on a prefix store the host reads those back.
        self.write_parts({0: 2})
        shipped = shipped_within(32 * 1024, 80)  # ssh's own flow control answers every hundred kilobytes
        actions = self.actions(shipped)
        self.assertEqual(actions, ["keep", "send", *["splice" if self.kind == "prefix" else "keep"] * (len(actions) - 2)])
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()


class Accidents:
    """Mixed into a subclass of OverSsh: lines that are cut, programs that are killed."""

    def test_cuts(self):
        """A line that is cut five times: the ship ends well, and sends little twice."""
        self.project = self.small_project(dependencies=3)
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(1).randbytes(20_000_000))
        fixtures.commit_all(self.project, "Data")
        self.build()
        # What the base and the wheels are is on the host; twenty megabytes of the app are not.
        size = 20_000_000
        relay = self.through_relay(rate=8_000_000)
        relay.reset()
        places = sorted(random.Random(self.engine).sample(range(3_000_000, size, 100_000), 5))
        relay.cut_at(*places)
        result = self.veneer(*self.arguments("--json"), cwd=self.project, PATH=self.host.path())
        self.assertEqual(result.stderr.count("connection lost"), 5, result.stderr)
        shipped = json.loads(result.stdout)
        up = relay.up - 6 * relay.setup[0]
        total = shipped["plan"]["bytes"]
        print(f"{self.engine}: cut at {places}, {up} B up for {total} B")
        self.assertLessEqual(up, total * 1.02 + 5 * 1_000_000)
        self.assertEqual(self.greeting(), "hello")
        self.assert_tidy()

    def test_other_shells(self):
        """The script does the same where sh is another one."""
        self.first_release()
        for value, shell in enumerate(("bash", "busybox"), 2):
            with self.subTest(shell):
                (self.host.programs / "sh").unlink(missing_ok=True)
                (self.host.programs / "sh").symlink_to(shutil.which(shell))
                if shell == "busybox":
                    for tool in ("tar", "sed", "grep", "dd", "wc", "tail", "tr", "sort", "cut", "find", "df", "mkfifo"):
                        (self.host.programs / tool).symlink_to(shutil.which(shell))
                self.write_parts({0: value})
                self.edit(f"by {shell}")
                self.ship()
                self.assertEqual(self.greeting(), f"by {shell}")
                self.assert_tidy()

    # CASE 47: basecamp/kamal#1886
    # CASE 47: basecamp/kamal#1886
    def test_frozen_line(self):
        """A line with small windows on which, 27 MiB into a layer of 200 MB, nothing moves any more and nobody says so:
        noticed, said, and gone on from there."""
        self.first_release()
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(4).randbytes(200_000_000))
        self.edit("good day")
        relay = self.through_relay(rate=40_000_000, round_trip=0.02)
        process = self.start_ship("--patience", "3")
        while relay.up < 27 << 20 and process.poll() is None:
            time.sleep(0.01)
        relay.freeze()
        time.sleep(6)
        relay.freeze(False)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("nothing moved for 3 s", errors)
        self.assertLess(relay.up, 203_000_000)
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()

    def test_a_cut_at_the_very_end(self):
        """The host has the image and has put everything away when the line is cut: nothing is sent twice."""
        self.first_release()
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(6).randbytes(6_000_000))
        self.edit("good day")
        relay = self.through_relay()
        result = self.veneer(*self.arguments("--json"), cwd=self.project, PATH=self.host.path(), VENEER_HOST_FAIL_POINT="tidied")
        self.assertEqual(result.stderr.count("connection lost"), 1, result.stderr)
        print(f"{relay.up} B up")
        self.assertLess(relay.up, 6_400_000)
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()

    def test_other_layers(self):
        """An image with as many layers, one of which is another: not named."""
        self.first_release()
        self.edit("good day")
        (self.host.programs / self.program).rename(self.host.programs / "engine")
        self.host.add_program(self.program, textwrap.dedent("""\
            #!/bin/sh
            case "$*" in
              *'{{.Id}}'*'.RootFS.Layers}}'*) "$(dirname "$0")/engine" "$@" | sed 's/ sha256:[0-9a-f]*$/ sha256:0000/' ;;
              *) exec "$(dirname "$0")/engine" "$@" ;;
            esac
            """))
        result = self.veneer(*self.arguments(), cwd=self.project, PATH=self.host.path(), code=6)
        self.assertIn("it has other layers", result.stderr)
        self.assertEqual(self.greeting(), "hello")
        self.assert_tidy()

    def test_a_busy_host(self):
        """A host that takes longer than --patience to write down what arrived and to load it: nothing is lost by that."""
        self.first_release()
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(7).randbytes(8_000_000))
        self.edit("good day")
        (self.host.programs / self.program).rename(self.host.programs / "engine")
        self.host.add_program(self.program, '#!/bin/sh\n[ "$1" != load ] || sleep 7\nexec "$(dirname "$0")/engine" "$@"\n')
        slowly = "import os, time\nwhile piece := os.read(0, 100_000):\n    os.write(1, piece)\n    time.sleep(len(piece) / 500_000)\n"
        (self.folder / "slowly.py").write_text(slowly)
        # What comes by the line; the other uses of cat name a file or read a few words.
        self.host.add_program("cat", f'#!/bin/sh\n[ $# = 0 ] || exec /bin/cat "$@"\nexec python3 {self.folder}/slowly.py\n')
        result = self.veneer(*self.arguments("--json", "--patience", "3"), cwd=self.project, PATH=self.host.path())
        self.assertNotIn("connection lost", result.stderr)
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()

    # psviderski/unregistry#45
    def test_two_writers(self):
        """While one ship writes, another waits; when it is done, the other one has nothing to send."""
        self.first_release()
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(5).randbytes(4_000_000))
        self.edit("good day")
        relay = self.through_relay(rate=1_500_000)
        process = self.start_ship()
        while not list(self.host.staging.glob("*.part")) and process.poll() is None:
            time.sleep(0.01)
        self.host.connect_through(self.host.port)
        self.veneer(*self.arguments("--patience", "3"), cwd=self.project, PATH=self.host.path())
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(self.greeting(), "good day")
        self.assertFalse(self.ship()["plan"]["load"])
        self.assert_tidy()

    def test_killed_sender(self):
        """Killed while it sends: the live name stands for the old image, and the next ship goes on from there."""
        self.first_release()
        relay = self.through_relay(rate=2_000_000)
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(2).randbytes(6_000_000))
        self.edit("good day")
        process = self.start_ship()
        while relay.up < 3_000_000 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertEqual(self.greeting(), "hello")
        relay.reset()
        self.ship()
        self.assertLess(relay.up, 4_500_000)
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()

    def test_killed_engine(self):
        """The engine is killed while it loads: the old image or the new one, and the next ship ends well."""
        self.first_release()
        (self.project / "src" / "shop" / "data.bin").write_bytes(random.Random(3).randbytes(30_000_000))
        self.edit("good day")
        process = self.start_ship()
        while "working" not in self.words_of_lock() and process.poll() is None:
            time.sleep(0.005)
        engines("kill", self.unit)
        output, errors = process.communicate()
        engines("start", self.unit)
        self.assertIn(self.greeting(), ["hello", "good day"])
        if process.returncode != 0:
            self.assertNotIn("terminate called", errors)
            self.assertEqual(self.greeting(), "hello")
        self.ship()
        self.assertEqual(self.greeting(), "good day")
        self.assert_tidy()


class Deaths:
    """Mixed into a subclass of OverSsh: tests/host/ does it in milliseconds, with a made-up engine."""

    def test_killed_host_script(self):
        """The script on the host dies at each of its points: the same run goes on, and leaves nothing behind."""
        self.first_release()
        for value, point in enumerate(HOST_FAIL_POINTS, 2):
            with self.subTest(point):
                self.edit(f"after {point}")
                self.write_parts({0: value})
                result = self.veneer(*self.arguments(), cwd=self.project, PATH=self.host.path(), VENEER_HOST_FAIL_POINT=point)
                self.assertEqual(result.stderr.count("connection lost"), 0 if point == "spliced" and self.kind != "prefix" else 1, result.stderr)
                self.assertEqual(self.greeting(), f"after {point}")
                self.assert_tidy()

    def test_killed_with_its_host(self):
        """Sender and script die together: the live name stands for the old image or the new one, the next ship ends well."""
        self.first_release()
        for point in ("received", "loaded", "named"):
            with self.subTest(point):
                before = self.greeting()
                self.edit(f"after {point}")
                process = self.start_ship(VENEER_HOST_FAIL_POINT=point, VENEER_FAIL_POINT="ship.reconnecting")
                _, errors = process.communicate()
                self.assertEqual(process.returncode, -signal.SIGKILL, errors)
                self.assertEqual(self.greeting(), f"after {point}" if point == "named" else before)
                self.ship()
                self.assertEqual(self.greeting(), f"after {point}")
                self.assert_tidy()


class Docker20(Ship, Accidents, OverSsh):
    engine, kind = "docker20", "prefix"


class Docker28Containerd(Ship, OverSsh):
    engine, kind = "docker28-c8d", "blobs"


class Podman4(Ship, OverSsh):
    engine, kind, program = "podman4", "diff_ids", "podman"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker20Deaths(Deaths, OverSsh):
        engine, kind, instance = "docker20", "prefix", "deaths"

    class Docker28ContainerdAccidents(Accidents, Deaths, OverSsh):
        engine, kind, instance = "docker28-c8d", "blobs", "accidents"

    class Podman4Accidents(Accidents, Deaths, OverSsh):
        engine, kind, program, instance = "podman4", "diff_ids", "podman", "accidents"

    class Docker26(Ship, OverSsh):
        engine, kind = "docker26", "prefix"

    class Docker26Containerd(Ship, OverSsh):
        engine, kind = "docker26-c8d", "blobs"

    class Docker28(Ship, OverSsh):
        engine, kind = "docker28", "prefix"

    class Podman5(Ship, OverSsh):
        engine, kind, program = "podman5", "diff_ids", "podman"


if os.environ.get("VENEER_SOAK_KILLS"):

    class Docker20Soak(OverSsh):
        """For `./dev soak`: what is killed, and when, is up to chance; VENEER_SOAK_KILLS times."""

        engine, kind = "docker20", "prefix"

        def kill_script(self) -> None:
            try:
                owner = self.words_of_lock()[0]
                os.kill(int(owner), signal.SIGKILL)
            except (OSError, IndexError, ValueError):
                pass  # none at that moment

        def kill_engine(self) -> None:
            engines("kill", self.unit)

        def test_random_kills(self):
            self.first_release()
            relay = self.through_relay(rate=4_000_000)
            chance = random.Random()
            for number in range(int(os.environ["VENEER_SOAK_KILLS"])):
                before, after = self.greeting(), f"number {number}"
                self.edit(after)
                self.write_parts({0: number + 10})
                process = self.start_ship()
                victim, moment = chance.choice(["sender", "line", "script", "engine"]), chance.uniform(0, 6)
                time.sleep(moment)
                {"sender": process.kill, "line": relay.cut, "script": self.kill_script, "engine": self.kill_engine}[victim]()
                _, errors = process.communicate()
                if victim == "engine":
                    engines("start", self.unit)
                print(f"{number}: {victim} after {moment:.2f} s: {process.returncode} {errors.strip()[-100:]!r}")
                self.assertIn(self.greeting(), (before, after))
                self.ship()
                self.assertEqual(self.greeting(), after)
                self.assert_tidy()


class Hosts(fixtures.SystemTest):
    """What stands between ssh and the script on the host: login shells, noise, other writers, lies. A made-up `docker`
    does for it that says what it is asked and has no images."""

    DOCKER = r"""#!/bin/sh
    echo "$*" >>"$(dirname "$0")/asked"
    case $1 in
      --version) echo Docker version 28 ;;
      version) echo '{"Version":"28.1.0","ApiVersion":"1.49","Os":"linux","Arch":"amd64"}' ;;
      info) printf '{"Driver":"overlay2","DriverStatus":[]}\n/\n' ;;
      images) ;;
      *) echo "no such thing" >&2; exit 1 ;;
    esac
    """

    @classmethod
    def setUpClass(cls):
        cls.project_folder = Path(tempfile.mkdtemp(prefix="veneer-hosts-"))
        cls.addClassCleanup(shutil.rmtree, cls.project_folder, ignore_errors=True)
        builder = cls("build_once")
        builder.setUp()
        project = builder.small_project()
        builder.veneer("build", cwd=project)
        shutil.copytree(project / ".veneer", cls.project_folder / ".veneer")
        builder.doCleanups()

    def build_once(self):
        pass

    def start_host(self, docker: str | None = DOCKER, **options) -> SshHost:
        host = SshHost(self.folder / f"host{len(list(self.folder.glob('host*')))}", {}, **options)
        self.addCleanup(host.close)
        if docker:
            host.add_program("docker", textwrap.dedent(docker))
        return host

    def dry_run(self, host: SshHost, *words: str, code: int = 0, destination: str = "ssh://plant", **environment):
        return self.veneer("ship", destination, "--dry-run", *words, cwd=self.project_folder, code=code, PATH=host.path(), **environment)

    def measured_dry_run(self, host: SshHost) -> tuple[int, str, int]:
        return self.veneer_and_its_memory("ship", "ssh://plant", "--dry-run", cwd=self.project_folder, PATH=host.path())

    # CASE 46: docker/cli#3019
    def test_noise(self):
        """Login scripts that talk, before and after, on both streams: passed over, and shown when there is no answer."""
        talk = "echo Welcome to the plant; printf 'no line end'; echo to stderr >&2; sh -c \\\"$SSH_ORIGINAL_COMMAND\\\"; echo Goodbye"
        result = self.dry_run(self.start_host(shell=talk))
        self.assertIn("the host has none of its layers", result.stdout)
        self.assertNotIn("Welcome", result.stdout + result.stderr)
        mute = self.start_host(shell="echo This account is disabled; exit 1")
        result = self.dry_run(mute, code=5)
        self.assertIn("This account is disabled", result.stderr)

    def test_connects_while_it_builds(self):
        """Before the build, and without a question; where ssh would have to ask, it connects again when it may."""
        for login, calls in (("lets in", 1), ("asks", 2)):
            with self.subTest(login):
                host = self.start_host()
                project = self.small_project(f"shop{calls}")
                log = self.folder / f"log of {login}"
                (host.local_programs / "ssh").write_text(textwrap.dedent(f"""\
                    #!/bin/sh
                    built='not built'
                    [ ! -e '{project}/.veneer/last' ] || built=built
                    case "$*" in
                      *BatchMode=yes*-N*) echo "ahead, $built" >>'{log}'; [ '{login}' != asks ] || {{ echo Permission denied >&2; exit 255; }} ;;
                      *-N*) echo "asking, $built" >>'{log}' ;;
                    esac
                    exec /usr/bin/ssh -F '{host.folder}/ssh_config' "$@"
                    """))
                result = self.veneer("deploy", "ssh://plant", "--dry-run", cwd=project, PATH=host.path())
                self.assertIn("the host has none of its layers", result.stdout)
                self.assertEqual(log.read_text().splitlines(), ["ahead, not built", "asking, built"][:calls])

    def test_one_session(self):
        """Where sshd gives a connection one session (`MaxSessions 1`), what would be the second one logs in by itself."""
        host = self.start_host(server_options=("MaxSessions 1",))
        relay = Relay(("127.0.0.1", host.port))
        self.addCleanup(relay.close)
        host.connect_through(relay.port)
        result = self.veneer("deploy", "ssh://plant", "--dry-run", cwd=self.small_project(), PATH=host.path())
        self.assertIn("the host has none of its layers", result.stdout)  # the script of the ship
        self.assertIn("no container of a compose project", result.stderr)  # that of the rollout
        self.assertEqual(relay.connections, 2)
        self.assertNotIn("refused by peer", result.stderr)

    def test_settings_of_people(self):
        """What ssh_config says for people who log in does not break a pipe of bytes, each setting and all of them."""
        host = self.start_host()
        settings = ["StdinNull yes", "ForkAfterAuthentication yes", "SessionType none", "SessionType subsystem", "RequestTTY force",
                    "RemoteCommand echo hello", "PermitLocalCommand yes", "LocalCommand echo local", "LogLevel DEBUG", "EscapeChar ~",
                    "ControlMaster auto", f"ControlPath {self.folder}/of-the-user", "ControlPersist yes", "Compression no", "VisualHostKey yes",
                    "ForwardAgent yes", "LocalForward 127.0.0.1:1 127.0.0.1:1", "ExitOnForwardFailure yes", "Tunnel yes"]
        for lines in (*([line] for line in settings), settings):
            with self.subTest(lines):
                host.connect_through(host.port, *lines)
                result = self.dry_run(host)
                self.assertIn("none of its layers", result.stdout)
                self.assertNotIn("debug", result.stderr)
        self.assertFalse((self.folder / "of-the-user").exists())

    def test_older_ssh(self):
        """An ssh before 8.7 refuses to start when it is given options that it does not know."""
        host = self.start_host()
        (host.local_programs / "ssh").write_text(textwrap.dedent(f"""\
            #!/bin/sh
            case "$*" in
              -V) echo 'OpenSSH_8.4p1 Debian-5+deb11u3, OpenSSL 1.1.1w' >&2; exit ;;
              *StdinNull*|*ForkAfter*|*SessionType*) echo 'command-line: line 0: Bad configuration option' >&2; exit 255 ;;
            esac
            exec /usr/bin/ssh -F '{host.folder}/ssh_config' "$@"
            """))
        self.assertIn("none of its layers", self.dry_run(host).stdout)

    def test_contexts(self):
        """Without a host, the Docker context decides, and one by ssh is gone to by ssh; an image there cannot be read."""
        host = self.start_host()
        folder = self.folder / "docker"
        meta = folder / "contexts" / "meta" / hashlib.sha256(b"plant").hexdigest() / "meta.json"
        meta.parent.mkdir(parents=True)
        meta.write_text(json.dumps({"Name": "plant", "Metadata": {}, "Endpoints": {"docker": {"Host": "ssh://plant", "SkipTLSVerify": False}}}))
        (folder / "config.json").write_text('{"currentContext": "plant"}')
        for variables in ({}, {"DOCKER_CONTEXT": "plant"}):
            with self.subTest(variables):
                result = self.veneer("ship", "--dry-run", cwd=self.project_folder, PATH=host.path(), DOCKER_CONFIG=str(folder), **variables)
                self.assertIn("none of its layers", result.stdout)
        result = self.veneer("ship", "--dry-run", cwd=self.project_folder, code=5, DOCKER_CONFIG=str(folder), DOCKER_CONTEXT="default",
                             PATH="/nowhere")
        self.assertIn("/var/run/docker.sock", result.stderr)
        result = self.veneer("inspect", "docker:shop", cwd=self.project_folder, code=2, DOCKER_CONFIG=str(folder))
        self.assertIn("the Docker context 'plant'", result.stderr)
        self.assertIn("ssh -L", result.stderr)
        result = self.veneer("ship", cwd=self.project_folder, code=4, DOCKER_CONFIG=str(folder), DOCKER_CONTEXT="absent")
        self.assertIn("'absent' (DOCKER_CONTEXT) does not exist", result.stderr)
        meta.write_text("{")
        result = self.veneer("ship", cwd=self.project_folder, code=3, DOCKER_CONFIG=str(folder))
        self.assertIn(f"reading {meta}", result.stderr)

    def test_login_shells(self):
        for shell in ("sh", "bash", "dash", "tcsh", "fish", "busybox sh"):
            with self.subTest(shell):
                host = self.start_host(shell=f'exec {shell} -c \\"$SSH_ORIGINAL_COMMAND\\"')
                self.assertIn("none of its layers", self.dry_run(host).stdout)

        for shell in ("bash", "busybox"):
            with self.subTest(f"the script runs in {shell}"):
                host = self.start_host()
                (host.programs / "sh").symlink_to(shutil.which(shell))
                self.assertIn("none of its layers", self.dry_run(host).stdout)

    def test_forced_command(self):
        """The recipe for a key that can do nothing but this, as docs/deploying.md has it."""
        recipe = (Path(__file__).resolve().parents[2] / "docs" / "deploying.md").read_text()
        command = recipe.partition('restrict,command="')[2].partition('" ssh-ed25519')[0]
        host = self.start_host(shell=command)
        self.assertIn("none of its layers", self.dry_run(host).stdout)
        other = subprocess.run(["ssh", "plant", "echo", "hello"], capture_output=True, text=True, env=self.environment(PATH=host.path()))
        self.assertNotIn("hello", other.stdout)

    def test_where_docker_is(self):
        elsewhere = self.start_host(docker=None)
        result = self.dry_run(elsewhere, "--engine", "podman", code=5)
        self.assertIn("podman", result.stderr)
        self.assertIn("hint:", result.stderr)

    def test_full_disk(self):
        """Where there is no room on the host for what would be sent, nothing is."""
        host = self.start_host()
        host.add_program("df", "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted\necho disk 1000 999 1 99% /\n")
        result = self.veneer("ship", "ssh://plant", cwd=self.project_folder, code=3, PATH=host.path())
        self.assertIn("1000 bytes free", result.stderr)
        self.assertIn("--host-folder", result.stderr)
        # Where it shows only when something is written; tests/host has real disks without bytes and without inodes.
        host = self.start_host()
        host.add_program("mktemp", '#!/bin/sh\necho "mktemp: failed to create directory: No space left on device" >&2\nexit 1\n')
        result = self.veneer("ship", "ssh://plant", cwd=self.project_folder, code=3, PATH=host.path())
        self.assertIn("no space left on the host", result.stderr)
        self.assertIn("stands for what it did before", result.stderr)

    def test_folder_of_others(self):
        """--host-folder that another account may write to: refused before anything is sent."""
        host = self.start_host()
        place = self.folder / "place"
        place.mkdir()
        place.chmod(0o1777)
        result = self.veneer("ship", "ssh://plant", "--host-folder", place, cwd=self.project_folder, code=3, PATH=host.path())
        self.assertIn(f"{place} on the host is not used: others than this account can write to it", result.stderr)

    def test_sudo(self):
        host = self.start_host()
        host.add_program("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift && echo "by sudo: $*" >>"$(dirname "$0")/asked" && exec "$@"\n')
        self.dry_run(host, "--sudo")
        self.assertIn("by sudo: docker version", (host.programs / "asked").read_text())

    def test_names_never_reach_a_shell(self):
        """Hosts, tags and folders with shell characters are refused before anything is asked."""
        host = self.start_host()
        for words, options in [
            (["--as", "shop:$(reboot)"], {}),
            (["--as", "-rm:1"], {}),
            (["--host-folder", "/tmp/a;b"], {}),
            (["--host-folder", "relative"], {}),
            ([], {"destination": "ssh://-oProxyCommand=touch"}),
            ([], {"destination": "ssh://pl'ant"}),
            ([], {"destination": "ssh://a b"}),
            ([], {"destination": "ssh://user:secret@plant"}),
        ]:
            with self.subTest(words=words, **options):
                result = self.dry_run(host, *words, code=2, **options)
                self.assertIn("hint:" if options else "error:", result.stderr)
                self.assertNotIn("secret", result.stderr)
        self.assertFalse((host.programs / "asked").exists())

    def test_hostile_host(self):
        """Escape codes, lies, floods and silence: a clear error, bounded memory."""
        version = """'{"Version":"28.1.0","ApiVersion":"1.49","Os":"linux","Arch":"amd64"}'"""
        facts = f"""case $1 in --version) echo Docker ;; version) echo {version} ;; info) printf '{{}}\\n/\\n' ;; """
        name = r'printf "sha256:%064d\n" 1'
        cases = {
            "escape codes": (f"#!/bin/sh\nprintf '\\033]0;owned\\007no daemon' >&2; exit 1\n", 5, "no daemon"),
            "another machine": ("#!/bin/sh\n" + facts.replace("amd64", "s390x") + " esac\n", 3, "s390x"),
            "no version": ("#!/bin/sh\ncase $1 in version) echo '{\"Version\":[1]}' ;; info) echo '{}' ;; esac\n", 5, "version"),
            "garbage": ("#!/bin/sh\nhead -c 100000 /dev/urandom\n", 5, "cannot be read"),
            "one long line": (f"#!/bin/sh\n{facts} images) {name} ;; image) head -c 100000000 /dev/zero | tr '\\0' x ;; esac\n", 0, ""),
            "odd images": (f"#!/bin/sh\n{facts} images) {name} ;; image) echo 'image {{\"Id\":\"sha256:zz\",\"RootFS\":7}}' ;; esac\n", 0, ""),
        }
        for title, (docker, code, words) in cases.items():
            with self.subTest(title):
                host = self.start_host(docker=docker)
                ended, printed, memory = self.measured_dry_run(host)
                self.assertEqual(ended, code, printed)
                self.assertIn(words, printed)
                self.assertNotIn("\033", printed)
                self.assertLess(memory, 200_000)

    def test_flood(self):
        """A gigabyte of answer: refused after a little of it."""
        for talk in ("yes flood | head -c 1000000000", "head -c 1000000000 /dev/zero"):
            with self.subTest(talk):
                ended, printed, memory = self.measured_dry_run(self.start_host(shell=talk))
                self.assertEqual(ended, 3, printed)
                self.assertIn("the host answered", printed)
                self.assertLess(memory, 200_000)

    def test_silence(self):
        """A host that never answers is given up, and says so."""
        host = self.start_host(docker="#!/bin/sh\nsleep 60\n")
        started = time.monotonic()
        result = self.dry_run(host, "--patience", "3", code=5)
        self.assertIn("said nothing for 3 s", result.stderr)
        self.assertLess(time.monotonic() - started, 30)

    def test_no_connection(self):
        host = self.start_host()
        host.connect_through(1)
        result = self.dry_run(host, code=5)
        self.assertIn("plant", result.stderr)
        self.assertIn("hint:", result.stderr)


if __name__ == "__main__":
    del OverSsh
    fixtures.main()
