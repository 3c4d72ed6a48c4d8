#!/usr/bin/env python3
"""What veneer's scripts do on a host, under three shells, with a made-up engine: faults that no real engine has when a test
wants it, and words that no real one says. tests/engines has the real ones."""

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path
from shlex import quote

from host import LIVE, NEW, NONCE, OLD, Host, as_word, made_up_docker

FULL_OF_BYTES = "mount -t tmpfs -o size=64k,mode=700 none {0} && mkdir -p {1} && {{ cat /dev/zero >{0}/filler 2>/dev/null; true; }}"
FULL_OF_INODES = "mount -t tmpfs -o nr_inodes={2},mode=700 none {0} && mkdir -p {1} && i=0 && while true 2>/dev/null >{0}/filler$i; do i=$((i + 1)); done"

VERDICTS = json.loads((Path(__file__).parent / "verdicts.json").read_text())
COMMANDS = (
    ["python3", "-c", "import sys\nsys.exit(1)"],
    ["test", "", "=", "x"],
    ["sh", "-c", "it's \"50%\" \\ $HOME `x` \t\r\n\n", "", " "],
    ["naïve", "日本", "\U0001f40d", "\u2028", "<&>", "\x7f\x01"],
    ["-v", "*", "a|b", "", "\\n", "\\u0041", "\n"],
)


def lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


class Scripts:
    """Mixed in before a class that names its shells: they run side by side."""

    shells: tuple[str, ...] = ()

    def at_once(self, check, *cases: str) -> None:
        """For what waits more than it works."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = {(shell, *case): pool.submit(check, shell, *case) for shell in self.shells for case in ([(case,) for case in cases] or [()])}
        for words, result in running.items():
            with self.subTest(words):
                result.result()

    # ---- what the host's files are ----

    def test_nothing_is_deleted_that_was_not_made(self):
        """Where no temporary file can be made, /dev/null stays; where one can, none stays."""
        for shell in self.shells:
            for case, setting in (("no TMPDIR", {"TMPDIR": "/nowhere"}), ("a TMPDIR", {}), ("no engine", {})):
                with self.subTest(case, shell=shell), Host(shell) as host:
                    removed = host.folder / "removed"
                    # A real rm that spares what is not below the test's own folder: as root the machine would suffer.
                    host.program("rm", f'#!/bin/sh\necho "$*" >>{removed}\ncase "$*" in *\\ /dev*) ;; *) exec /bin/rm "$@" ;; esac\n')
                    temporary = host.folder / "tmp"
                    temporary.mkdir()
                    if case == "no engine":
                        host.answers("version", "sys.exit('Cannot connect to the Docker daemon')")
                    answer = host.inventory(**{"TMPDIR": str(temporary), **setting})
                    self.assertTrue(answer.has_ended, answer)
                    if case == "no engine":
                        self.assertIn("Cannot connect to the Docker daemon", answer["problem"])
                    else:
                        self.assertIn("28.1.0", answer["version"])
                    self.assertNotIn("/dev/", removed.read_text() if removed.exists() else "")
                    self.assertEqual(list(temporary.iterdir()), [])

    def test_folder_of_somebody_else(self):
        """--host-folder: what another account owns, or may write to, is refused by name, however deep it lies."""
        for shell in self.shells:
            for case, make, refused in (
                ("of another account", "mkdir -p $1; chown 12345 $1", True),
                ("writable by all", "mkdir -p $1; chmod 1777 $1", True),
                ("writable by a group", "mkdir -p $1; chmod 770 $1", True),
                ("veneer's part of another account", "mkdir -p $1/veneer; chown 12345 $1/veneer", True),
                ("the lowest writable by all", "mkdir -p $1/veneer/ship; chmod 777 $1/veneer/ship", True),
                ("veneer's part a link", "mkdir -p $1 $1.else; ln -s $1.else $1/veneer", True),
                ("a link of one's own to a folder of one's own", "mkdir -p $1.else; ln -s $1.else $1", False),
                ("new", ":", False),
                ("there", "mkdir -p $1/veneer/ship", False),
            ):
                with self.subTest(case, shell=shell), Host(shell) as host:
                    place = host.folder / "place"
                    subprocess.run(["sh", "-c", "umask 022\n" + make, "sh", str(place)], check=True)
                    host.state["images"]["docker.io/library/precious:1"] = OLD
                    if (place / "veneer" / "ship").exists():
                        (place / "veneer" / "ship" / "x.pending").write_text("precious:1")
                    for answer in (host.inventory(lines=(f"staging {place}",)), host.put("size 3", f"staging {place}", body="abc")):
                        self.assertTrue(answer.has_ended, answer)
                        self.assertEqual(answer.has("refused"), refused, answer)
                    if refused:
                        self.assertIn(str(place), answer["refused"])
                        self.assertNotIn("precious:1", str([words for words in host.said() if words[0] == "rmi"]))

    def test_full_disk(self):
        """No bytes or no inodes left, in each folder that a script writes to: said at once, nothing changed, nothing locked."""
        full = "no space left on the host"
        for shell in self.shells:
            for disk, fill in (("bytes", FULL_OF_BYTES), ("inodes", FULL_OF_INODES)):
                for nodes, made in ((4, "{0}/.cache/veneer"), (6, "{0}/.cache/veneer/ship")):
                    with self.subTest("ship", disk=disk, made=made, shell=shell), Host(shell) as host:
                        made = made.format(host.home)
                        before = fill.format(host.home, made, nodes) + "\nmount -t tmpfs -o ro none /var/tmp"
                        answer = host.put("size 3", body="abc", before=before)
                        self.assertIn(full, answer["refused"], answer)
                        self.assertFalse(answer.has("done"), answer)
                with self.subTest("staging", disk=disk, shell=shell), Host(shell) as host:
                    place = host.folder / "place"
                    before = f"mkdir {place}\n" + fill.format(place, place, 2)
                    answer = host.put("size 3", f"staging {place}", body="abc", before=before)
                    self.assertIn(full, answer["refused"], answer)
                with self.subTest("rollout", disk=disk, shell=shell), Host(shell) as host:
                    before = fill.format(host.home, f"{host.home}/.local/state/veneer", 6)
                    answer = host.deploy(before=before)
                    self.assertIn(full, answer["refused"], answer)
                    self.assertEqual(host.state["images"][LIVE], OLD)
                    self.assertEqual(host.state["containers"], [host.container(), host.foreign])

    def test_disk_that_fills_up(self):
        """From one moment on nothing can be written: the verdict is what the engine says, and what is missing is said."""
        for shell in self.shells:
            for health, verdict, what in (("healthy", "well", "full"), ("unhealthy", "back", "full"), ("healthy", "well", "read only")):
                with self.subTest(health, what=what, shell=shell), Host(shell) as host:
                    state = host.home / ".local" / "state" / "veneer"
                    end = f"mount -o remount,ro {state}" if what == "read only" else f"cat /dev/zero >{state}/filler; i=0; while true >{state}/node$i; do i=$((i+1)); done"
                    host.answers("up", f"""
