#!/usr/bin/env python3
"""Plain `docker pull` from a registry, behind a relay that counts: after a bump of one wheel an engine fetches what the plan said
before anything was built. An engine with overlay2 and one with the containerd store."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import real_registry  # noqa: E402
from relay import Relay  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402

BUMPED = 1  # of four parts of 4.0, 3.5, 3.0 and 2.5 MB, the largest lowest


class OnEngine(fixtures.SystemTest):
    engine = ""

    @classmethod
    def setUpClass(cls):
        if cls.engine:
            cls.unit = f"{cls.engine}@pull"
            start_engine(cls, cls.unit)

    def docker(self, *words: str) -> str:
        done = subprocess.run([str(ENGINES), "exec", self.unit, "docker", *words], capture_output=True, text=True, cwd="/tmp")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()


class Pull:
    """Mixed into a subclass of OnEngine for each engine."""

    def test_a_bump_costs_what_the_plan_said(self):
        registry = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(registry.close)
        line = Relay(("127.0.0.1", registry.port))
        self.addCleanup(line.close)
        pushed, pulled = f"{registry.address}/team/shop", f"127.0.0.1:{line.port}/team/shop"
        path = self.small_project(dependencies=4)
        fixtures.write_large_parts(self, path, {0: 1, 1: 1, 2: 1, 3: 1})
        before = self.json("build", "--push", f"{pushed}:1", "--json", cwd=path)["layers"]
        self.docker("pull", "--quiet", f"{pulled}:1")

        fixtures.write_large_parts(self, path, {BUMPED: 2})
        priced = self.json("plan", "--from", "HEAD~1", "--json", cwd=path)
        said = next(row for row in priced["deploy"] if row["receiver"].startswith("docker pull") and self.store in row["receiver"])
        built = self.json("build", "--push", f"{pushed}:2", "--previous", f"{pushed}:1", "--json", cwd=path)
        forecast = self.json("compare", f"registry:{pushed}:1", f"registry:{pushed}:2", "--json", cwd=path)["deploy"]
        shipped = next(row["plan"]["bytes"] for row in forecast if row["kind"] == self.kind and not row["splices"])
        line.reset()
        self.docker("pull", "--quiet", f"{pulled}:2")
        print(f"[{self.engine}: {line.down} bytes by docker pull, {said['bytes']} planned, {shipped} by ship's plan]", end=" ", file=sys.stderr)
        self.assertLess(abs(line.down - said["bytes"]), 0.02 * said["bytes"], priced)
        self.assertLess(abs(line.down - shipped), 0.02 * shipped)
        changed = next(layer["size"] for layer in built["layers"] if f"part{BUMPED} " in layer["title"])
        self.assert_fetched(line.down, changed, before, built["layers"])
        # It is this image, and it runs.
        self.assertEqual(self.docker("run", "--rm", "--network", "none", "--entrypoint", "/app/.venv/bin/shop", f"{pulled}:2"), "hello")
        line.reset()
        self.docker("pull", "--quiet", f"{pulled}:2")
        self.assertLess(line.down, 20_000)


class Docker20(Pull, OnEngine):
    engine, store, kind = "docker20", "overlay2", "prefix"

    def assert_fetched(self, fetched: int, changed: int, before: list[dict], layers: list[dict]) -> None:
        """What lies above the lowest change; the largest part lies below it."""
        at = next(i for i, (old, new) in enumerate(zip(before, layers)) if old["digest"] != new["digest"])
        self.assertIn("part0 ", layers[at - 1]["title"])
        above = sum(layer["size"] for layer in layers[at:])
        self.assertLess(abs(fetched - above), 0.02 * above)
        self.assertGreater(above, 2 * changed)


class Docker28Containerd(Pull, OnEngine):
    engine, store, kind = "docker28-c8d", "containerd", "blobs"

    def assert_fetched(self, fetched: int, changed: int, before: list[dict], layers: list[dict]) -> None:
        self.assertLess(abs(fetched - changed), 0.02 * changed)


if __name__ == "__main__":
    fixtures.main()
