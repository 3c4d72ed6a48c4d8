#!/usr/bin/env python3
"""Deploys in which something dies, is cut off or has no room: whatever happens, what is said, the live name, what serves and the
history agree, and the next deploy ends well without help.

    VENEER_SOAK_MOMENTS=N VENEER_SOAK_SEED=S accident_test.py Soak    N moments by chance (./dev soak)
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
from accidents import Accidents, Moment  # noqa: E402
from deploy_test import OnHost  # noqa: E402
from ssh_host import run_engines  # noqa: E402

COMPOSE = """\
services:
  web:
    image: {image}
    network_mode: none
    restart: always
    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "web"]
    healthcheck:
      test: ["CMD", "/app/.venv/bin/python", "-m", "shop.health"]
      interval: 1s
      retries: 2
    stop_grace_period: 0s
  worker:
    image: {image}
    network_mode: none
    entrypoint: ["/app/.venv/bin/python", "-m", "shop.serve", "worker"]
    stop_grace_period: 0s
"""
CONTAINER = '{{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "org.opencontainers.image.revision"}} {{.State.Status}}'

UP, TAG, LOOK = "*up -d*", "docker tag sha256:*:live", "docker inspect*.State.Status*"
MOMENTS = (
    Moment("first question", ("docker version*",)),
    Moment("load", ("docker load*",)),
    Moment("while it loads", ("docker load*",), "during"),
    Moment("loaded", ("docker load*",), "after"),
    Moment("tried", ("docker create*veneer-check*",), "after"),
    Moment("compared", ("*config*",), "after"),
    Moment("name", (TAG,)),
    Moment("named", (TAG,), "after"),
    Moment("restart", (UP,)),
    Moment("while it restarts", (UP,), "during"),
    Moment("restarted", (UP,), "after"),
    Moment("health", (UP, LOOK), "after"),
    Moment("hold", ("docker create*veneer-keep*",), "after"),
)
# Of a release that is not well.
MOMENTS_BACK = (
    Moment("name again", (UP, TAG)),
    Moment("named again", (UP, TAG), "after"),
    Moment("while it restarts back", (UP, UP), "during"),
    Moment("restarted back", (UP, UP), "after"),
)
KINDS = ("script", "line", "sender", "engine", "host")


@dataclass
class State:
    """What an engine tells, by the commits that images are made of."""

    live: str
    services: list[str]  # "web COMMIT STATUS"

    def is_all(self, commit: str, status: str = "running") -> bool:
        """An empty `status`: any."""
        return self.live == commit and [row if status else row.rpartition(" ")[0] for row in self.services] == [
            f"{name} {commit} {status}".strip() for name in ("web", "worker")]


class Checked:
    """Mixed in beside OnHost: the checker."""

    def setUp(self):
        super().setUp()
        self.compose("rm", "-sf", "other")
        (self.compose_folder / "compose.yaml").write_text(COMPOSE.format(image=self.live))
        self.compose("up", "-d")
        self.places = {"what came": self.host.home / "cache", "the history": self.host.folder / "state"}
        for place in self.places.values():
            mount(self.addCleanup, place, "size=8m,nr_inodes=300")
        self.accidents = Accidents(self.host, self.unit)
        self.number = 0

    def revision(self) -> str:
        return fixtures.git(self.project, "rev-parse", "HEAD").strip()

    def state(self) -> State:
        live = self.client("image", "inspect", "--format", '{{index .Config.Labels "org.opencontainers.image.revision"}}', self.live, check=False)
        containers = self.client("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.compose_project}").split()
        return State(live, sorted(self.client("inspect", "--format", CONTAINER, *containers).splitlines()) if containers else [])

    def settled_history(self) -> list[dict]:
        """When nobody is at work there any more."""
        limit = time.monotonic() + 120
        while True:
            releases = self.history()
            if not releases or releases[-1]["outcome"] != "at work":
                return releases
            self.assertLess(time.monotonic(), limit, "it is at work for ever")
            time.sleep(0.2)

    def start_deploy(self) -> subprocess.Popen:
        words = self.arguments("deploy", "--settle", "1", "--wait", "30", "--json")
        return subprocess.Popen([fixtures.binary(), *words], cwd=self.project, env=self.environment(PATH=self.host.path()), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def assert_tidy(self) -> None:
        left = [path.name for place in (self.host.folder / "state", self.host.staging) for path in place.rglob("*")
                if path.name.startswith("work.") or path.suffix in (".part", ".pending", ".lock", ".working") or path.name == "lock"]
        self.assertEqual(left, [])
        self.assertEqual(self.client("ps", "-aq", "--filter", "label=dev.veneer.check"), "")

    def check(self, code: int, printed: str, errors: str, old: str, new: str, known: list[dict], died: bool) -> None:
        """`known`: the history before. `died`: the engine did, so what has no restart policy does not run."""
        told = f"exit code {code}\n{printed}\n{errors}"
        releases = self.settled_history()
        state = self.state()
        own = [release["outcome"] for release in releases[len(known):] if release["kind"] == "deploy"]
        told += f"\n{state}\nold {old} new {new}: {own}"
        host = json.loads(printed)["hosts"][0] if printed else {}
        self.assertLessEqual(len(own), 1, told)
        last = own[0] if own else "nothing"
        if code == 0:
            self.assertEqual(host["outcome"], "well", told)
            if last == "unfinished":
                self.assertIn("how this ended is not in the history", printed, told)
                last = "well"
            self.assertEqual(last, "well", told)
        elif code == 7:
            self.assertEqual((host["outcome"], last), ("back", "back"), told)
        elif host.get("outcome") == "failed":
            self.assertEqual(last, "failed", told)
            for row in state.services:
                service, commit, status = row.split()
                said = f"{service} ({'the new image' if commit == new else 'the old image'}) {'runs' if status == 'running' else 'does not run'}"
                self.assertTrue(died or said in host["why"], told)
        elif code >= 0:
            self.assertIn("error: ", errors, told)
            self.assertIn("hint: ", errors, told)
            if code != 5:  # known to have changed nothing
                self.assertIn(last, ("nothing", "back"), told)
        if code == 5 and last != "nothing":
            self.assertIn("veneer history", errors, told)
        if last in ("well", "back", "nothing"):
            # Where services were restarted for the way back, it was after the engine came again.
            self.assertTrue(state.is_all(new if last == "well" else old, "" if died and code != 7 else "running"), told)
        else:
            self.assertLessEqual({state.live, *(row.split()[1] for row in state.services)}, {old, new}, told)

    def next_release(self, crash: str = "") -> None:
        self.number += 1
        self.write(f"number {self.number}", crash=crash)

    def deploy_with(self, begin, kind: str, crash: str = "") -> None:
        """A deploy in which `begin` lets something happen; the checker; the deploy after it."""
        old = self.state().live
        known = self.history()
        self.next_release(crash)
        process = begin()
        printed, errors = process.communicate()
        self.accidents.disarm()
        if kind in ("engine", "host"):
            run_engines("start", self.unit)
        self.check(process.returncode, printed, errors, old, self.revision(), known, kind in ("engine", "host"))
        if crash:
            self.next_release()
        self.assert_deploys()

    def assert_deploys(self) -> None:
        again = self.deploy("--wait", "30")
        self.assertEqual(again["outcome"], "well", again)
        self.assertTrue(self.state().is_all(self.revision()), f"{self.state()} {self.revision()}")
        self.assertEqual([release["outcome"] for release in self.history()][-1], "well")
        self.assert_tidy()

    def try_moment(self, kind: str, moment: Moment, crash: str = "") -> None:
        def begin() -> subprocess.Popen:
            self.accidents.prepare(kind, moment)
            process = self.start_deploy()
            self.accidents.sender.write_text(str(process.pid))
            return process

        with self.subTest(kind=kind, moment=moment.name):
            began = time.monotonic()
            self.deploy_with(begin, kind, crash)
            self.assertTrue(self.accidents.has_happened())
            print(f"{kind} at {moment.name}: {time.monotonic() - began:.1f} s", flush=True)

    def try_full(self, what: str, where: str, when: str, crash: str = "") -> None:
        with self.subTest(what=what, where=where, moment=when):
            old, known = self.state().live, self.history()
            self.next_release(crash)
            self.accidents.prepare(what, moment(when), self.places[where])
            process = self.start_deploy()
            printed, errors = process.communicate()
            self.accidents.disarm()
            self.assertTrue(self.accidents.has_happened())
            shutil.rmtree(self.places[where] / "filler")
            print(f"{what} of {where} at {when}: {process.returncode} {errors} {printed[:900]}", flush=True)
            self.check(process.returncode, printed, errors, old, self.revision(), known, died=False)
            if process.returncode != 0 and not crash:
                self.assertRegex(printed + errors, "(?s)o space left on (the host|device).*inodes|bytes free where what is sent waits")
            if crash:
                self.next_release()
            self.assert_deploys()

    def try_kind(self, kind: str) -> None:
        for one in MOMENTS:
            self.try_moment(kind, one)
        for one in MOMENTS_BACK:
            self.try_moment(kind, one, crash="sys.exit(3)")


def mount(add_cleanup, place: Path, options: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    add_cleanup(subprocess.run, ["umount", "--lazy", str(place)], check=True)


def facts_of(text: str) -> dict[str, str]:
    return dict(line.replace("'", "").split("=", 1) for line in text.split())


def moment(name: str) -> Moment:
    return next(one for one in MOMENTS + MOMENTS_BACK if one.name == name)


class Few(Checked):
    """The cheapest of each kind."""

    def test_accidents(self):
        self.try_moment("script", moment("while it restarts"))
        self.try_moment("engine", moment("health"))
        self.try_full("bytes", "the history", "compared")


class Docker20(Few, OnHost):
    engine, instance = "docker20", "accident"


if os.environ.get("VENEER_TEST_ALL"):

    class AllMoments(Checked):
        def test_script(self):
            self.try_kind("script")

        def test_line(self):
            self.try_kind("line")

        def test_sender(self):
            self.try_kind("sender")

        def test_engine(self):
            self.try_kind("engine")

        def test_host(self):
            self.try_kind("host")

    class Docker20Moments(AllMoments, OnHost):
        engine, instance = "docker20", "accidents"

    class Docker28Containerd(Few, OnHost):
        engine, front, instance = "docker28-c8d", "plugin", "accident"

    class Docker20Full(Checked, OnHost):
        """Small file systems below the engine and the script, filled in the middle: what is full is named."""

        engine, instance = "docker20", "full"

        @classmethod
        def setUpClass(cls):
            cls.unit = f"{cls.engine}@{cls.instance}"
            cls.place = fixtures.test_cache() / "engines" / cls.unit
            run_engines("stop", cls.unit)
            if cls.place.is_mount():  # of a run that was killed
                subprocess.run(["umount", str(cls.place)], check=True)
            run_engines("wipe", cls.unit)
            cls.addClassCleanup(run_engines, "wipe", cls.unit)
            mount(cls.addClassCleanup, cls.place, "size=1g,nr_inodes=60k")
            cls.addClassCleanup(run_engines, "stop", cls.unit)
            cls.facts = facts_of(run_engines("start", cls.unit, text=True).stdout)

        def setUp(self):
            super().setUp()
            self.places["the engine"] = self.place / "data"

        # At which points something is written there after; then those of a release that is not well.
        POINTS = {
            "the engine": (("first question", "load", "while it loads", "loaded", "tried", "compared", "name", "named", "restart", "while it restarts", "restarted", "health", "hold"),
                           ("name again", "named again", "while it restarts back")),
            "what came": (("first question", "load", "while it loads"), ()),
            "the history": (("first question", "compared", "named", "restarted", "health"), ("name again", "restarted back")),
        }

        def try_points(self, what: str, where: str) -> None:
            for when in self.POINTS[where][0]:
                self.try_full(what, where, when)
            for when in self.POINTS[where][1]:
                self.try_full(what, where, when, crash="sys.exit(3)")

        def test_bytes_of_the_engine(self):
            self.try_points("bytes", "the engine")

        def test_inodes_of_the_engine(self):
            self.try_points("inodes", "the engine")

        def test_bytes_of_what_came(self):
            self.try_points("bytes", "what came")

        def test_inodes_of_what_came(self):
            self.try_points("inodes", "what came")

        def test_bytes_of_the_history(self):
            self.try_points("bytes", "the history")

        def test_inodes_of_the_history(self):
            self.try_points("inodes", "the history")


if os.environ.get("VENEER_SOAK_MOMENTS"):

    class Soak(Checked, OnHost):
        """What happens, and when, is up to chance."""

        engine, instance = "docker20", "accident-soak"

        def test_moments(self):
            count = int(os.environ["VENEER_SOAK_MOMENTS"])
            seed = os.environ.get("VENEER_SOAK_SEED") or str(random.randrange(10**9))
            print(f"seed {seed}", flush=True)
            chance = random.Random(seed)
            began = time.monotonic()
            self.deploy_with(self.start_deploy, "nothing")
            longest = (time.monotonic() - began) / 2
            for number in range(count):
                kind, crash = chance.choice(KINDS), chance.choice(("", "", "sys.exit(3)"))
                after = chance.uniform(0, 1.3 if crash else 1) * longest

                def begin() -> subprocess.Popen:
                    process = self.start_deploy()
                    try:
                        process.wait(after)
                    except subprocess.TimeoutExpired:
                        self.accidents.happen(kind, process)
                    return process

                print(f"{number}: {kind} after {after:.2f} s{', not well' if crash else ''}", flush=True)
                self.deploy_with(begin, kind, crash)


if __name__ == "__main__":
    fixtures.main()
