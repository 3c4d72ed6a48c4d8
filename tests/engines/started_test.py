#!/usr/bin/env python3
"""Projects of tests/conformance/projects, built with zero options and started by a real engine as their images say, with
no more than `run`: asked from another container of the same network at an address that is not loopback, so that a program
which binds loopback does not answer.

Two of them on Docker 20.10; with VENEER_TEST_ALL=1 all that say "answers", there and on podman. The table is that of
conformance/starts_test.py."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))
import fixtures  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402
from starts_test import ADDRESS, CASES, OfCases, read_case  # noqa: E402

TWO = ["backend_folder_copied", "dockerfile_loopback"]

# The engines of these tests have no bridge: a second address of the network that both containers have. Prints the status
# of the first answer, or "silent".
ASK = r"""
import fcntl, http.client, socket, struct, sys, time
address, port, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    fcntl.ioctl(asking, 0x8916, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address)))  # SIOCSIFADDR
end = time.monotonic() + patience
while time.monotonic() < end:
    try:
        connection = http.client.HTTPConnection(address, port, timeout=10)
        connection.request("GET", "/")
        print(connection.getresponse().status)
        break
    except (OSError, http.client.HTTPException):
        time.sleep(0.2)
else:
    print("silent")
"""


class OnEngine(OfCases):
    """Subclasses name the engine."""

    engine = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit = cls.engine + "@starts"
        cls.facts = start_engine(cls, cls.unit)
        cls.program = "podman" if cls.engine.startswith("podman") else "docker"

    def client(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run([str(ENGINES), "exec", self.unit, self.program, *words], check=check, capture_output=True, text=True, cwd="/tmp")

    def answer(self, layout: Path, port: str, patience: int) -> tuple[str, str]:
        self.veneer("pull", f"oci:{layout}:it", "--as", "team/started:1", DOCKER_HOST=self.facts["DOCKER_HOST"])
        image = "docker.io/team/started:1" if self.program == "podman" else "team/started:1"
        started = self.client("run", "--detach", "--network", "none", image).stdout.strip()
        try:
            asked = self.client("run", "--rm", "--network", f"container:{started}", "--cap-add", "NET_ADMIN", "--user", "0", "--entrypoint", "/app/.venv/bin/python",
                                image, "-c", ASK, ADDRESS, port, str(patience), check=False)
            logs = self.client("logs", started, check=False)
            return asked.stdout.strip(), (asked.stderr + logs.stdout + logs.stderr)[-2000:]
        finally:
            self.client("rm", "--force", started, check=False)
            self.client("rmi", "--force", image, check=False)


class Docker20(OnEngine):
    engine = "docker20"

    def test_two(self):
        self.table(TWO)


if os.environ.get("VENEER_TEST_ALL"):

    class Rest:
        def test_all(self):
            names = sorted(path.stem for path in CASES.glob("*.txt"))
            self.table([name for name in names if name not in TWO and "answers" in read_case(name)[0]])

    class Docker20Rest(Rest, OnEngine):
        engine = "docker20"

    class Podman4Rest(Rest, OnEngine):
        engine = "podman4"


if __name__ == "__main__":
    fixtures.main()
