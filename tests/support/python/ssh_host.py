"""A host as veneer's users have it: a real sshd on loopback that leads to a real engine of support/engines.

The host's `docker` (or `podman`) is a small program that runs the engine's own client where the engine runs. The client
side is the real ssh with a configuration of its own, in which the host is called `plant`.
"""

import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import fixtures

ENGINES = Path(__file__).resolve().parents[1] / "engines"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_engines(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(ENGINES), *words], check=True, capture_output=True, cwd="/tmp", **options)


def start_engine(test_class, unit: str) -> dict[str, str]:
    """A new engine for the tests of a class, wiped after them; what `engines env` says of it."""
    run_engines("wipe", unit)
    test_class.addClassCleanup(run_engines, "wipe", unit)
    return dict(line.replace("'", "").split("=", 1) for line in run_engines("start", unit, text=True).stdout.split())


# What differs most from one way to an engine to another; the rest of the contract depends on the engine.
CORE_SCENARIOS = ("TakesAFirstImage", "ACodeEditSendsOneLayer", "AChangeInTheMiddle", "ABaseThatChanged", "LayersOfSeveralImages",
                  "AForeignImageAsAncestor", "TheSameImageTwiceLoadsNothing", "ALabelThatLiesCostsOneMoreLoad",
                  "AnImageWithAMissingLayerIsNotTakenForWhole")


def run_contract(test, unit: str, facts: dict[str, str], program: str, scenarios: tuple[str, ...] = (), **variables: str) -> None:
    """Runs what docs/receivers.md says about every engine against this one, with a registry beside it. `scenarios`: only
    these, unless VENEER_TEST_ALL is set."""
    registry = "registry@" + unit.replace("@", "-")
    test.addCleanup(run_engines, "wipe", registry)
    lines = run_engines("start", registry, text=True).stdout.split()
    push = [str(ENGINES), "exec", unit, program, "push", *(["--tls-verify=false"] if program == "podman" else [])]
    environment = {**os.environ, "DOCKER_HOST": facts["DOCKER_HOST"], "VENEER_TEST_BUSYBOX": facts["ENGINE_ROOT"] + "/usr/bin/busybox",
                   "VENEER_TEST_REGISTRY": dict(line.replace("'", "").split("=", 1) for line in lines)["REGISTRY"],
                   "VENEER_TEST_PUSH": shlex.join(push), **variables}
    tests = Path(fixtures.binary()).parent / "tests" / "contract_receiver"
    chosen = [] if not scenarios or os.environ.get("VENEER_TEST_ALL") else ["--gtest_filter=" + ":".join(f"*.{name}" for name in scenarios)]
    result = subprocess.run([str(tests), *chosen], env=environment, capture_output=True, text=True, cwd="/tmp")
    test.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class SshHost:
    """`programs`: the engine's clients that the host has, name -> unit of support/engines. `shell`: the login shell's
    command line, instead of the account's own. `alias`: what the client calls the host."""

    def __init__(self, folder: Path, programs: dict[str, str], server_options: tuple[str, ...] = (), shell: str | None = None, variables: tuple[str, ...] = (), alias: str = "plant"):
        self.folder = folder
        self.alias = alias
        self.home = folder / "remote-home"
        self.programs = folder / "remote-bin"
        self.home.mkdir(parents=True)
        self.programs.mkdir()
        for name, unit in programs.items():
            script = subprocess.run([str(ENGINES), "script", unit, name], check=True, capture_output=True, text=True, cwd="/tmp").stdout
            self.add_program(name, script)
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        authorized = (folder / "user_key.pub").read_text()
        if shell:
            authorized = f'restrict,command="{shell}" {authorized}'
        (folder / "authorized_keys").write_text(authorized)
        self.port = free_port()
        Path("/run/sshd").mkdir(exist_ok=True)
        # The account's own shell, without what the account of this machine makes it do at its start.
        settings = f"PATH={self.programs}:/usr/bin:/bin HOME={self.home} XDG_CACHE_HOME={self.home}/cache VENEER_TEST_CACHE={fixtures.test_cache()}"
        settings = " ".join((settings, *variables))
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized_keys\n"
            f"PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv {settings}\nMaxStartups 100\n" + "".join(f"{line}\n" for line in server_options))
        self.log = open(folder / "sshd.log", "wb")
        self.server = subprocess.Popen([shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin") or "/usr/sbin/sshd", "-D", "-e", "-f",
                                        str(folder / "sshd_config")], stderr=self.log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.02)
        self.local_programs = folder / "local-bin"
        self.local_programs.mkdir()
        wrapper = self.local_programs / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/ssh_config "$@"\n')
        wrapper.chmod(0o755)
        self.connect_through(self.port)

    def add_program(self, name: str, script: str) -> None:
        """Puts a shell script into the host's PATH."""
        path = self.programs / name
        path.write_text(script)
        path.chmod(0o755)

    def connect_through(self, port: int, *options: str) -> None:
        """The port on loopback by which `plant` is reached from now on, with more lines of ssh_config."""
        (self.folder / "ssh_config").write_text(
            f"Host {self.alias}\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {self.folder}/user_key\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  StrictHostKeyChecking no\n  HostKeyAlias {self.alias}\n"
            + "".join(f"  {option}\n" for option in options) + "\n")

    def path(self, *others: "SshHost") -> str:
        """PATH for the side that ships, to this host and others."""
        if others:
            config = "".join((host.folder / "ssh_config").read_text() for host in (*others, self))
            (self.folder / "ssh_config").write_text(config)
        return f"{self.local_programs}:{os.environ['PATH']}"

    @property
    def staging(self) -> Path:
        return self.home / "cache" / "veneer" / "ship"

    def close(self) -> None:
        self.server.terminate()
        self.server.wait()
        self.log.close()
