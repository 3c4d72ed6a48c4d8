#!/usr/bin/env python3
"""An edit by a builder that has nothing (a runner of a CI): bytes and requests at the registry, by veneer and by a Dockerfile
with `docker build --cache-from`.

The registry is Debian's docker-registry behind a relay that counts. The project has 13 MB of dependencies; its base, a Debian with
python3 and uv, lies in that registry too. With VENEER_TEST_ALL=1 the same edit by BuildKit of Docker 20.10, whose cache is
in the image that was pushed before: `docker build --build-arg BUILDKIT_INLINE_CACHE=1 --cache-from`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import layouts  # noqa: E402
import real_registry  # noqa: E402
from relay import Relay  # noqa: E402
from ssh_host import ENGINES, run_engines, start_engine  # noqa: E402

UNIT = "docker20@cold"
# As their manuals advise: what seldom changes first, the environment before the code.
DOCKERFILE = """\
FROM {base}
ENV UV_OFFLINE=1 UV_LINK_MODE=copy PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /app
COPY pyproject.toml uv.lock ./
COPY wheels wheels
RUN uv sync --frozen --no-dev --no-install-project --no-cache
COPY README.md run.py ./
COPY src src
RUN uv sync --frozen --no-dev --no-editable --no-cache
CMD ["shop"]
"""


class Edit(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.registry = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(self.registry.close)
        self.line = Relay(("127.0.0.1", self.registry.port))
        self.addCleanup(self.line.close)
        self.team = f"127.0.0.1:{self.line.port}/team"
        uv = {"usr/local": None, "usr/local/bin": None, "usr/local/bin/uv": (Path(shutil.which("uv")).read_bytes(), 0o755)}
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "base", uv, lambda config: None)
        self.veneer("push", f"oci:{base}", f"{self.team}/base:1")
        self.path = self.small_project(dependencies=4)
        fixtures.write_large_parts(self, self.path, {0: 1, 1: 1, 2: 1, 3: 1})
        pyproject = self.path / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace(f"oci:{fixtures.debian_base()}", f"{self.team}/base:1"))
        (self.path / "Dockerfile.alone").write_text(DOCKERFILE.format(base=f"{self.team}/base:1"))

    def edited(self, name: str) -> Path:
        """A clone of the project, with nothing in it that git does not track, in which a line is another."""
        clone = self.folder / name / "shop"
        fixtures.git(self.folder, "clone", "-q", str(self.path), str(clone))
        (clone / "src/shop/__init__.py").write_text("def main():\n    print('hello again')\n")
        fixtures.commit_all(clone, "Edit")
        return clone

    def asked(self) -> int:
        return len(re.findall(r'"[A-Z]+ \S+ HTTP/', (self.registry.folder / "log").read_text(errors="replace")))

    def measure(self, way: str, action) -> tuple[int, int]:
        """Bytes both ways and requests."""
        self.line.reset()
        before = self.asked()
        action()
        figures = self.line.up + self.line.down, self.asked() - before
        print(f"[{way}: {figures[0]} bytes ({self.line.down} down, {self.line.up} up), {figures[1]} requests]", file=sys.stderr)
        return figures

    def by_veneer(self) -> tuple[int, int]:
        self.veneer("build", "--push", f"{self.team}/shop:1", cwd=self.path)
        fixtures.commit_all(self.path, "With veneer.lock")
        clone = self.edited("veneer")
        self.cache = self.folder / "nothing"
        built = {}

        def action():
            built.update(json.loads(self.veneer("build", "--push", f"{self.team}/shop:2", "--previous", f"{self.team}/shop:1", "--json",
                                                cwd=clone, CI="true").stdout))

        figures = self.measure("veneer", action)
        self.assertEqual(self.registry.tag("team/shop", "2"), built["manifest"])
        self.assertEqual({layer["title"] for layer in built["layers"] if layer["made"]} - {"environment"}, {"application"})
        return figures

    def test_what_an_edit_costs(self):
        count, requests = self.by_veneer()
        self.assertLess(count, 100_000)
        self.assertLess(requests, 25)
        if not os.environ.get("VENEER_TEST_ALL"):
            return
        other = self.by_dockerfile()
        self.assertGreater(other[0], 100 * count)

    # ---- the other way ----

    def docker(self, *words: str, cwd: Path) -> str:
        done = subprocess.run([str(ENGINES), "exec", UNIT, "env", "DOCKER_BUILDKIT=1", "docker", *words], capture_output=True, text=True, cwd=cwd)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def build_and_push(self, path: Path, tag: str, *words: str) -> str:
        name = f"{self.team}/alone:{tag}"
        said = self.docker("build", "--progress=plain", "--network=none", "--build-arg=BUILDKIT_INLINE_CACHE=1", *words,
                           "--file=Dockerfile.alone", f"--tag={name}", ".", cwd=path)
        self.docker("push", "--quiet", name, cwd=path)
        return said

    def by_dockerfile(self) -> tuple[int, int]:
        start_engine(self, UNIT)
        self.build_and_push(self.path, "1")
        run_engines("wipe", UNIT)
        run_engines("start", UNIT)
        clone = self.edited("docker")
        said = []
        figures = self.measure("docker build --cache-from, docker push",
                               lambda: said.append(self.build_and_push(clone, "2", f"--cache-from={self.team}/alone:1")))
        # The environment came from the cache, and what runs is the edit.
        self.assertRegex(said[0], r"--no-install-project --no-cache\n#\d+ (sha256|CACHED|pulling)")
        self.assertEqual(self.docker("run", "--rm", "--network=none", f"{self.team}/alone:2", cwd=clone), "hello again\n")
        return figures


if __name__ == "__main__":
    fixtures.main()