import subprocess
image = state["images"]["{LIVE}"]
for container in state["containers"][:1]:
    container.update(image_id=image, health="{health}" if image == "{NEW}" else "none")
subprocess.run(["/bin/sh", "-c", {end!r}], stderr=subprocess.DEVNULL, env={{"PATH": "/usr/bin:/bin:/sbin"}})
""")
                    before = f"mkdir -p {state} && mount -t tmpfs -o size=64k,nr_inodes=20,mode=700 none {state}"
                    answer = host.deploy(before=before)
                    self.assertTrue(answer.has(verdict), answer)
                    # The end of a release fits where its beginning is, on most file systems.
                    self.assertNotEqual(answer.has("revision"), "is not in the history" in answer["note"], answer)
                    self.assertEqual(answer.has("revision"), what == "full", answer)
                    self.assertEqual(host.state["images"][LIVE], NEW if verdict == "well" else OLD)

    def test_home_that_cannot_be_made(self):
        """Where no folder of the account can be made for want of space, that is said; the history is kept nowhere else."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                before = FULL_OF_INODES.format(host.home, host.home, 2)
                answer = host.deploy(before=before)
                self.assertIn(f"no space left on the host for {host.home}/.local", answer["refused"], answer)
                answer = host.put("size 3", body="abc", before=before + "\nmount -t tmpfs -o ro none /var/tmp")
                self.assertIn(f"no space left on the host for {host.home}/.cache", answer["refused"], answer)

    # ---- one at a time ----

    def test_lock_of_another(self):
        """One that waits and gives up, or is killed, leaves the lock of the one that works, and says whose it is; that of a process
        which is gone is taken over. By flock, by folders where there is none that works, and an earlier veneer's file or folder."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

        def check(shell, form):
            with Host(shell) as host:
                state = host.home / ".local" / "state" / "veneer"
                state.mkdir(parents=True, mode=0o700)
                turn, earlier = state / "0123456789ab.turn", state / "0123456789ab.lock"
                if form != "flock":
                    host.program("flock", "#!/bin/sh\nexit 71\n")
                # The name of a process may have anything in it.
                holder = subprocess.Popen(["python3", "-c", "import fcntl, sys, time\nopen('/proc/self/comm', 'w').write(') 1 (')\n"
                                           "file = open((sys.argv + ['/dev/null'])[1])\nfcntl.flock(file, fcntl.LOCK_EX)\n"
                                           "print(flush=True); time.sleep(100)", *([str(turn)] if form == "flock" and turn.write_text("") == 0 else [])],
                                          stdout=subprocess.PIPE)
                self.addCleanup(lambda: (holder.kill(), holder.wait(), holder.stdout.close()))
                holder.stdout.readline()
                start = Path(f"/proc/{holder.pid}/stat").read_text().rpartition(")")[2].split()[19]
                if form in ("flock", "folder"):
                    turn.write_text(f"{holder.pid} {boot} {start} - deploy of shop:live for me@there\nrestart\n")
                if form == "folder":
                    (state / f"0123456789ab.turn.d/{holder.pid},{boot},{start}").mkdir(parents=True)
                if form == "earlier file":
                    earlier.write_text(f"{holder.pid} {boot} rollout\n")
                if form == "earlier folder":
                    earlier.mkdir()
                    (earlier / "owner").write_text(f"{holder.pid} {boot}\n")
                before = sorted(path.name for path in state.rglob("*"))
                request = host.planned()[1]
                waiting = host.start("rollout", "deploy", *request)
                for line in waiting.stdout:
                    if line == "phase waiting\n":
                        break
                waiting.send_signal(signal.SIGTERM)
                waiting.communicate()
                host.longest_turn = 1
                words = "deploy of shop:live for me@there" if form in ("flock", "folder") else "another veneer"
                self.assertIn(f"{words} (process {holder.pid})", host.run("rollout", "deploy", *request)["problem"])
                if form in ("flock", "folder"):
                    self.assertTrue(host.run("rollout", "history", "group 0123456789ab", f"live {LIVE}", "listed shop:live").has("working"))
                self.assertEqual(sorted({path.name for path in state.rglob("*")} - {turn.name}), sorted(set(before) - {turn.name}))
                holder.kill()
                holder.wait()
                host.longest_turn = 60
                self.assertTrue((answer := host.run("rollout", "deploy", *request)).has("well"), answer)
                self.assertEqual(sorted(path.name for path in state.rglob("*")), ["0123456789ab.history", "0123456789ab.turn"])

        self.at_once(check, "flock", "folder", "earlier file", "earlier folder")

    def test_number_that_is_another_process_by_now(self):
        """A process with the number of one that is gone is known by when it began, and by its boot."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

        def check(shell):
            with Host(shell) as host:
                host.program("flock", "#!/bin/sh\nexit 71\n")
                for owner in (f"{os.getpid()},{boot},1", f"{os.getpid()},another-boot,none"):
                    lock = host.home / ".local/state/veneer/0123456789ab.turn.d" / owner
                    lock.mkdir(parents=True)
                    for folder in (host.home / ".local/state/veneer", lock.parent):
                        folder.chmod(0o700)
                    host.longest_turn = 3
                    self.assertTrue((answer := host.deploy()).has("well"), answer)
                    self.assertFalse(lock.parent.exists())

        self.at_once(check)

    def test_one_at_a_time(self):
        """Many at once, from the moment at which dead locks are found: never two that restart services."""

        def check(shell, form):
            with Host(shell) as host:
                state = host.home / ".local" / "state" / "veneer"
                (state / "0123456789ab.turn.d" / "1,another-boot,7").mkdir(parents=True)
                state.chmod(0o700)
                (state / "0123456789ab.lock").write_text("1 another-boot rollout\n")
                if form != "flock":
                    host.program("flock", "#!/bin/sh\nexit 71\n")
                log = host.folder / "log"
                host.answers("up", f"import time\nopen({str(log)!r}, 'a').write('begin\\n')\ntime.sleep(0.2)\n"
                                   f"open({str(log)!r}, 'a').write('end\\n')\nstate['containers'][0]['image_id'] = {NEW!r}")
                request = host.planned()[1]
                running = [host.start("rollout", "deploy", *request) for _ in range(5 if form == "flock" else 4)]
                for process in running:
                    output, errors = process.communicate()
                    self.assertIn("\nwell\n", output, errors)
                self.assertEqual(log.read_text().split(), ["begin", "end"] * len(running))

        self.at_once(check, "flock", "folder")

    def test_what_was_started_has_no_part_in_a_lock(self):
        """What a restart leaves running, and what a script that was killed leaves: the next one goes on at once."""

        def check(shell):
            with Host(shell) as host:
                host.longest_turn = 8
                words = as_word(f"sleep 50 & echo $! >>{host.folder}/left; true")
                answer = host.deploy(f"restart {words}")
                self.assertTrue(answer.has_ended, answer)
                request = host.planned(f"restart {as_word(f'echo $$ >>{host.folder}/left; exec sleep 50')}")[1]
                process = host.start("rollout", "deploy", *request)
                for line in process.stdout:
                    if line == "phase restart\n":
                        break
                process.kill()  # amid the restart
                process.wait()
                answer = host.deploy("restart true")
                process.stdout.close(), process.stderr.close()
                for left in (host.folder / "left").read_text().split():
                    os.kill(int(left), signal.SIGKILL)  # they were still there
                self.assertTrue(answer.has("back") or answer.has("failed"), answer)

        self.at_once(check)

    def test_two_accounts(self):
        """A name belongs to the account of an engine that deployed it first, be it at the same moment: others are refused by name."""

        def check(shell):
            with Host(shell) as host:
                request = host.planned()[1]
                other = host.folder / "other"
                other.mkdir()
                running = [host.start("rollout", "deploy", *request, HOME=str(home)) for home in (host.home, other)]
                ended = [process.communicate()[0] for process in running]
                self.assertEqual(sorted("\nwell\n" in said for said in ended), [False, True], ended)
                homes = [host.home, other]
                if "\nwell\n" in ended[1]:
                    homes.reverse()
                host.state = json.loads((host.engine / "state.json").read_text())
                calls = len(host.said())
                for verb, *lines in (("facts", *host.ROLLOUT), ("deploy", *request), ("history", "group 0123456789ab", f"live {LIVE}", "listed shop:live")):
                    answer = host.run("rollout", verb, *lines, HOME=str(homes[1]))
                    self.assertIn("shop:live belongs to another account", answer["refused"], answer)
                    self.assertIn(f"has its releases in {homes[0]}/.local/state/veneer", answer["refused"])
                    self.assertTrue(host.run("rollout", verb, *lines, HOME=str(homes[0])).has_ended)
                    self.assertFalse((homes[1] / ".local/state/veneer/0123456789ab.history").exists())
                self.assertNotIn("up", [words[0] for words in host.said()[calls:]])
                host.answers("volume", "sys.exit('no space left on device')")
                host.state["containers"][0]["image_id"] = host.state["images"][LIVE] = OLD
                answer = host.deploy()
                self.assertIn("cannot note whose shop:live is: no space left on device", answer["problem"], answer)
                self.assertEqual(host.state["images"][LIVE], OLD)

        self.at_once(check)

    def test_ships_take_turns(self):
        """Two names to one account: the second waits as long as the first moves, says for whom, and gives up when nothing moves."""

        def check(shell):
            with Host(shell) as host:
                stage = host.home / ".cache/veneer/ship"
                first = host.start("ship", "put", *host.PUT, "group 1", "live docker.io/library/web:live", "who me@there", "size 3", body=None)
                while not list(stage.glob("1-k.part")):
                    time.sleep(0.05)
                answer = host.put("size 0", "patience 1", "group 2", "sender t")
                self.assertIn("ship of docker.io/library/web:live for me@there", answer["refused"])
                self.assertIn("nothing moved there for 1 s", answer["refused"])
                second = host.start("ship", "put", *host.PUT, "group 2", "sender t", "size 0", "patience 3")
                for _ in range(5):
                    time.sleep(1)
                    with open(stage / "1-k.part", "a") as part:  # it grows by other ways than ours here
                        part.write("x" * 1000)
                self.assertIsNone(second.poll())
                first.stdin.close()
                first.stdin = None
                first.communicate()
                output, errors = second.communicate()
                self.assertIn("waiting ship of docker.io/library/web:live", output)
                self.assertIn(f"done {NEW}", output, errors)

        self.at_once(check)

    def test_lock_that_is_being_made(self):
        """A lock without its owner yet is let alone, however long one has waited, but for one that is old."""

        def check(shell):
            with Host(shell) as host:
                state = host.home / ".local" / "state" / "veneer"
                host.program("flock", "#!/bin/sh\nexit 71\n")
                for name in ("0123456789ab.lock", "0123456789ab.turn.d"):
                    lock = state / name
                    lock.mkdir(parents=True)
                    state.chmod(0o700)
                    host.longest_turn = 2
                    self.assertIn("another rollout", host.deploy()["problem"])
                    self.assertTrue(lock.is_dir())
                    os.utime(lock, (0, 0))  # of one that died
                    self.assertTrue(host.deploy().has("well"))

        self.at_once(check)

    def test_work_folders(self):
        """Those of whoever died go with the next run, whatever it is; those of others that run stay."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                state, stage = host.home / ".local/state/veneer", host.home / ".cache/veneer/ship"
                mine = f"work.{os.getpid()},{boot},{start},abcdef"
                names = (mine, f"work.{os.getpid()},{boot},1,abcdef", f"work.{os.getpid()},other,{start},abcdef", "work.4194305", "work.4194305,x y")
                for folder in (state, stage):
                    for name in names:
                        (folder / name).mkdir(parents=True)
                    for place in (folder, folder.parent):
                        place.chmod(0o700)
                self.assertTrue(host.facts().has_ended)
                self.assertEqual([path.name for path in state.iterdir()], [mine])
                self.assertTrue((answer := host.put("size 0")).has("done"), answer)
                self.assertEqual([path.name for path in stage.glob("work*")], [mine])

    # ---- images that go ----

    def test_images_that_go(self):
        """What the plan lets go goes, with what holds it, but what a container is made of by now stays."""
        held = {"id": "5" * 64, "image": "shop:veneer-5", "image_id": "5" * 64, "labels": {"dev.veneer.keep": "0123456789ab"}, "status": "created"}
        foreign = [{**held, "id": "6" * 64, "image_id": "6" * 64, "labels": {"dev.veneer.keep": "another group"}},
                   {**held, "id": "7" * 64, "image_id": "7" * 64, "labels": {}}]
        going = [f"{{}} docker.io/library/shop:veneer-{digit} {digit * 64}" for digit in "4567"]
        for shell in self.shells:
            for verdict, health in (("well", "healthy"), ("back", "unhealthy")):
                with self.subTest(verdict, shell=shell), Host(shell) as host:
                    host.state["containers"] += [held, *foreign]
                    host.state["images"]["docker.io/library/shop:veneer-9"] = "9" * 64
                    host.answers("up", f"image = state['images']['{LIVE}']\nstate['containers'][0].update(image_id=image, health='{health}' if image == '{NEW}' else 'none')")
                    lines = [line.format(key) for line in going for key in (("remove", "remove-back")[verdict == "back"],)]
                    other = f"{('remove-back', 'remove')[verdict == 'back']} docker.io/library/shop:veneer-8 {'8' * 64}"
                    answer = host.deploy(*lines, other, f"shipped docker.io/library/shop:veneer-9 {'9' * 64}",
                                         f"shipped docker.io/library/shop:veneer-3 {'3' * 64}")  # it went meanwhile
                    self.assertTrue(answer.has(verdict), answer)
                    said = [words for words in host.said() if words[0] in ("rm", "rmi")]
                    self.assertEqual([words[-1][-1] for words in said if words[0] == "rmi"], ["4", "5"])
                    self.assertEqual([words[1:] for words in said if words[0] == "rm"], [["5" * 64]])
                    history = (host.home / ".local/state/veneer/0123456789ab.history").read_text().splitlines()
                    self.assertEqual([line.split(" ")[2] for line in history], ["well", "shipped", "begun", verdict])

    # ---- names ----

    # CASE 67: the reference grammar of distribution
    def test_names_are_whole(self):
        """Which services are ours: by whole names, however they are spelt."""
        spellings = {
            "docker.io/library/shop:live": ("shop:live", "docker.io/library/shop:live", "docker.io/shop:live", "library/shop:live", "index.docker.io/library/shop:live"),
            "docker.io/library/shop:latest": ("shop", "shop:latest", "docker.io/library/shop", "library/shop"),
            "docker.io/acme/shop:live": ("acme/shop:live", "docker.io/acme/shop:live"),
            "registry.example:5000/shop:live": ("registry.example:5000/shop:live",),
            "registry.example:5000/shop:latest": ("registry.example:5000/shop",),
            "localhost/shop:live": ("localhost/shop:live",),
        }
        others = ("webshop:live", "shop:live2", "web/shop:live", "registry.example/shop:live", "shop:old", "shop@sha256:" + "0" * 64, "localhost:5000/shop:live",
                  "sha256:" + OLD, "")
        known = [name for row in spellings.values() for name in row] + list(others)
        for shell in self.shells:
            with Host(shell) as host:
                for live, names in spellings.items():
                    with self.subTest(live, shell=shell):
                        said = host.call(f'live={live}; while IFS= read -r name; do ! is_live "$name" || say "$name"; done', "\n".join(known) + "\n")
                        self.assertEqual(said.splitlines(), list(names))

    def test_what_serves(self):
        """The history tells it from the containers where a prune job took the name."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                host.state["images"] = {}
                host.state["containers"] = [host.container(id="2" * 64, image="webshop:live", image_id="c" * 64), host.container(image="library/shop:live")]
                self.assertEqual(host.run("rollout", "history", "group g", f"live {LIVE}", "listed shop:live")["live"], OLD)

    def test_history_is_added_to(self):
        """A release is two lines under one number, on the disk before anything changes; a damaged line costs itself only."""
        kept = "3 2026-11-27T10:00:00Z well docker.io/library/shop:veneer-0 " + OLD + " me - 1 1.0 deploy\n"
        for shell in self.shells:
            for name, before, number in (("none", "", "1"), ("one", kept, "4"), ("no number", kept + "08 x\n", "4"), ("cut", kept + "12 2026-11", "13"),
                                         ("garbage", kept + "$(touch /x) `id` *\n", "4"), ("too large", kept + "9" * 30 + " x\n", "4")):
                with self.subTest(name, shell=shell), Host(shell) as host:
                    state = host.home / ".local" / "state" / "veneer"
                    state.mkdir(parents=True, mode=0o700)
                    history = state / "0123456789ab.history"
                    history.write_text(before)
                    host.answers("up", f"""
text = open({str(history)!r}).read()
assert " begun " in text.splitlines()[-1], text
for container in state["containers"][:1]: container.update(image_id="{NEW}", health="healthy")
""")
                    answer = host.deploy()
                    self.assertTrue(answer.has("well"), answer)
                    added = history.read_text().removeprefix(before).removeprefix("\n" if name == "cut" else "").splitlines()
                    self.assertTrue(history.read_text().startswith(before), answer)
                    # Before the first deploy something else ran here: that is a release too, unless the history has it.
                    found = [] if before else [["1", "well"]]
                    number = "2" if found else number
                    self.assertEqual([[line.split(" ")[0], line.split(" ")[2]] for line in added], [*found, [number, "begun"], [number, "well"]])
                    self.assertEqual(answer["revision"], number)
                    shown = host.run("rollout", "history", "group 0123456789ab", f"live {LIVE}", "listed shop:live")
                    self.assertEqual([value for key, value in shown.lines if key == "release"][-1].split(" ")[0], "yes")
                    self.assertFalse(shown.has("working"))

    def test_history_of_one_that_died(self):
        for shell in self.shells:
            for point in ("tagged", "restarting", "restarted"):
                with self.subTest(point, shell=shell), Host(shell) as host:
                    host.answers("up", f"""
for container in state["containers"][:1]: container.update(image_id="{NEW}", health="healthy")
""")
                    _, request = host.planned(f"fail {point}")
                    process = host.start("rollout", "deploy", *request)
                    process.wait(timeout=60)  # not for its output: a beat holds it for some seconds
                    for pipe in (process.stdout, process.stderr):
                        pipe.close()
                    shown = host.run("rollout", "history", "group 0123456789ab", f"live {LIVE}", "listed shop:live")
                    self.assertEqual([value.split(" ")[3] for key, value in shown.lines if key == "release"], ["well", "begun"])
                    self.assertFalse(shown.has("working"), shown)

    def test_history_does_not_grow_for_ever(self):
        line = "{} 2026-11-27T10:00:00Z well docker.io/library/shop:veneer-0 " + OLD + " me - 1 1.0 deploy\n"
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                state = host.home / ".local" / "state" / "veneer"
                state.mkdir(parents=True, mode=0o700)
                history = state / "0123456789ab.history"
                history.write_text("".join(line.format(number) for number in range(1, 1001)))
                host.answers("up", f"""
for container in state["containers"][:1]: container.update(image_id="{NEW}", health="healthy")
""")
                self.assertEqual(host.deploy()["revision"], "1001")
                lines = history.read_text().splitlines()
                self.assertEqual((len(lines), lines[0].split(" ")[0]), (502, "501"))

    def test_services_of_another_name(self):
        """A deploy of shop lets the services of webshop alone, and none of them is taken for the way back."""
        compose = "services:\n  web:\n    image: {}\n  front:\n    image: webshop:live\n  other:\n    image: shop:live2\n"
        for shell in self.shells:
            for image in ("shop:live", "docker.io/library/shop:live", '"shop:live"'):
                with self.subTest(image, shell=shell), Host(shell) as host:
                    webshop = "c" * 64
                    host.state["images"] |= {"docker.io/library/webshop:live": webshop}
                    host.state["containers"] = [
                        host.container(id="2" * 64, image="webshop:live", full="docker.io/library/webshop:live", image_id=webshop, project="webshop", service="front"),
                        host.container()]
                    host.state["compose"] = compose.format(image)
                    answer = host.deploy()
                    self.assertTrue(answer.has("well"), answer)
                    [up] = [words for words in host.said() if "up" in words]
                    self.assertEqual(up[-1], "web")
                    self.assertIn("site", up)
                    # By a command of the user's: what serves is what has the name, not the first that ends alike.
                    host.state["images"][LIVE] = host.state["containers"][1]["image_id"] = OLD
                    host.state["containers"][1]["health"] = "none"
                    answer = host.deploy("restart false")
                    self.assertIn("could not be restarted", answer["back"] or answer["failed"], answer)
                    self.assertEqual(host.state["images"][LIVE], OLD)

    def ups(self, host) -> list[list[str]]:
        return [words for words in host.said() if "up" in words]

    def test_number_of_containers(self):
        """`--scale web=3` stays, on the way back too, unless the file has a number."""
        for shell in self.shells:
            for more, scale in (("", ["--scale", "web=3"]), ("    scale: 2\n", []), ("    deploy:\n      mode: replicated\n      replicas: 2\n", [])):
                with self.subTest(more, shell=shell), Host(shell) as host:
                    host.state["containers"] = [host.container(id=str(number) * 64) for number in (1, 2, 3)]
                    host.state["compose"] = "services:\n  web:\n    image: shop:live\n" + more + "  other:\n    image: web:1\n    scale: 2\n"
                    host.answers("exec", "sys.exit(1)")
                    answer = host.deploy("probe http://127.0.0.1:1/", "wait 1")
                    self.assertTrue(answer.has("back") or answer.has("failed"), answer)
                    self.assertEqual(len(self.ups(host)), 2)
                    for up in self.ups(host):
                        self.assertEqual(up[-1 - len(scale):], [*scale, "web"])

    def test_compose_that_does_not_know_an_option(self):
        """Compose is run once for a restart; one that does not know --pull, as early versions 2, is run again without it."""
        old = "if '--pull' in words:\n  sys.exit('unknown flag: --pull')\nstate['containers'][0].update(id='1' * 63 + 'n', image_id=image_of(state['containers'][0]['full']))\n"
        for shell in self.shells:
            for answer, asked in (("", [True]), (old, [True, False])):
                with self.subTest(asked, shell=shell), Host(shell) as host:
                    if answer:
                        host.answers("up", answer)
                    result = host.deploy()
                    self.assertTrue(result.has("well"), result)
                    self.assertEqual(["--pull" in up for up in self.ups(host)], asked)

    def test_files_of_variables_and_profiles(self):
        """What the services were started with counts again; profiles that were not started stay out."""
        compose = "com.docker.compose."
        text = ("services:\n  web:\n    image: shop:live\n  night:\n    image: shop:live\n    profiles:\n    - late\n")
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                labels = {compose + "project": "site", compose + "service": "web", compose + "oneoff": "False", compose + "project.working_dir": str(host.engine),
                          compose + "project.config_files": str(host.engine / "compose.yaml"), compose + "project.environment_file": f"prod.env,{host.engine}/b.env"}
                host.state["containers"] = [host.container(labels=labels)]
                host.state["compose"] = text
                host.answers("config", 'print("late" if "--profiles" in words else state["compose"]); print("WARNING: The X variable is not set.", file=sys.stderr)')
                host.answers("ps", 'print("\\n".join(c["id"] for c in state["containers"] if "label=com.docker.compose.service=night" not in words))')
                answer = host.deploy()
                self.assertIn("prod.env, which the services were started with (--env-file), is gone", answer["problem"])
                for name in ("prod.env", "b.env"):
                    (host.engine / name).touch()
                self.assertIn("The X variable is not set", host.facts()["note"])
                answer = host.deploy()
                self.assertTrue(answer.has("well"), answer)
                [up] = self.ups(host)
                self.assertEqual([up[at + 1] for at, word in enumerate(up) if word == "--env-file"], [f"{host.engine}/prod.env", f"{host.engine}/b.env"])
                self.assertEqual(up[up.index("--profile") + 1], "late")
                self.assertEqual(up[-1], "web")
                # One that the file has no more would stay as it is.
                host.answers("ps", 'print("\\n".join(c["id"] for c in state["containers"]))')
                host.state["containers"].append(host.container(id="3" * 64, service="gone"))
                self.assertIn("the service gone of the project site", host.deploy()["problem"])

    def test_services_that_share(self):
        """A service that uses the network of one that restarts is made anew after it; others are let alone."""
        text = ("services:\n  web:\n    image: shop:live\n  beside:\n    image: web:1\n    network_mode: service:web\n    pid: service:web\n"
                "  far:\n    image: web:1\n    network_mode: service:beside\n  off:\n    image: web:1\n    ipc: service:web\n")
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                host.state["compose"] = text
                host.answers("ps", 'print("\\n".join(c["id"] for c in state["containers"] if "label=com.docker.compose.service=off" not in words))')
                self.assertTrue((answer := host.deploy()).has("well"), answer)
                web, beside = self.ups(host)
                self.assertEqual((web[-1], beside[-1]), ("web", "beside"))
                self.assertEqual(beside.count("beside"), 1)
                self.assertIn("--force-recreate", beside)
                self.assertIn("used by beside", host.deploy("strategy start-first")["problem"])

    def test_command_in_the_environment_of_the_account(self):
        """What the script sets for itself is not the command's."""
        for shell in self.shells:
            for variables in ({}, {"LC_ALL": "de_AT.UTF-8", "restart": "mine", "services": "it's mine\ntoo"}):
                with self.subTest(shell=shell, variables=variables), Host(shell) as host:
                    seen = host.folder / "seen"
                    text = f'{{ umask; echo "$PATH"; echo "${{LC_ALL-none}}"; echo "${{restart-none}}"; echo "${{services-none}}"; }} >{seen}; false'
                    words = "".join(c if c.isalnum() or c in "/ -" else f"%{ord(c):03o}" for c in text)
                    host.deploy(f"restart {words}", **variables)
                    mask = f"{os.umask(0o022):04o}"
                    os.umask(int(mask, 8))
                    self.assertEqual(seen.read_text(), "\n".join([mask, host.path, variables.get("LC_ALL", "none"), variables.get("restart", "none"),
                                                                  variables.get("services", "none")]) + "\n")

    def test_containers_of_others(self):
        """Containers with few labels, and services without an image, are no hindrance."""
        for shell in self.shells:
            for case in ("another project", "our image without files", "a service without an image"):
                with self.subTest(case, shell=shell), Host(shell) as host:
                    if case == "our image without files":
                        host.state["containers"] = [{**host.foreign, "image": "shop:live", "image_id": OLD, "id": "3" * 64}]
                        answer = host.deploy()
                        self.assertIn("do not tell their compose files", answer["problem"], answer)
                        continue
                    if case == "a service without an image":
                        host.state["compose"] += "  built:\n    build: .\n    image:\n"
                    answer = host.deploy()
                    self.assertTrue(answer.has("well"), answer)
                    self.assertEqual(answer.errors, "")

    # ---- verdicts ----

    def test_restarts_of_before(self):
        """What a container did weeks ago is not held against a deploy of what runs already; what it does now is."""
        for shell in self.shells:
            for before, now, verdict in ((0, 0, "well"), (3, 3, "well"), (0, 1, "failed"), (3, 4, "failed"), (3, 0, "well"), (3, 1, "failed")):
                with self.subTest(before=before, now=now, shell=shell), Host(shell) as host:
                    host.state["images"][LIVE] = NEW
                    host.state["containers"] = [host.container(image_id=NEW, restarts=before)]
                    host.answers("up", f"state['containers'][0]['restarts'] = {now}")
                    answer = host.deploy()
                    self.assertTrue(answer.has(verdict), answer)

    def test_engine_that_goes_away(self):
        """The name that must move back is tried until it is known to; an engine that refuses is believed."""
        gone = "import os\nif os.path.exists(folder + '/gone'):\n  open(folder + '/gone', 'a').write('x')\n" \
               "  if os.path.getsize(folder + '/gone') > 4: os.remove(folder + '/gone')\n  sys.exit('Cannot connect to the Docker daemon')\n"
        version = gone + "print('28.1.0')"
        tag = gone + "state['images'][words[2]] = image_of(words[1])"
        for shell in self.shells:
            with self.subTest("comes again", shell=shell), Host(shell) as host:
                host.answers("version", version)
                host.answers("tag", tag)
                # In the restart it dies, with nothing restarted.
                host.answers("up", "if state['images']['" + LIVE + "'] == '" + NEW + "':\n  open(folder + '/gone', 'w')\n  sys.exit('Cannot connect to the Docker daemon')")
                answer = host.deploy()
                self.assertTrue(answer.has("back"), answer)
                self.assertIn(("phase", "engine"), answer.lines)
                self.assertEqual(host.state["images"][LIVE], OLD)
            with self.subTest("no space for the name", shell=shell), Host(shell) as host:
                host.answers("tag", "if state['images']['" + LIVE + "'] == '" + NEW + "': sys.exit('no space left on device')\nstate['images'][words[2]] = image_of(words[1])")
                host.answers("up", "sys.exit('no space left on device')")
                answer = host.deploy()
                self.assertIn("the name could not be moved back: no space left on device", answer["failed"], answer)
                self.assertTrue(answer["serves"].startswith("1" * 64 + "|web|running|none|0|sha256:" + OLD), answer)
                self.assertEqual((host.home / ".local/state/veneer/0123456789ab.history").read_text().split()[-8], "failed")
            with self.subTest("no space for the new name", shell=shell), Host(shell) as host:
                host.answers("tag", "state['images'][words[2]] = image_of(words[1])\nif words[2] == '" + LIVE + "' and state['images'][words[2]] == '" + NEW + "':\n"
                             "  json.dump(state, open(path, 'w'))\n  sys.exit('no space left on device')")
                answer = host.deploy()
                self.assertIn("no space left on device", answer["problem"], answer)
                self.assertEqual(host.state["images"][LIVE], OLD)

    def test_start_first_and_an_engine_that_goes_away(self):
        """An engine that lists nothing for a moment: the old containers are known from before, and none of them goes."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                # From the moment at which the name has moved, until the new one is made.
                host.answers("ps", "if state['images']['" + LIVE + "'] == '" + NEW + "' and len(state['containers']) == 1: sys.exit('Cannot connect to the Docker daemon')\n"
                                   "print('' if '--format' in words else '\\n'.join(c['id'] for c in state['containers']))")
                host.answers("up", "new = dict(state['containers'][0], id='8' * 64, image_id='" + NEW + "', health='unhealthy')\nstate['containers'].append(new)")
                host.answers("rm", "state['containers'] = [c for c in state['containers'] if c['id'] != words[-1]]")
                host.state["containers"] = [host.container()]
                answer = host.deploy("strategy start-first")
                self.assertIn("unhealthy", answer["back"], answer)
                self.assertEqual([container["id"] for container in host.state["containers"]], ["1" * 64])

    def test_plan_of_others(self):
        """Containers that are not those for which the plan was made: it is made anew, and nothing changed."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                _, request = host.planned()
                host.state["containers"][0]["id"] = "4" * 64
                self.assertTrue(host.run("rollout", "deploy", *request).has("again"))
                self.assertEqual(host.state["images"][LIVE], OLD)

    def test_leftovers_of_compose(self):
        """What a compose that was killed left beside a container of the service goes before the next restart; nothing else does."""
        left = {"name": "0123456789ab_site_web_1", "status": "created", "id": "5" * 64}
        for shell in self.shells:
            for case, containers, removed in (
                ("beside another", [{**left}, {}], ["5" * 64]), ("alone", [{**left}], []), ("it runs", [{**left, "status": "running"}, {}], []),
                ("a name of one's own", [{**left, "name": "abc_web"}, {}], []),
            ):
                with self.subTest(case, shell=shell), Host(shell) as host:
                    host.state["containers"] = [host.container(**settings) for settings in containers]
                    answer = host.deploy("wait 0", plans=("web yes 0 no no network - -",))
                    self.assertTrue(answer.has_ended, answer)
                    self.assertEqual([words[1] for words in host.said() if words[0] == "rm" and "veneer-keep" not in words[1]], removed)

    def test_while_services_settle(self):
        """What a release needs besides is done while its services settle, not after: before it is well. When it is not, nothing of that stays."""
        keeper = "veneer-keep-0123456789ab-docker.io-library-shop-veneer-1"
        for shell in self.shells:
            for case, containers, verdict, removed in (("well", [], "well", []), ("not well", [], "back", [keeper]),
                                                       ("not well, and it was held before", [{"name": keeper, "image": "shop:veneer-1", "id": "7" * 64}], "back", [])):
                with self.subTest(case, shell=shell), Host(shell) as host:
                    host.state["containers"] += [{**host.foreign, **settings} for settings in containers]
                    history = host.home / ".local/state/veneer/0123456789ab.history"
                    host.answers("create", f"open(folder + '/when', 'w').write(open('{history}').read())")
                    host.answers("events", "pass" if verdict == "well" else "state['containers'][0].update(status='exited', code=1)")
                    host.answers("up", f"image = state['images']['{LIVE}']\nstate['containers'][0].update(image_id=image, status='running', code=0)")
                    answer = host.deploy(plans=("web no 1 no no network - -",))
                    self.assertTrue(answer.has(verdict), answer)
                    self.assertEqual([words[1] for words in host.said() if words[0] == "rm"], removed)
                    if not containers:
                        self.assertEqual([line.split()[2] for line in (host.engine / "when").read_text().splitlines()][-1], "begun")

    def test_slow_stops(self):
        """What stopped in the second in which the engine is asked counts too, though a host's `date` may know whole seconds only."""
        for shell in self.shells:
            for date in ("", "whole", "odd"):
                with self.subTest(date=date, shell=shell), Host(shell) as host:
                    if date:
                        ends = {"whole": "", "odd": "N"}[date]
                        host.program("date", f'#!/bin/sh\ncase $* in *%N) echo "$(/bin/date +%s).{ends}" ;; *) exec /bin/date "$@" ;; esac\n')
                    host.answers("up", f"import time\nimage = state['images']['{LIVE}']\nstate['containers'][0].update(image_id=image)\n"
                                 "open(folder + '/stopped', 'w').write(str(time.time()))")
                    host.answers("events", "died = float(open(folder + '/stopped').read())\nif died <= float(option('--until')):\n"
                                 "  for row in (f'1|15||{int(died) - 6}|web|w', f'1||137|{int(died)}|web|w'): print(row)")
                    answer = host.deploy(plans=("web no 1 no no network - -",))
                    self.assertTrue(answer.has("well"), answer)
                    self.assertEqual(answer["slow"], "web 6")

    def test_facts(self):
        """What is said of a compose file and of containers, for the plan."""
        compose = ("services:\n  migrate:\n    image: shop:live\n    restart: \"no\"\n    command: null\n  web:\n    image: shop:live\n    command:\n    - serve\n"
                   "    depends_on:\n      migrate:\n        condition: service_completed_successfully\n        required: true\n      cache:\n"
                   "        condition: service_healthy\n    healthcheck:\n      test: secret\n    environment:\n      command: x\n")
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                host.state["compose"] = compose
                host.state["containers"] = [host.container(description={"Id": "1" * 64, "Config": {"Env": ["A=%d|'\n"]}, "State": {"Pid": 7}})]
                facts = host.facts()
                self.assertEqual([value for key, value in facts.lines if key == "setting" and "|image|" not in value],
                                 ["migrate|restart|no", "web|command|own", "migrate|awaited|completion", "web|healthcheck|own"])
                self.assertEqual([value for key, value in facts.lines if key == "service"], ["migrate", "web"])
                said = json.loads(facts["container"])
                self.assertEqual((said["Id"], said["Config"]), ("1" * 64, {"Env": ["A=%d|'\n"]}))
                self.assertNotIn("State", said)  # nobody reads it
                self.assertEqual(sorted(value.split()[0] for key, value in facts.lines if key == "image"), [OLD, NEW])
                self.assertEqual((facts["live"], facts["project"]), (OLD, "site"))
                self.assertEqual(host.state["images"][LIVE], OLD)

    def test_one_shell_for_all_that_is_asked(self):
        """The script is sent once: a shell answers questions until it is told to act; a request that was cut is none."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                request = host.request("deploy", *host.planned()[1])
                for cut in (request[:-1], request[:100], request[:-1].rpartition("\n")[0]):
                    answer = host.facts(body=cut)
                    self.assertEqual((answer.raw.count(f"end {NONCE}"), host.state["images"][LIVE]), (1, OLD), answer)
                history = host.request("history", "group 0123456789ab", f"live {LIVE}", "listed shop:live")
                answer = host.facts(body=history + request + history)
                self.assertEqual(answer.raw.count(f"veneer {NONCE}\n"), 3, answer)  # nothing follows an act
                self.assertTrue(answer.raw.endswith(f"well\nend {NONCE}\n"), answer)
                host.answers("load", "assert sys.stdin.read() == 'abc'")
                said = host.run("ship", "inventory", "pattern shop:", body=host.request("parts") + host.request("put", *host.PUT, "size 3") + "abc")
                self.assertTrue(said.raw.endswith(f"done {NEW}\nend {NONCE}\n"), said)

    def test_what_changes_after_the_facts(self):
        """What was compared is compared again when nobody else can deploy: what somebody changed meanwhile makes another plan."""
        changes = (("the file", lambda host: host.state.update(compose=host.state["compose"] + "    init: true\n")),
                   ("a limit", lambda host: host.state["containers"][0].update(description={"HostConfig": {"Memory": 2}})),
                   ("a network", lambda host: host.state["containers"][0].update(description={"NetworkSettings": {"Networks": {"b": {}}}})),
                   ("a container", lambda host: host.state["containers"][0].update(id="2" * 64)),
                   ("its restarts", lambda host: host.state["containers"][0].update(restarts=5)))
        for shell in self.shells:
            for name, change in changes:
                with self.subTest(name, shell=shell), Host(shell) as host:
                    request = host.planned()[1]
                    change(host)
                    answer = host.run("rollout", "deploy", *request)
                    self.assertEqual(answer.has("again"), name != "its restarts", answer)
                    self.assertEqual(host.state["images"][LIVE], NEW if name == "its restarts" else OLD)
                    self.assertTrue(host.deploy().has("well"), name)

    def test_one_container(self):
        """One question for all that is wanted of it. After a crash its name comes back, but not amid another's rollout."""
        for shell in self.shells:
            with self.subTest(shell=shell), Host(shell) as host:
                old = host.container(name="shop-veneer-old", description={"Id": "1" * 64, "HostConfig": {"NetworkMode": "bridge", "PidMode": "", "IpcMode": "", "VolumesFrom": None}})
                host.state["containers"] = [old]
                host.answers("rename", "container_of(words[1])['name'] = words[2]")
                host.answers("start", "")
                turn = host.home / ".local/state/veneer/0123456789ab.turn"
                turn.parent.mkdir(parents=True, mode=0o700)
                boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
                turn.write_text(f"{os.getpid()} {boot} none - deploy\n")
                self.assertIn("no container shop", host.facts("container shop")["problem"])
                turn.write_text("")
                facts = host.facts("container shop")
                self.assertEqual(json.loads(facts["container"])["HostConfig"]["NetworkMode"], "bridge", facts)
                self.assertEqual(json.loads(facts["other"])["Id"], "1" * 64)
                self.assertEqual({value.split()[0] for key, value in facts.lines if key == "image"}, {OLD, NEW})
                self.assertTrue(facts["sum"])

    def test_ports_of_processes(self):
        """On which ports a container listens, and which of them its own processes have: rows of /proc, whatever the engine calls the processes."""
        identifier = "7" * 64
        # A monitor, as engines without cgroups have it; its child has one port, and the network of all of this machine.
        program = ("import os, socket, sys, time\nif len(sys.argv) > 2:\n  open('/proc/self/comm', 'w').write('conmon')\n  if os.fork(): time.sleep(1000)\n  open('/proc/self/comm', 'w').write('shop')\n"
                   "listener = socket.create_server(('127.0.0.1', 0))\nprint(listener.getsockname()[1], os.getpid(), flush=True)\ntime.sleep(1000)")
        running = subprocess.Popen(["python3", "-c", program, "-c", identifier], stdout=subprocess.PIPE, text=True)
        port, child = running.stdout.readline().split()
        self.addCleanup(lambda: (os.kill(int(child), signal.SIGKILL), running.kill(), running.wait(), running.stdout.close()))
        own = f"{int(port):04X}"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            foreign = f"{listener.getsockname()[1]:04X}"
            for shell in self.shells:
                with self.subTest(shell=shell), Host(shell) as host:
                    self.assertEqual(host.call(f"set -f; processes_of {identifier}", "").split(), [child])
                    said = host.call(f"set -f; ports_of {identifier} network", "").split()
                    self.assertIn(own, said)
                    self.assertIn(foreign, said)
                    self.assertEqual(host.call(f"ports_of {identifier} process", "").split(), [own])
                    self.assertEqual(host.call(f"ports_of {'6' * 64} network", ""), "")  # it runs elsewhere

    def test_table_of_verdicts(self):
        """The rows of verdicts.json, which run through judge() of health.cc too: the script says the same."""
        for shell in self.shells:
            with Host(shell) as host:
                for case in VERDICTS:
                    with self.subTest(case["title"], shell=shell):
                        text = "\n".join((
                            "is=docker", f"wanted={NEW} elapsed={case['elapsed']} wait={case['wait']} passed='' probe='' plans={quote(lines(case['lines']))}",
                            f"known={quote(lines(case['known']))} given={quote(chr(10).join(case['rows']))} listened={quote(chr(10).join(case['listening']))}",
                            "list_containers() { rows=$given; }", "engine() { :; }",
                            f"check_now() {{ has_row {quote(chr(10).join(case['healthy']))} \"$1\"; }}",
                            'ports_of() { printf "%s\\n" "$listened" | sed -n "s/^$1 $2 //p"; }',
                            'look; say "$state_word $reason"; printf "%s" "$unchecked"'))
                        expected = [f"{case['state']} {case['reason']}", *case["unchecked"]]
                        self.assertEqual(host.call(text, "").splitlines(), expected)

    def test_health_commands(self):
        """A health command is run with its very words, whatever they are: in a plan each is quoted."""
        for shell in self.shells:
            for words in COMMANDS:
                for code, verdict in ((1, "back"), (0, "well")) if words is COMMANDS[0] else ((0, "well"),):
                    with self.subTest(words, code=code, shell=shell), Host(shell) as host:
                        host.answers("exec", f"sys.exit({code})")
                        host.answers("up", f"image = state['images']['{LIVE}']\nstate['containers'][0].update(image_id=image, health='starting' if image == '{NEW}' else 'none')")
                        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
                        answer = host.deploy("wait 1", plans=(f"web no 0 yes no network - {as_word(quoted)}",))
                        asked = [row for row in host.said() if row[0] == "exec"]
                        self.assertEqual(asked[:1], [["exec", "1" * 64, *words]])
                        self.assertTrue(answer.has(verdict), answer)


class Dash(Scripts, unittest.TestCase):
    shells = ("dash",)


class Bash(Scripts, unittest.TestCase):
    shells = ("bash",)


class Busybox(Scripts, unittest.TestCase):
    """A small system where all programs are its own."""

    shells = ("busybox",)


class SideBySide(unittest.TestSuite):
    """Most tests wait for something now and then."""

    def run(self, result, debug=False):
        made_up_docker()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for running in [pool.submit(test, result) for test in self]:
                running.result()
        return result


if __name__ == "__main__":
    unittest.TestLoader.suiteClass = SideBySide
    unittest.main()
