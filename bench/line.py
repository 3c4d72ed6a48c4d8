"""Bytes and seconds of deploys over a line, by veneer and by the tools that one would use instead. Called by bench/run.

The line is a relay on loopback (10 Mbit/s, 100 ms for a round trip); the host behind it is a real sshd with a real Docker
20.10. Every way brings the same image, which the machine that sends has, to a host that has the one before.
"""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "support" / "python"))
from relay import Relay  # noqa: E402
from ssh_host import SshHost  # noqa: E402

ENGINES = SOURCE / "tests" / "support" / "engines"
RATE, ROUND_TRIP = 10e6 / 8, 0.1
# Releases of the example (examples/greenhouse/history), each a change to the one before, or one release changed by a script.
CHANGES = {
    "a line of code": (("v1.0.0", ""), ("v1.0.1", "")),
    "a package": (("v1.0.1", ""), ("v1.1.0", "")),
    "the base": (("v1.1.0", ""), ("v1.1.0", "sed -i 's/    \"tzdata\",/    \"less\",\\n&/' pyproject.toml")),
    "a package less": (("v1.1.0", ""), ("v1.1.0", "uv remove --quiet --no-sync matplotlib")),
    "the configuration": (("v1.1.0", ""), ("v1.1.0", "sed -i 's/^PYTHONUNBUFFERED = .*/&\\nGREENHOUSE_PLACE = \"south\"/' pyproject.toml")),
}


def engine(verb: str, name: str) -> dict[str, str]:
    done = subprocess.run([str(ENGINES), verb, name], check=True, capture_output=True, text=True, cwd="/tmp")
    return dict(line.replace("'", "").split("=", 1) for line in done.stdout.split())


class Site:
    """Two engines and a registry: `here` sends, `there` is behind the line."""

    def __init__(self, folder: Path):
        self.names = ["docker20@bench-here", "docker20@bench-there", "registry@bench"]
        for name in self.names:
            engine("wipe", name)
        self.here, _, registry = (engine("start", name) for name in self.names)
        self.host = SshHost(folder, {"docker": self.names[1]})
        self.relay = Relay(("127.0.0.1", self.host.port), RATE, ROUND_TRIP)
        server, _, port = registry["REGISTRY"].partition(":")
        self.registry_port = port
        self.registry_relay = Relay((server, int(port)), RATE, ROUND_TRIP)

    def close(self) -> None:
        self.relay.close()
        self.registry_relay.close()
        self.host.close()
        for name in self.names:
            engine("wipe", name)


class Line:
    def __init__(self, bench):
        self.bench = bench
        self.site = Site(bench.scratch / "line")
        program = subprocess.run([str(ENGINES), "script", self.site.names[0], "docker"], check=True, capture_output=True, text=True, cwd="/tmp").stdout
        self.docker = self.site.host.local_programs / "docker-here"
        self.docker.write_text(program)
        self.docker.chmod(0o755)

    def sh(self, script: str) -> float:
        return self.bench.sh(script, PATH=self.site.host.path(), DOCKER=str(self.docker), HERE=self.site.here["DOCKER_HOST"],
                             PUSH=f"127.0.0.1:{self.site.registry_relay.port}", PULL=f"127.0.0.1:{self.site.registry_port}")

    def reset_host(self, old: str) -> None:
        """The host has the old image and nothing else; the line is fast meanwhile."""
        self.site.host.connect_through(self.site.host.port)
        self.sh("ssh plant 'docker ps -aq | xargs -r docker rm -f; docker images -q | sort -u | xargs -r docker rmi -f' >/dev/null; "
                f"rsync -a --delete '{self.bench.scratch}/old-unpacked/' plant:/tmp/veneer-bench-unpacked/; \"$VENEER\" ship {old} ssh://plant --as shop:live -q")
        self.site.host.connect_through(self.site.relay.port)

    def measure(self, script: str) -> tuple[int, float]:
        for relay in (self.site.relay, self.site.registry_relay):
            relay.reset()
        seconds = self.sh(script)
        return self.site.relay.up + self.site.registry_relay.up, seconds

    def build(self, name: str, release: str, change: str) -> None:
        """The image of a release: as a layout, in the engine here (veneer/NAME), and as an unpacked archive."""
        folder = f"{self.bench.scratch}/{name}"
        self.sh(f"rm -rf '{folder}'*; git checkout -qf {release}; {change or ':'}; \"$VENEER\" build -q -o oci:{folder}:greenhouse; "
                f"DOCKER_HOST=$HERE \"$VENEER\" pull oci:{folder}:greenhouse --as shop:{name} -q; "
                f"mkdir '{folder}-unpacked'; \"$DOCKER\" save shop:{name} | tar -x -C '{folder}-unpacked'")

    def run(self) -> None:
        old, new = f"oci:{self.bench.scratch}/old:greenhouse", f"oci:{self.bench.scratch}/new:greenhouse"
        unpacked = f"'{self.bench.scratch}/new-unpacked/' plant:/tmp/veneer-bench-unpacked/"
        ways = {
            "veneer ship": f"\"$VENEER\" ship {new} ssh://plant --as shop:live -q",
            "docker push, docker pull on the host": "\"$DOCKER\" tag shop:new $PUSH/shop:new; \"$DOCKER\" push -q $PUSH/shop:new; "
                                                    "ssh plant \"docker pull -q $PULL/shop:new && docker tag $PULL/shop:new shop:live\"",
            "rsync of the unpacked archive, docker load": f"rsync -a --checksum --delete {unpacked}; ssh plant 'tar -c -C /tmp/veneer-bench-unpacked . | docker load -q && docker tag shop:new shop:live'",
            "docker save | gzip | ssh docker load": "\"$DOCKER\" save shop:new | gzip | ssh plant 'docker load -q && docker tag shop:new shop:live'",
        }
        for change, (before, after) in CHANGES.items():
            self.build("old", *before)
            self.sh("\"$DOCKER\" tag shop:old $PUSH/shop:old; \"$DOCKER\" push -q $PUSH/shop:old")
            self.build("new", *after)
            rows = {}
            for way, command in ways.items():
                self.reset_host(old)
                rows[way] = self.measure(command)
            print(f"\nline: {change} changed, 10 Mbit/s and 100 ms")
            least_bytes, least_seconds = rows["veneer ship"]
            for way, (bytes_up, seconds) in rows.items():
                print(f"  {way:<44} {bytes_up / 1e6:9.2f} MB {bytes_up / least_bytes:8.1f}x {seconds:8.1f} s {seconds / least_seconds:6.1f}x")
                self.bench.rows.append({"bench": f"line: {change}", "way": way, "bytes": bytes_up, "seconds": seconds})
        self.sh("git checkout -qf v1.0.0; rm -rf /tmp/veneer-bench-unpacked")


def run(bench) -> None:
    line = Line(bench)
    try:
        line.run()
    finally:
        line.site.close()
