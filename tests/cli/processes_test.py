#!/usr/bin/env python3
"""How the program begins and ends: closed standard descriptors, signals, kills, readers that go away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402


class Processes(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()

    def leftovers(self) -> list[str]:
        """Temporary files and folders that are still there."""
        places = [self.temporary, self.cache / "veneer" / "tmp"]
        return [path.name for place in places if place.exists() for path in place.iterdir()]

    def shell(self, script: str, project: Path) -> subprocess.CompletedProcess:
        environment = self.environment(TMPDIR=str(self.temporary), VENEER=fixtures.binary())
        return subprocess.run(["bash", "-c", script], cwd=project, env=environment, capture_output=True, text=True)

    def slow_project(self) -> Path:
        """A project whose wheel takes for ever to build; its back end says that it has begun."""
        project = self.small_project()
        backend = ("import os, time\ndef build_wheel(*_):\n    parent = os.getppid()\n    open(os.environ['HOME'] + '/begun', 'w').close()\n"
                   "    while os.getppid() == parent: time.sleep(0.1)\n")
        (project / "backend.py").write_text(backend)
        text = (project / "pyproject.toml").read_text()
        text = text.replace('requires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"',
                            'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]')
        (project / "pyproject.toml").write_text(text)
        fixtures.commit_all(project, "Slow")
        (self.folder / "home").mkdir(exist_ok=True)
        return project

    def started(self, project: Path) -> subprocess.Popen:
        begun = self.folder / "home" / "begun"
        begun.unlink(missing_ok=True)
        build = subprocess.Popen([fixtures.binary(), "build"], cwd=project, env=self.environment(TMPDIR=str(self.temporary)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not begun.exists():
            self.assertIsNone(build.poll(), build.stderr.read() if build.poll() is not None else "")
            time.sleep(0.01)
        return build

    def test_closed_standard_descriptors(self):
        # A base of its own: where this goes wrong, what is printed is written into a file of it.
        base = fixtures.shutil.copytree(fixtures.debian_base(), self.folder / "base")
        project = self.small_project(base=base)
        for closed in ("<&-", "2>&-", "<&- 2>&-"):
            with self.subTest(closed):
                (project / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print('{closed}')\n")
                fixtures.commit_all(project, closed)
                for command in ("build --json", "plan --json", "check --json", "inspect --json", "select uv.lock --python 3.11.2 --json"):
                    result = self.shell(f'"$VENEER" {command} {closed}', project)
                    self.assertIn(result.returncode, (0, 10), f"{command}\n{result.stderr}")
                    self.assertTrue(result.stdout.startswith("{"), command)
        for closed in (">&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                (project / "src" / "shop" / "__init__.py").write_text(f"def main():\n    print('{closed}')\n")
                fixtures.commit_all(project, closed)
                result = self.shell(f'"$VENEER" build --json {closed}', project)
                self.assertEqual(result.returncode, 1)
                if "2>&-" not in closed:
                    self.assertIn("cannot write to standard output: Bad file descriptor", result.stderr)
                self.veneer("inspect", "--verify", cwd=project)

    def test_a_signal_ends_it_quietly_and_leaves_nothing(self):
        project = self.slow_project()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                build = self.started(project)
                self.assertTrue(self.leftovers())
                build.send_signal(number)
                said = build.communicate()[1]
                self.assertEqual(build.returncode, -number)
                self.assertNotIn("error:", said)
                self.assertEqual(self.leftovers(), [])

    def test_the_next_run_removes_what_a_killed_one_left(self):
        project = self.slow_project()
        running = self.started(project)
        try:
            used = self.leftovers()
            other = self.folder / "other"
            fixtures.shutil.copytree(project, other, ignore=lambda *_: [".veneer"])
            (other / "src" / "shop" / "__init__.py").write_text("def main():\n    print('other')\n")
            fixtures.commit_all(other, "Other")
            killed = self.started(other)
            self.assertGreater(len(self.leftovers()), len(used))
            killed.kill()
            killed.communicate()
            self.assertGreater(len(self.leftovers()), len(used))
            self.veneer("build", cwd=self.small_project("quick"), TMPDIR=str(self.temporary))
            self.assertEqual(sorted(self.leftovers()), sorted(used), "what is in use stays")
        finally:
            running.kill()
            running.communicate()
        self.veneer("cache", "prune")
        self.assertEqual(self.leftovers(), [])

    def test_the_next_build_removes_a_killed_ones_part_of_its_output(self):
        project = self.small_project()
        self.veneer("build", cwd=project)
        place = self.folder / "out"
        place.mkdir()
        mine = place / ".image.tar.mine.tmp"
        mine.write_text("not of veneer")
        for number in range(1, 20):
            killed = self.veneer("build", "--output", f"docker-archive:{place}/image.tar", cwd=project, code=None,
                                 VENEER_FAIL_POINT=f"file.before-rename:{number}")
            self.assertEqual(killed.returncode, -signal.SIGKILL)
            if len(list(place.iterdir())) > 1:
                break
        self.veneer("build", "--output", f"docker-archive:{place}/image.tar", cwd=project)
        self.assertEqual(sorted(path.name for path in place.iterdir()), [mine.name, "image.tar"])

    def test_children_end_with_a_killed_process(self):
        build = self.started(self.slow_project())
        children = [int(pid) for pid in Path(f"/proc/{build.pid}/task").glob("*/children") for pid in pid.read_text().split()]
        self.assertTrue(children)
        build.kill()
        build.communicate()
        for child in children:
            while Path(f"/proc/{child}").exists() and " Z " not in Path(f"/proc/{child}/stat").read_text():
                time.sleep(0.01)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        project = self.small_project()
        self.veneer("build", cwd=project)
        for command in ("inspect --tree --json", "help build", "build --json"):
            with self.subTest(command):
                result = self.shell(f'"$VENEER" {command} | true; echo "${{PIPESTATUS[0]}}"', project)
                self.assertNotIn("error:", result.stderr)
                self.assertIn(int(result.stdout), (0, 128 + signal.SIGPIPE))
        self.assertEqual(self.leftovers(), [])


if __name__ == "__main__":
    fixtures.main()
