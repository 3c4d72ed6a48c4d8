"""Bytes, requests and seconds of pushes to a registry and pulls from it, by veneer and by the tools that one would use
instead. Called by bench/run.

The registry is Debian's docker-registry behind a relay on loopback (10 Mbit/s, 100 ms for a round trip). Every push finds
the image before in the registry, every pull finds it in the engine.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "support" / "python"))
from line import CHANGES, ENGINES, RATE, ROUND_TRIP, engine  # noqa: E402
from real_registry import RealRegistry  # noqa: E402
from relay import Relay  # noqa: E402

STORES = {"overlay2": "docker20@bench-pull", "containerd's store": "docker28-c8d@bench-pull"}


class Registries:
    def __init__(self, bench, images: dict[str, tuple[str, str]]):
        self.bench, self.images = bench, images
        self.old = self.new = ""
        self.engines = {store: engine("start", name) for store, name in STORES.items()}
        self.registry: RealRegistry | None = None
        self.relay: Relay | None = None

    def close(self) -> None:
        self.close_registry()
        for name in STORES.values():
            engine("wipe", name)

    def close_registry(self) -> None:
        if self.relay:
            self.relay.close()
            self.registry.close()

    def new_registry(self) -> None:
        """An empty one, and a line to it that is slow while something is measured."""
        self.close_registry()
        shutil.rmtree(self.bench.scratch / "registry", ignore_errors=True)
        self.registry = RealRegistry(self.bench.scratch / "registry")
        self.relay = Relay(("127.0.0.1", self.registry.port))

    def program(self, store: str) -> str:
        """Docker's client of that engine."""
        path = self.bench.scratch / ("docker-of-" + STORES[store].replace("@", "-"))
        if not path.exists():
            path.write_text(subprocess.run([str(ENGINES), "script", STORES[store], "docker"], check=True, capture_output=True, text=True, cwd="/tmp").stdout)
            path.chmod(0o755)
        return f"'{path}'"

    def sh(self, script: str, store: str = "overlay2") -> float:
        return self.bench.sh(script, REGISTRY=f"127.0.0.1:{self.relay.port}", DIRECT=self.registry.address, OLD=self.old, NEW=self.new, DOCKER_HOST=self.engines[store]["DOCKER_HOST"])

    def requests(self) -> int:
        log = (self.registry.folder / "log").read_text(errors="replace")
        return len(re.findall(r'"[A-Z]+ \S+ HTTP/', log))

    def measure(self, script: str, store: str = "overlay2") -> tuple[int, int, float]:
        """Bytes both ways, requests, seconds."""
        self.relay.rate, self.relay.delay = RATE, ROUND_TRIP / 2
        self.relay.reset()
        before = self.requests()
        seconds = self.sh(script, store)
        self.relay.rate = self.relay.delay = 0
        return self.relay.up + self.relay.down, self.requests() - before, seconds

    def print(self, title: str, rows: dict[str, tuple[int, int, float]]) -> None:
        print(f"\nregistries: {title}, 10 Mbit/s and 100 ms")
        ours = next(iter(rows.values()))
        for way, (count, requests, seconds) in rows.items():
            print(f"  {way:<28} {count:12} bytes {count / ours[0]:8.2f}x {requests:5} requests {requests / ours[1]:6.1f}x {seconds:8.1f} s {seconds / ours[2]:6.1f}x")
            self.bench.rows.append({"bench": f"registries: {title}", "way": way, "bytes": count, "requests": requests, "seconds": seconds})

    def pushes(self, change: str) -> None:
        docker = self.program("overlay2")
        ways = {
            "veneer push": ('"$VENEER" push "$OLD" $REGISTRY/shop:1 -q', '"$VENEER" push "$NEW" $REGISTRY/shop:1 -q'),
            "skopeo copy": ('skopeo copy -q --dest-tls-verify=false "$OLD" docker://$REGISTRY/shop:1', 'skopeo copy -q --dest-tls-verify=false "$NEW" docker://$REGISTRY/shop:1'),
            "docker push": (f'for one in OLD NEW; do "$VENEER" pull "${{!one}}" --as shop:$one -q; done; {docker} tag shop:OLD $REGISTRY/shop:1; {docker} push -q $REGISTRY/shop:1; {docker} tag shop:NEW $REGISTRY/shop:1',
                            f"{docker} push -q $REGISTRY/shop:1"),
        }
        rows = {}
        for way, (prepare, script) in ways.items():
            self.new_registry()
            self.sh(prepare)
            rows[way] = self.measure(script)
        self.print(f"push after {change} changed", rows)

    def pulls(self, change: str) -> None:
        for store in STORES:
            docker = self.program(store)
            self.new_registry()
            self.sh('"$VENEER" push "$OLD" $DIRECT/shop:old -q; "$VENEER" push "$NEW" $DIRECT/shop:new -q')
            rows = {}
            for way, script in {"veneer pull": 'XDG_CACHE_HOME="$SCRATCH/pulls" "$VENEER" pull $REGISTRY/shop:new --as shop:1 -q', "docker pull": f"{docker} pull -q $REGISTRY/shop:new"}.items():
                self.sh(f"{docker} images -q | sort -u | xargs -r {docker} rmi -f; rm -rf \"$SCRATCH/pulls\"; {docker} pull -q $DIRECT/shop:old", store)
                rows[way] = self.measure(script, store)
            self.print(f"pull into {store} after {change} changed", rows)

    def run(self) -> None:
        for change, (self.old, self.new) in self.images.items():
            self.pushes(change)
            self.pulls(change)


def build_images(bench) -> dict[str, tuple[str, str]]:
    """By change, the images before and after it; those of an earlier run as they are."""
    images = {}
    for change in ("a line of code", "a package", "the base"):
        names = []
        for name, (release, edit) in zip(("before", "after"), CHANGES[change]):
            folder = bench.scratch / "registries" / f"{change.replace(' ', '-')}-{name}"
            if not folder.exists():
                bench.sh(f"git checkout -qf {release}; {edit or ':'}; \"$VENEER\" build -q -o 'oci:{folder}.new:greenhouse'; mv '{folder}.new' '{folder}'")
            names.append(f"oci:{folder}:greenhouse")
        images[change] = (names[0], names[1])
    bench.sh("git checkout -qf v1.0.0")
    return images


def run(bench) -> None:
    registries = Registries(bench, build_images(bench))
    try:
        registries.run()
    finally:
        registries.close()
