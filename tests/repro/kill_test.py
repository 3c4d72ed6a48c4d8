#!/usr/bin/env python3
"""A build that is killed, or runs out of disk, leaves the old image or the new one, and the next build succeeds.

    kill_test.py                named fail points (CI)
    kill_test.py --random N     N kills at random moments as well
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402
from registry_images import put_image  # noqa: E402

RANDOM_KILLS = 0
FAIL_POINTS = ["cache.before-blob", "cache.before-blob:2", "cache.between-blob-and-entry", "cache.between-blob-and-entry:2",
               "cache.after-entry", "file.before-rename:1", "file.before-rename:4", "file.before-rename:9", "file.after-rename:2",
               "layout.before-index", "layout.after-index"]


class Kill(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.project = self.small_project()
        self.old = self.json("build", "--json", cwd=self.project)

    def edit(self, number: int) -> None:
        """A new commit that changes a dependency's wheel and the code: new layers in the middle and on top."""
        fixtures.wheel(self.project / "wheels", "part0", "1.0",
                       {"part0/__init__.py": f"VALUE = {number}\n", "part0/data.bin": random.Random(number).randbytes(300_000)})
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=self.project, check=True, env=self.environment())
        (self.project / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print({number})\n")
        fixtures.commit_all(self.project, f"Edit {number}", time=fixtures.FIRST_COMMIT_TIME + number)

    def check(self, expected_new: str | None = None) -> dict:
        """The image is whole and is the old or the new one; the next build makes the new one."""
        now = self.json("inspect", "--json", "--verify", "shop:1.0.0", cwd=self.project)["manifest"]
        new = self.json("build", "--json", cwd=self.project)
        self.assertIn(now, (self.old["manifest"], new["manifest"]))
        if expected_new:
            self.assertEqual(new["manifest"], expected_new)
        verified = self.json("inspect", "--json", "--verify", "shop:1.0.0", cwd=self.project)
        self.assertEqual(verified["manifest"], new["manifest"])
        self.old = new
        return new

    def test_named_fail_points(self):
        for number, point in enumerate(FAIL_POINTS, start=1):
            with self.subTest(point):
                self.edit(number)
                killed = self.veneer("build", cwd=self.project, code=None, VENEER_FAIL_POINT=point)
                self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stderr)
                self.check()

    def test_random_moments(self):
        for number in range(1, RANDOM_KILLS + 1):
            self.edit(1000 + number)
            started = time.monotonic()
            process = subprocess.Popen([fixtures.binary(), "build"], cwd=self.project, env=self.environment(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait = random.uniform(0, 0.8)
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            print(f"kill {number} after {time.monotonic() - started:.3f} s: exit {process.returncode}", flush=True)
            self.check()

    def test_interrupt_ends_quietly_and_loses_nothing(self):
        self.edit(5000)
        process = subprocess.Popen([fixtures.binary(), "build"], cwd=self.project, env=self.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertIn(process.returncode, (0, -signal.SIGINT, 130))
        self.check()


class FullDisk(fixtures.SystemTest):
    """The cache and the output on file systems that are too small: a clear error, nothing half."""

    def in_small_space(self, script: str, size: str, where: Path) -> subprocess.CompletedProcess:
        where.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [fixtures.SOURCE / "tests" / "support" / "private_mounts", "sh", "-c",
             f"mount -t tmpfs -o size={size} tmpfs '{where}' && {script}"],
            capture_output=True, text=True, env=self.environment())

    def test_no_space_for_the_cache(self):
        project = self.small_project()
        small = self.folder / "small"
        result = self.in_small_space(
            f"cd '{project}' && '{fixtures.binary()}' build --cache '{small}'; code=$?; find '{small}' -name '*.tmp'; exit $code",
            "40k", small)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("No space left on device", result.stderr)
        self.assertIn("hint:", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_no_space_for_layers_of_a_registry(self):
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        image = put_image(registry, "team/app", "1", {"a": random.Random(1).randbytes(400_000).hex()})
        small = self.folder / "small"
        command = f"'{fixtures.binary()}' inspect {registry.address}/team/app:1 --tree --cache '{small}'"
        result = self.in_small_space(f"{command}; code=$?; find '{small}' -type f -name '[0-9a-f]*' -size +100k; exit $code", "200k", small)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertIn("No space left on device", result.stderr)
        self.assertIn("hint:", result.stderr)
        self.assertIn(image["digest"], self.veneer("inspect", f"{registry.address}/team/app:1", "--json", "--cache", small).stdout)

    def test_no_space_for_the_lock(self):
        """The image is there; what it stands on is not pinned, and that is said."""
        project = self.small_project()
        small = self.folder / "small"
        result = self.in_small_space(
            f"cp -a '{project}/.' '{small}' && cd '{small}' && (dd if=/dev/zero of=.git/fill bs=4k 2>/dev/null; true) && "
            f"'{fixtures.binary()}' build --cache '{self.cache}' -o 'oci:{self.folder}/image' && ls -A", "2m", small)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("is not pinned", result.stderr)
        self.assertIn("No space left on device", result.stderr)
        self.assertNotIn("veneer.lock", result.stdout)

    def test_no_space_for_the_output(self):
        project = self.small_project()
        small = self.folder / "output"
        result = self.in_small_space(
            f"cd '{project}' && '{fixtures.binary()}' build --output 'docker-archive:{small}/image.tar'; code=$?; ls -A '{small}'; exit $code",
            "200k", small)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("No space left on device", result.stderr)
        self.assertEqual(result.stdout, "")


if os.environ.get("VENEER_TEST_ALL"):

    class Memory(fixtures.SystemTest):
        def test_a_layer_of_four_gigabytes_takes_little_memory(self):
            """GoogleContainerTools/kaniko#1680, coder/envbuilder#459: the building half."""
            project = self.small_project()
            with open(project / "big.bin", "wb") as big:
                big.truncate(4 << 30)
            text = (project / "pyproject.toml").read_text()
            (project / "pyproject.toml").write_text(text.replace("\nfiles = [", '\nfiles = [{ from = "big.bin", to = "/app/big.bin" }, '))
            (project / ".gitignore").write_text(".veneer/\nbig.bin\n")
            fixtures.commit_all(project, "A big file")
            code, printed, kilobytes = self.veneer_and_its_memory("build", cwd=project)
            self.assertEqual(code, 0, printed)
            print(f"resident memory at most {kilobytes / 1024:.0f} MiB", flush=True)
            self.assertLess(kilobytes, 256 * 1024)


if __name__ == "__main__":
    if "--random" in sys.argv:
        position = sys.argv.index("--random")
        RANDOM_KILLS = int(sys.argv[position + 1])
        del sys.argv[position:position + 2]
    fixtures.main()
