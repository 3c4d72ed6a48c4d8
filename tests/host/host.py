"""A host without a network: the real script, as it is sent, in a shell of this machine, with a made-up engine.

One run of it takes some hundredths of a second, so what odd shells, full disks and engines that lie do can be tried in all
their kinds. tests/engines does the same with real engines behind a real sshd, at some length.
"""

import atexit
import functools
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import fake_engine

SOURCE = Path(__file__).resolve().parents[2]
SCRIPTS = SOURCE / "src" / "deliver" / "receiver" / "ssh"
PRIVATE_MOUNTS = SOURCE / "tests" / "support" / "private_mounts"
PARTS = {"ship": ("prelude", "ship"), "rollout": ("prelude", "rows", "services", "container", "health", "facts", "rollout")}
# busybox: a small system where all programs are its own.
SHELLS = ("dash", "bash", "busybox")
NONCE = "n0"
LIVE, UNIQUE = "docker.io/library/shop:live", "docker.io/library/shop:veneer-1"
OLD, NEW = "a" * 64, "b" * 64


@functools.cache
def small_system() -> Path:
    """A folder with the programs of busybox."""
    folder = Path(tempfile.mkdtemp(prefix="veneer-busybox-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True)
    return folder


@functools.cache
def made_up_docker() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="veneer-docker-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    fake_engine.start(folder / "docker")
    return folder / "docker"


@functools.cache
def script(task: str) -> str:
    """As host_script.cc makes it: without indentation, comments and empty lines."""
    lines = "".join((SCRIPTS / f"host_{part}.sh").read_text() for part in PARTS[task]).splitlines(keepends=True)
    lines = [line.lstrip(" ") for line in lines]
    return "".join(line for line in lines if line != "\n" and not line.startswith("#"))


def as_word(text: str) -> str:
    """As host_script.cc makes one word of a text."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or chr(byte) in "._:/@+,=-" else f"%{byte:03o}" for byte in text.encode())


class Answer:
    def __init__(self, result: subprocess.CompletedProcess):
        self.raw = result.stdout
        lines = result.stdout.partition(f"veneer {NONCE}\n")[2].partition(f"end {NONCE}\n")[0].splitlines()
        self.lines = [tuple(line.partition(" ")[::2]) for line in lines if line.split(" ")[0] not in ("busy", "arrived")]
        self.errors = result.stderr
        self.has_ended = result.stdout.endswith(f"end {NONCE}\n")

    def __getitem__(self, key: str) -> str:
        """The last value of a key; empty when there is none."""
        return next((value for name, value in reversed(self.lines) if name == key), "")

    def has(self, key: str) -> bool:
        return any(name == key for name, _ in self.lines)

    def __repr__(self) -> str:
        return f"{self.raw}\n{self.errors}"


class Host:
    def __init__(self, shell: str):
        self.shell = shell
        self.numbers = itertools.count()
        self.longest_turn = 300  # seconds that a rollout waits for another one
        self.folder = Path(tempfile.mkdtemp(prefix="veneer-host-"))
        self.engine = self.folder / "engine"
        self.home = self.folder / "home"
        self.programs = self.folder / "bin"
        for folder in (self.engine, self.home, self.programs):
            folder.mkdir()
        shutil.copy(made_up_docker(), self.programs / "docker")
        self.path = f"{self.programs}:{small_system()}" if shell == "busybox" else f"{self.programs}:/usr/bin:/bin"
        # Of somebody else, and described by few labels.
        self.foreign = {"id": "9" * 64, "image": "web:1", "image_id": "9" * 64, "labels": {"com.docker.compose.project": "other"}}
        self.state = {"images": {LIVE: OLD, UNIQUE: NEW}, "containers": [self.container(), self.foreign],
                      "compose": "services:\n  web:\n    image: shop:live\n"}

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def container(self, **settings) -> dict:
        return {"id": "1" * 64, "image": "shop:live", "full": LIVE, "image_id": OLD, "project": "site", "service": "web", **settings}

    def program(self, name: str, text: str) -> None:
        (self.programs / name).unlink(missing_ok=True)
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def answers(self, command: str, text: str) -> None:
        """What the made-up engine does instead for a command, in Python."""
        (self.engine / command).write_text(text)

    def said(self) -> list[list[str]]:
        log = self.engine / "said"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @staticmethod
    def request(verb: str, *lines: str) -> str:
        return "".join(f"{line}\n" for line in (f"verb {verb}", f"nonce {NONCE}", *lines)) + "\n"

    def start(self, task: str, verb: str, *lines: str, body: str | None = "", before: str = "", **environment: str) -> subprocess.Popen:
        """`lines` are the request's, "key value"; `before` is shell that runs first, in mounts of its own. Without a body, standard
        input stays open."""
        (self.engine / "state.json").write_text(json.dumps(self.state))
        (self.engine / "compose.yaml").touch()
        text = script(task).replace("longest=300", f"longest={self.longest_turn}")
        request = self.folder / f"request{next(self.numbers)}"
        request.write_text(text + self.request(verb, *lines) + (body or ""))
        shell = [f"{small_system()}/sh"] if self.shell == "busybox" else [self.shell]
        command = [*shell, "-c", f's=$(dd bs={len(text.encode())} count=1 2>/dev/null) && eval "$s"']
        if before:
            command = [str(PRIVATE_MOUNTS), "sh", "-c", before + '\nexec "$@"', "sh", *command]
        variables = {"PATH": self.path, "HOME": str(self.home), "FAKE_ENGINE": str(self.engine), **environment}
        if before:
            variables["PATH"] += ":/usr/bin:/bin:/usr/sbin:/sbin"
        with open(request) as given:
            if body is None:
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables, cwd="/")
                process.stdin.write(given.read())
                process.stdin.flush()
                return process
            return subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables, cwd="/")

    def call(self, text: str, given: str, parts: tuple[str, ...] = ("prelude", "rows", "health")) -> str:
        """What some lines of shell print that call functions of the script; `given` is their standard input."""
        functions = "".join((SCRIPTS / f"host_{part}.sh").read_text() for part in parts)
        shell = [f"{small_system()}/sh"] if self.shell == "busybox" else [self.shell]
        return subprocess.run([*shell, "-c", f"{functions}\nread_request\n{text}"], input=f"\n{given}".encode(), capture_output=True, check=True,
                              env={"PATH": self.path, "HOME": str(self.home)}).stdout.decode()

    def run(self, *words: str, **options) -> Answer:
        process = self.start(*words, **options)
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(f"the script does not end: {output[-2000:]} {errors[-2000:]}") from None
        self.state = json.loads((self.engine / "state.json").read_text())
        return Answer(subprocess.CompletedProcess([], process.returncode, output, errors))

    def inventory(self, **options) -> Answer:
        return self.run("ship", "inventory", "pattern shop:", *options.pop("lines", ()), **options)

    PUT = ("group 0123456789ab", "key k", "sender s", f"unique {UNIQUE}", f"listed {UNIQUE[18:]}", f"id {NEW}", "layers 1", "digest d")

    def put(self, *lines: str, **options) -> Answer:
        return self.run("ship", "put", *self.PUT, *lines, **options)

    ROLLOUT = ("group 0123456789ab", f"unique {UNIQUE}", f"live {LIVE}", "listed shop:live", f"id {NEW}")

    def facts(self, *lines: str, **options) -> Answer:
        return self.run("rollout", "facts", *self.ROLLOUT, *lines, **options)

    def planned(self, *lines: str, plans: tuple[str, ...] = (), plans_back: tuple[str, ...] = (), was: str = "", **options) -> tuple[Answer, tuple[str, ...]]:
        """The facts, and a request for a deploy with a plan from them. What C++ decides is `plans`, "NAME END SETTLE CHECK LISTEN BY PORTS COMMAND"."""
        facts = self.facts(*lines, **options)
        rows = [value.split("|") for key, value in facts.lines if key == "row"]
        was = was or (rows[0][5].removeprefix("sha256:") if rows else "")
        given = [line for line in lines if line.partition(" ")[0] not in ("compose", "service", "front", "project", "options")]
        told = [f"{key} {as_word(value) if key in ('options', 'scales', 'sharers') else value}"
                for key, value in facts.lines if key in ("front", "project", "options", "scales", "sharers", "sum", "service")]
        none = "- no 0 no no network - -"
        plan = [*(f"known {row[0]} {row[4]}" for row in rows), *(f"plan {line}" for line in (*plans, none)), *(f"plan-back {line}" for line in (*plans_back, none))]
        return facts, (*self.ROLLOUT, "wait 6", *given, *told, *plan, *((f"was {was}",) if was else ()))

    def deploy(self, *lines: str, **options) -> Answer:
        plan = {key: options.pop(key) for key in ("plans", "plans_back", "was") if key in options}
        facts, request = self.planned(*lines, **plan, **options)
        if facts.has("problem") or facts.has("refused"):
            return facts
        return self.run("rollout", "deploy", *request, **options)
